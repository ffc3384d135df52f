import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Dialect, explain, type ImageDefinition, type Plan, type Prepared } from "@strata/assembler";
import {
  BuildFailure,
  build,
  type Engine,
  ensureBase,
  inspectImage,
  knowsLinks,
  layerCount,
  layerSizes,
  readSite,
  reportLayers,
  stepOwners,
} from "@strata/engine";
import { fail } from "@strata/fragment";
import { type Components, readArtifacts, resolveComponents, writeContext } from "./components.js";
import { BuildDisplay } from "./display.js";
import { say } from "./output.js";
import { partsOf, recordParts } from "./parts.js";
import type { BuildRecord } from "./report/record.js";
import { revisionLabels } from "./revision.js";
import { sourcesFolder } from "./sources.js";
import { TurboArtifacts } from "./turbo.js";
import { workspaceRoot } from "./workspace.js";

/** How a variant is built. */
export interface BuildOptions {
  readonly cache?: boolean;
  readonly base?: string;
  readonly refreshBase?: boolean;
  /** The dialect to write; what the engine can do unless it is named. */
  readonly dialect?: Dialect;
  /** Turbo's caches where several variants are built: what is told of them is told once. */
  readonly turbo?: TurboArtifacts | undefined;
}

/** The folder of what builds leave beside an image: the context, the record, the plan. */
export const roomOf = (image: ImageDefinition, variant: string): string =>
  join(dirname(fileURLToPath(image.module)), ".strata", variant);

/** The record of a build that failed; gone when one succeeds. */
const FAILED = "failed.json";

/** A record or a plan of the last build, or undefined where there is none that can be read. */
async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** What builds of a variant left. */
export interface LastBuild {
  /** The last one that succeeded, with its plan. */
  readonly record: BuildRecord | undefined;
  readonly plan: Plan | undefined;
  /** The one that succeeded before that. */
  readonly previous: BuildRecord | undefined;
  /** The last one, where it failed. */
  readonly failed: BuildRecord | undefined;
}

/** Reads what builds of a variant left; what is not there, or cannot be read, is undefined. */
export async function readBuild(image: ImageDefinition, variant: string): Promise<LastBuild> {
  const folder = roomOf(image, variant);
  const [record, previous, plan, failed] = await Promise.all([
    readJson<BuildRecord>(join(folder, "build.json")),
    readJson<BuildRecord>(join(folder, "previous.json")),
    readJson<Plan>(join(folder, "image.json")),
    readJson<BuildRecord>(join(folder, FAILED)),
  ]);
  return { record, previous, plan, failed };
}

/** Writes a file so that it is there whole or as it was. */
async function writeJson(file: string, value: unknown): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(value, null, 2)}\n`);
  await rename(fresh, file);
}

/** The dialect for an engine; raises a StrataError where the one that is asked for is beyond it. */
export function dialectFor(engine: Engine, wanted?: Dialect): Dialect {
  if (wanted === "buildkit" && !knowsLinks(engine))
    fail(
      "dialect buildkit",
      `expected Docker 23 or later with buildx, found ${engine.serverVersion} with ${engine.builder}`,
      "leave --dialect away: this engine builds the portable one",
    );
  return wanted ?? (knowsLinks(engine) ? "buildkit" : "portable");
}

/** Fragments of a plan that are compiled, without those. */
const compiled = (plan: Plan, without: ReadonlyMap<string, unknown>): string[] =>
  plan.stages
    .filter(({ kind, fragment }) => kind === "build" && !without.has(fragment))
    .map(({ fragment }) => fragment);

/** Turbo's caches of what an image's components compile to; nothing outside of a workspace. */
export function turboArtifacts(image: ImageDefinition): TurboArtifacts | undefined {
  const folder = dirname(fileURLToPath(image.module));
  const root = workspaceRoot(folder);
  return root === undefined ? undefined : new TurboArtifacts(root, folder, say);
}

/** Brings what components compile to out of Turbo's caches, as far as it is not here yet. */
async function fromTurbo(turbo: TurboArtifacts, image: ImageDefinition, plan: Plan): Promise<void> {
  const { artifacts } = await readArtifacts(image, plan, say);
  const missing = compiled(plan, artifacts);
  if (missing.length > 0) await turbo.restore(plan.variant, missing);
}

/** Lets Turbo keep what was compiled, so that no other machine has to. Of what it gave and was bad, it has to forget. */
async function toTurbo(
  turbo: TurboArtifacts,
  { plan, artifacts, refused }: Components,
  parts: BuildRecord["parts"],
): Promise<void> {
  const fresh = compiled(plan, artifacts).filter((name) => parts.some(({ id }) => id === `stage/${name}`));
  const [bad, good] = [fresh.filter((name) => refused.has(name)), fresh.filter((name) => !refused.has(name))];
  if (good.length > 0) await turbo.save(plan.variant, good, false);
  if (bad.length > 0) await turbo.save(plan.variant, bad, true);
}

/**
 * The parts of a build that failed, with the last thing that the failed one said. Where the engine refused the build
 * before any part of it failed, none was reached but those that were built.
 */
function failedParts(parts: BuildRecord["parts"], { problems }: BuildFailure): BuildRecord["parts"] {
  const lines = problems.flatMap(({ message }) => message.split("\n").map((line) => line.trim())).filter(Boolean);
  const failed = parts.some(({ state }) => state === "failed");
  return parts.map((part) => {
    if (part.state === "failed") return { ...part, reason: lines.at(-1) ?? "" };
    return failed || part.state === "built" ? part : { ...part, state: "not reached" as const };
  });
}

/** Builds one variant on an engine: its base, its components, its layers, its tags. */
export async function buildVariant(
  engine: Engine,
  image: ImageDefinition,
  planned: Plan,
  prepared: Prepared,
  options: BuildOptions,
  cancelSignal: AbortSignal,
): Promise<BuildRecord> {
  const started = Date.now();
  const dialect = dialectFor(engine, options.dialect);
  const room = roomOf(image, planned.variant);
  const before = await readBuild(image, planned.variant);
  const given = options.base ?? process.env.STRATA_BASE;
  const [base, revision, site] = await Promise.all([
    ensureBase(engine, planned.base, {
      say,
      cancelSignal,
      ...(given ? { given } : {}),
      ...(options.refreshBase ? { refresh: true } : {}),
    }),
    revisionLabels(dirname(fileURLToPath(image.module))),
    readSite(planned.base.suite),
  ]);
  // What is compiled on another base than the image's own is nobody else's business.
  const turbo = given ? undefined : (options.turbo ?? turboArtifacts(image));
  if (turbo) await fromTurbo(turbo, image, planned);
  const components = await resolveComponents(image, planned, prepared, { folder: sourcesFolder(), say, cancelSignal });
  const { plan, artifacts } = components;
  for (const { fragment, reason } of plan.without) say(`building without ${fragment}: ${reason}`);
  const context = await writeContext(room, components, prepared, dialect);
  const parts = partsOf(plan, new Set(artifacts.keys()), dialect);
  const display = await BuildDisplay.open(
    `building ${plan.tags[0]} on ${base.reference} (${base.origin})`,
    stepOwners(parts),
  );
  const labels = { ...revision, "org.opencontainers.image.base.digest": base.digest };
  const reasons = before.plan ? explain(before.plan, plan) : new Map<string, string>();
  const recordOf = ({ id, size }: { id: string; size: number }, found: BuildRecord["parts"]): BuildRecord => ({
    schema: 1,
    image: plan.image,
    variant: plan.variant,
    tags: plan.tags,
    id,
    size,
    began: new Date(started).toISOString(),
    seconds: (Date.now() - started) / 1_000,
    engine: { client: engine.clientVersion, server: engine.serverVersion, dialect },
    base,
    without: plan.without,
    artifacts: [...artifacts].map(([fragment, { length }]) => ({ fragment, origin: "turbo", bytes: length })),
    parts: found,
  });
  try {
    const steps = await build(engine, {
      ...context,
      tags: plan.tags,
      args: { BASE_IMAGE: base.reference },
      labels,
      site,
      noCache: options.cache === false,
      onEvent: (event) => display.event(event),
      cancelSignal,
    });
    const count = plan.layers.reduce((sum, { dockerfile }) => sum + layerCount(dockerfile), 0);
    const [built, sizes] = await Promise.all([
      inspectImage(engine, plan.tags[0]!),
      layerSizes(engine, plan.tags[0]!, count),
    ]);
    if (!built) return fail(`image ${plan.tags[0]}`, "the engine built it, and expected it in its store, found none");
    // Without a cache every layer is built, also one that comes out as it was.
    const layers = options.cache === false ? undefined : { digests: built.layers, before: before.record?.parts ?? [] };
    const record = recordOf(built, recordParts(parts, reportLayers(parts, steps), sizes, reasons, layers));
    if (before.record) await writeJson(join(room, "previous.json"), before.record);
    await writeJson(join(room, "image.json"), plan);
    await writeJson(join(room, "build.json"), record);
    await rm(join(room, FAILED), { force: true });
    if (turbo) await toTurbo(turbo, components, record.parts);
    return record;
  } catch (error) {
    if (error instanceof BuildFailure) {
      const found = recordParts(parts, reportLayers(parts, error.steps), undefined, reasons);
      const record = recordOf({ id: "", size: 0 }, failedParts(found, error));
      // Why the build failed matters more than that its record could not be kept.
      await writeJson(join(room, FAILED), record).catch(() => undefined);
    }
    throw error;
  } finally {
    display.stop();
  }
}
