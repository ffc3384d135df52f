import { type Dialect, prepareImage } from "@strata/assembler";
import { findEngine } from "@strata/engine";
import pc from "picocolors";
import { type BuildOptions, buildVariant, turboArtifacts } from "../build-variant.js";
import { megabytes, say, sayEmitted, seconds, table } from "../output.js";
import type { BuildRecord } from "../report/record.js";
import { select } from "../workspace.js";

/** Options of `strata image`. */
export interface ImageOptions extends BuildOptions {
  readonly json?: boolean;
  readonly dialect?: Dialect;
}

function recordText(record: BuildRecord): string {
  const paint = {
    cached: pc.dim,
    built: pc.green,
    failed: pc.red,
    "not reached": pc.yellow,
  };
  // The metadata makes no layer; what becomes of it shows in the image itself.
  const parts = record.parts.filter(({ kind }) => kind !== "metadata");
  const rows = parts.map(({ id, state, seconds: own }) => [`  ${id}`, state, state === "built" ? seconds(own) : ""]);
  const lines = table(rows).split("\n");
  const painted = lines.map((line, index) => paint[parts[index]!.state](line));
  const [first, ...others] = record.tags;
  const also = others.length > 0 ? `, also ${others.map((tag) => tag.slice(tag.lastIndexOf(":"))).join(" ")}` : "";
  const without = record.without.map(({ fragment }) => fragment).join(", ");
  return [
    ...painted,
    `${pc.bold(first!)}  ${megabytes(record.size)} in ${seconds(record.seconds)}${also}`,
    ...(without ? [pc.yellow(`  without ${without}, whose sources could not be had`)] : []),
  ].join("\n");
}

/** `strata image`: renders, and lets an engine build. What was cached and what was built is told by layer. */
export async function imageCommand(
  words: readonly string[],
  options: ImageOptions,
  cancelSignal: AbortSignal,
): Promise<void> {
  // Asked while the definitions are read. What is wrong with those is told first.
  const searching = findEngine();
  searching.catch(() => undefined);
  const { image, variants } = await select(process.cwd(), words, "built");
  const prepared = await prepareImage(image, variants, sayEmitted);
  const engine = await searching;
  const turbo = turboArtifacts(image);
  const records: BuildRecord[] = [];
  for (const plan of prepared.plans) {
    const record = await buildVariant(engine, image, plan, prepared, { ...options, turbo }, cancelSignal);
    records.push(record);
    if (!options.json) say(recordText(record));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
}
