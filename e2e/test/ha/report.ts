// What a run says of itself: lines while it goes on, a table at the end, pictures. Plain text.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Fates, type Succession, succession } from "./checker.js";
import { type Cluster, SERVERS, STORES } from "./cluster.js";
import type { Write } from "./history.js";
import { picture } from "./picture.js";
import type { Outcome } from "./session.js";

/** Where pictures and logs go. */
export const REPORTS = fileURLToPath(new URL("../../reports/ha", import.meta.url));

const one = (value: number): string => value.toFixed(1);
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** What is wrong with rows and timelines, one line for each, in words. */
export function complaints(fates: Fates, { stale }: Succession): string[] {
  return [
    ...fates.lost.map(({ write, missingOn }) => {
      const { writer, sequence, ended, server, timeline } = write;
      const where = `acknowledged by ${server} on timeline ${timeline} at ${one(ended / 1_000)} s`;
      return `lost: row ${sequence} of writer ${writer}, ${where}, is missing on ${missingOn.join(", ")}`;
    }),
    ...fates.strange.map((text) => `strange: ${text}`),
    ...stale.map(
      ({ old, newer }) =>
        `two primaries: ${old.server} acknowledged on timeline ${old.timeline} a commit begun at ${one(old.began / 1_000)} s, ` +
        `after ${newer.server} had on timeline ${newer.timeline} at ${one(newer.ended / 1_000)} s`,
    ),
  ];
}

/** What can be said of a run whose rows cannot be compared, because the cluster did not become whole: was there one primary? */
export function suspicions(writes: readonly Write[]): string[] {
  const none = { acknowledged: 0, refused: 0, unknown: { present: 0, absent: 0 }, lost: [], strange: [] };
  const found = complaints(none, succession(writes));
  return found.length > 5 ? [...found.slice(0, 5), `and ${found.length - 5} more`] : found;
}

/** A line that says how a round ended. */
export function summary(outcome: Outcome): string {
  const { round, scenario, leaders, failovers, silence, fates, succession, overlaps, faults } = outcome;
  const { acknowledged, unknown, refused, lost } = fates;
  const longest = Math.max(0, ...overlaps.map(({ milliseconds }) => milliseconds));
  return [
    `round ${round}: ${scenario.title}`,
    `leader ${leaders[0]}${leaders[0] === leaders[1] ? "" : ` to ${leaders[1]}`}, ${failovers} failover${failovers === 1 ? "" : "s"}`,
    `${one(silence)} s without writes`,
    `${acknowledged} acknowledged, ${lost.length} lost, ${refused} refused`,
    `${unknown.present + unknown.absent} unknown (${unknown.present} there)`,
    ...(longest > 0 ? [`two out of recovery for ${Math.round(longest)} ms`] : []),
    ...(succession.stale.length > 0 ? [`${succession.stale.length} ACKNOWLEDGED BY A STALE PRIMARY`] : []),
    ...faults.map((fault) => `FAULT: ${fault}`),
  ].join("; ");
}

/** The middle of some numbers. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : ((sorted[half - 1] ?? Number.NaN) + sorted[half]!) / 2;
}

/** Cells in columns, as a Markdown table. */
function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]!.length)));
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [row(head), row(widths.map((width) => "-".repeat(width))), ...lines.map(row)].join("\n");
}

/** One line of the table: several rounds under a name. */
function line(name: string, outcomes: readonly Outcome[]): string[] {
  const silences = outcomes.map(({ silence }) => silence);
  const overlaps = outcomes.flatMap((outcome) => outcome.overlaps.map(({ milliseconds }) => milliseconds));
  return [
    name,
    String(outcomes.length),
    String(sum(outcomes.map(({ failovers }) => failovers))),
    `${one(median(silences))} / ${one(Math.max(...silences))}`,
    String(sum(outcomes.map(({ fates }) => fates.acknowledged))),
    String(sum(outcomes.map(({ fates }) => fates.lost.length))),
    String(sum(outcomes.map(({ succession }) => succession.stale.length))),
    String(sum(outcomes.map(({ succession }) => succession.late))),
    overlaps.length === 0 ? "none" : `${overlaps.length}, up to ${Math.round(Math.max(...overlaps))} ms`,
  ];
}

/** The table at the end of a run. */
export function results(outcomes: readonly Outcome[]): string {
  const head = [
    "failure",
    "rounds",
    "failovers",
    "s without writes, median / max",
    "acknowledged",
    "lost",
    "by a stale primary",
    "late answers",
    "two out of recovery",
  ];
  const kinds = [...new Set(outcomes.map(({ scenario }) => scenario))];
  const lines = kinds.map((kind) =>
    line(
      kind.title,
      outcomes.filter(({ scenario }) => scenario === kind),
    ),
  );
  return table(head, [...lines, line("all", outcomes)]);
}

/** Draws a stretch of a run into the folder of reports, and gives the file's path. */
export async function draw(
  cluster: Cluster,
  name: string,
  title: string,
  subtitle: string,
  [from, to]: readonly [number, number] = [0, cluster.history.now()],
): Promise<string> {
  const frame = { title, subtitle, from, to, servers: SERVERS, stores: STORES };
  await mkdir(REPORTS, { recursive: true });
  const file = join(REPORTS, `${name}.svg`);
  await writeFile(file, picture(cluster.history, frame));
  return file;
}

/** Keeps what every container logged, and what is on the disks, for whoever asks why; gives the folder. */
export async function keepLogs(cluster: Cluster, name: string): Promise<string> {
  const folder = join(REPORTS, `${name}-logs`);
  await mkdir(folder, { recursive: true });
  for (const node of [...SERVERS, ...STORES, "proxy"])
    await writeFile(join(folder, `${node}.log`), await cluster.fleet.logs(node));
  await writeFile(join(folder, "disks.txt"), await cluster.disks());
  return folder;
}
