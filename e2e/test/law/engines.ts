import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, type Engine, findEngine, knowsLinks, ORIGIN_LABEL, probeClient } from "@strata/engine";
import { ROOT, sh } from "../scratch.js";

/** An engine to test on, or why there is none. */
export interface Tested {
  readonly name: string;
  readonly engine?: Engine;
  readonly reason?: string;
  /** Ends what was started for the test alone. */
  readonly stop?: () => Promise<void>;
}

const SCRIPT = "scripts/modern-engine.mjs";
const modern = (verb: string) => sh(ROOT, "node", [SCRIPT, verb], { timeout: 600_000 });

/** The second engine of this machine, which is started where it does not run. */
async function modernEngine(): Promise<Tested> {
  const name = "the modern engine";
  const running = await modern("status");
  const { code, stdout, stderr } = running.code === 0 ? running : await modern("start");
  if (code !== 0) return { name, reason: stderr.trim().split("\n").at(-1) ?? `${SCRIPT} start ended with ${code}` };
  const found = await probeClient(JSON.parse(stdout).client);
  const stop = running.code === 0 ? {} : { stop: async () => void (await modern("stop")) };
  return "reason" in found ? { name, reason: found.message, ...stop } : { name, engine: found, ...stop };
}

/**
 * The engines to test on: those of STRATA_TEST_ENGINES, paths of clients with a blank or a comma between them; without
 * it the one that Strata finds, and the modern one where it is not the same kind and can be had here.
 */
export async function testedEngines(environment: NodeJS.ProcessEnv = process.env): Promise<Tested[]> {
  const given = (environment.STRATA_TEST_ENGINES ?? "").split(/[\s,]+/).filter(Boolean);
  const probed = await Promise.all(
    given.map(async (client): Promise<Tested> => {
      const found = await probeClient(client);
      return "reason" in found ? { name: client, reason: found.message } : { name: client, engine: found };
    }),
  );
  if (probed.length > 0) return probed;
  const first = await findEngine();
  return [{ name: first.client, engine: first }, await modernEngine()];
}

/**
 * Gives an engine the base that another one bootstrapped, so that it is not made twice. Where there is none to give,
 * the build gets its base itself.
 */
export async function lendBase(from: Engine, to: Engine, base: string): Promise<void> {
  const format = `{{index .Config.Labels "${ORIGIN_LABEL}"}}`;
  const origin = ({ client }: Engine) => attempt(client, ["image", "inspect", "--format", format, base]);
  if ((await origin(to)).ok || (await origin(from)).stdout.trim() !== "bootstrap") return;
  const folder = await mkdtemp(join(tmpdir(), "strata-base-"));
  try {
    const file = join(folder, "base.tar");
    if ((await attempt(from.client, ["save", "--output", file, base])).ok)
      await attempt(to.client, ["load", "--input", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A part as the record of a build has it. */
export interface PartRecord {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
}

/** Tells what an engine built, also where a layer is linked. */
export class Built {
  readonly #seen = new Set<string>();

  constructor(readonly engine: Engine) {}

  /**
   * The parts that the engine built for the image of that tag. Of a linked layer it says that it built it where it only
   * joined it to others below: such a layer is what it was, and its digest is one that was there before.
   */
  async parts(records: readonly PartRecord[], tag: string): Promise<string[]> {
    const format = "{{json .RootFS.Layers}}";
    const { stdout } = await attempt(this.engine.client, ["image", "inspect", "--format", format, tag]);
    const own = records.filter(({ kind }) => ["setup", "component", "runtime"].includes(kind));
    const layers = (JSON.parse(stdout) as string[]).slice(-own.length);
    const digests = new Map(own.map(({ id }, index) => [id, layers[index]!]));
    const joined = ({ id, kind }: PartRecord): boolean =>
      knowsLinks(this.engine) && (kind === "component" || kind === "runtime") && this.#seen.has(digests.get(id)!);
    const built = records.filter((part) => part.state === "built" && !joined(part));
    for (const layer of layers) this.#seen.add(layer);
    return built.map(({ id }) => id).sort();
  }
}
