import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildImage, type ImageDefinition, type Plan, variantFolder } from "@strata/assembler";
import {
  type Base,
  build,
  type Engine,
  ensureBase,
  findEngine,
  type ImageDetails,
  inspectImage,
  type LayerReport,
  type Part,
  readSite,
  reportLayers,
  stepOwners,
} from "@strata/engine";
import { replaceFolder } from "@strata/fragment";
import pc from "picocolors";
import { BuildDisplay, megabytes, say, sayEmitted, seconds, table } from "../output.js";
import { revisionLabels } from "../revision.js";
import { select } from "../workspace.js";

/** Options of `strata image`. */
export interface ImageOptions {
  readonly json?: boolean;
  readonly cache?: boolean;
  readonly base?: string;
  readonly refreshBase?: boolean;
}

/** What became of a build, kept in .strata/<variant>/build.json beside the image. */
export interface BuildRecord {
  readonly tags: readonly string[];
  readonly id: string;
  readonly size: number;
  readonly base: Base;
  readonly seconds: number;
  readonly layers: readonly LayerReport[];
}

const STAGE_PREFIX = "files/";

/** The parts of the rendered Dockerfile, as the engine will name their steps. */
export function partsOf(plan: Plan): Part[] {
  const stages = plan.stages.map(({ id, dockerfile }) => ({
    id: `${STAGE_PREFIX}${id}`,
    stage: id,
    dockerfile,
  }));
  return [
    ...stages,
    ...plan.layers.map(({ id, dockerfile }) => ({
      id,
      stage: "final",
      dockerfile,
    })),
  ];
}

/** Builds one variant on an engine: its base, its layers, its tags. */
export async function buildVariant(
  engine: Engine,
  image: ImageDefinition,
  plan: Plan,
  options: ImageOptions,
  cancelSignal: AbortSignal,
): Promise<BuildRecord> {
  const began = Date.now();
  const given = options.base ?? process.env.STRATA_BASE;
  const base = await ensureBase(engine, plan.base, {
    say,
    cancelSignal,
    ...(given ? { given } : {}),
    ...(options.refreshBase ? { refresh: true } : {}),
  });
  const parts = partsOf(plan);
  const display = new BuildDisplay(`building ${plan.tags[0]} on ${base.reference} (${base.origin})`, stepOwners(parts));
  const folder = variantFolder(image, plan.variant);
  const labels = {
    ...(await revisionLabels(dirname(folder))),
    "org.opencontainers.image.base.digest": base.digest,
  };
  try {
    const steps = await build(engine, {
      folder,
      tags: plan.tags,
      args: { BASE_IMAGE: base.reference },
      labels,
      site: await readSite(plan.base.suite),
      noCache: options.cache === false,
      onEvent: (event) => display.event(event),
      cancelSignal,
    });
    const built = (await inspectImage(engine, plan.tags[0]!)) as ImageDetails;
    const record: BuildRecord = {
      tags: plan.tags,
      id: built.id,
      size: built.size,
      base,
      seconds: (Date.now() - began) / 1_000,
      layers: reportLayers(parts, steps),
    };
    const records = join(dirname(fileURLToPath(image.module)), ".strata", plan.variant);
    await replaceFolder(records, new Map([["build.json", `${JSON.stringify(record, null, 2)}\n`]]));
    return record;
  } finally {
    display.stop();
  }
}

function recordText(record: BuildRecord): string {
  const paint = {
    cached: pc.dim,
    built: pc.green,
    failed: pc.red,
    "not reached": pc.yellow,
  };
  // What becomes of a stage shows in the layer that is copied from it.
  const layers = record.layers.filter(({ id }) => !id.startsWith(STAGE_PREFIX));
  const rows = layers.map(({ id, state, seconds: own }) => [`  ${id}`, state, state === "built" ? seconds(own) : ""]);
  const lines = table(rows).split("\n");
  const painted = lines.map((line, index) => paint[layers[index]!.state](line));
  const [first, ...others] = record.tags;
  const also = others.length > 0 ? `, also ${others.map((tag) => tag.slice(tag.lastIndexOf(":"))).join(" ")}` : "";
  return [...painted, `${pc.bold(first!)}  ${megabytes(record.size)} in ${seconds(record.seconds)}${also}`].join("\n");
}

/** `strata image`: renders, and lets an engine build. What was cached and what was built is told by layer. */
export async function imageCommand(
  words: readonly string[],
  options: ImageOptions,
  cancelSignal: AbortSignal,
): Promise<void> {
  const { image, variants } = await select(process.cwd(), words, true);
  const plans = await buildImage(image, variants, sayEmitted);
  const engine = await findEngine();
  const records: BuildRecord[] = [];
  for (const plan of plans) {
    const record = await buildVariant(engine, image, plan, options, cancelSignal);
    records.push(record);
    if (!options.json) say(recordText(record));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
}
