import { atLeast, judge, summarise } from "../statistics.ts";
import type { BuildRecord, Sample } from "./workspace.ts";

/** State of a cache before a build: it knows everything but the edit, or nothing at all. */
export type State = "warm" | "cold";

/** What was measured of one class of edits with both caches in one state. */
export interface Cell {
  readonly edit: string;
  readonly turbo: State;
  readonly engine: State;
  readonly ours: readonly Sample[];
  /** Seconds of the classic Dockerfile for the same edits. */
  readonly classic: readonly number[];
}

/** What became of a replay of edits: parts that the law lets stay, and those of them that the engine had. */
export interface Replay {
  readonly edits: number;
  readonly allowed: number;
  readonly kept: number;
}

/** Everything that a run has measured; what was left out is not in it. */
export interface Results {
  readonly cells: readonly Cell[];
  readonly floor: readonly number[];
  readonly replay?: Replay;
  /** Why no component's release was changed. */
  readonly noComponent?: string;
}

/** Parts of a build that the engine made anew; the base and the metadata are no work. */
const built = ({ parts }: BuildRecord, stages: boolean): string[] =>
  parts
    .filter(
      ({ id, kind, state }) =>
        state === "built" && kind !== "base" && kind !== "metadata" && id.startsWith("stage/") === stages,
    )
    .map(({ id }) => id.slice(id.indexOf("/") + 1));

/** Stages that ran, and of those only the ones in which something is compiled or installed. */
export function stagesRun(record: BuildRecord): { all: string[]; compilers: string[] } {
  const artifacts = new Set(record.artifacts.map(({ fragment }) => fragment));
  const all = built(record, true);
  return {
    all: all.map((name) => (artifacts.has(name) ? `${name} (its artifact)` : name)),
    compilers: all.filter((name) => !artifacts.has(name)),
  };
}

/** Of the parts that the law lets stay, how many the engine had, and which it had not. */
export function kept({ parts }: Pick<BuildRecord, "parts">, lawful: ReadonlySet<string>) {
  const allowed = parts.filter(({ id, kind }) => kind !== "base" && kind !== "metadata" && !lawful.has(id));
  const lost = allowed.filter(({ state }) => state !== "cached").map(({ id }) => id);
  return { allowed: allowed.length, kept: allowed.length - lost.length, lost };
}

/** Seconds with as many digits as they deserve. */
const seconds = (value: number): string => value.toFixed(value < 10 ? 2 : 0);

/** The median of some seconds and the range of their middle half; one of one value is that value. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return "";
  const { median, low, high } = summarise(values);
  return values.length === 1 ? `${seconds(median)} s` : `${seconds(median)} s (${seconds(low)} to ${seconds(high)})`;
}

const median = (values: readonly number[]): number => summarise(values).median;
const totals = (cell: Cell | undefined): number => (cell ? median(cell.ours.map(({ total }) => total)) : Number.NaN);

export const HEAD = [
  ...["edit", "Turbo", "engine", "end to end", "Turbo + Strata + engine", "tasks run", "stages run", "layers built"],
  ...["classic", "classic / ours"],
];

/** The line of the table for a cell. What ran is that of its last build. */
export function cellLine(cell: Cell): string[] {
  const part = (key: "turbo" | "strata" | "engine"): string => seconds(median(cell.ours.map((sample) => sample[key])));
  const last = cell.ours.at(-1)!;
  const layers = built(last.record, false);
  return [
    ...[cell.edit, cell.turbo, cell.engine, spread(cell.ours.map(({ total }) => total))],
    `${part("turbo")} + ${part("strata")} + ${part("engine")}`,
    String(last.tasks),
    stagesRun(last.record).all.join(", ") || "none",
    String(layers.length),
    spread(cell.classic),
    cell.classic.length > 0 ? (median(cell.classic) / totals(cell)).toFixed(2) : "",
  ];
}

/** A line of the table of aims: what, what was found, whether it is met. */
type Aim = readonly [what: string, found: string, verdict: string];
const ratio = (value: number): string => value.toFixed(2);
/** What is said of an aim that this run has no numbers for. */
export const MISSING = "not measured";

function aimOf(what: string, value: number, found: string, verdict: string): Aim {
  return Number.isNaN(value) ? [what, MISSING, ""] : [what, found, verdict];
}

/** The aims of the project, each with what was found. */
export function aims({ cells, floor, replay, noComponent }: Results): Aim[] {
  const find = (edit: RegExp, turbo: State, engine: State): Cell | undefined =>
    cells.find((cell) => edit.test(cell.edit) && cell.turbo === turbo && cell.engine === engine);
  const edit = find(/^line in entrypoint/, "warm", "warm");
  const nothing = find(/^nothing/, "warm", "warm");
  const version = find(/^release of/, "warm", "warm");
  const cold = find(/^nothing/, "cold", "cold");
  const restored = find(/^nothing/, "warm", "cold");
  const [one, all, other] = [totals(edit), totals(cold), totals(restored)];
  const own = nothing ? median(nothing.ours.map(({ turboOwn }) => turboOwn)) : Number.NaN;
  const tasks = nothing ? Math.max(...nothing.ours.map((sample) => sample.tasks)) : Number.NaN;
  const engineAlone = edit ? median(edit.ours.map(({ engine }) => engine)) : Number.NaN;
  const least = median(floor);
  const lines: Aim[] = [
    aimOf(
      "entrypoint edit, end to end / floor",
      one / least,
      `${seconds(one)} s / ${seconds(least)} s = ${ratio(one / least)}`,
      judge(one / least, 2),
    ),
    aimOf(
      "of that the engine / floor",
      engineAlone / least,
      `${seconds(engineAlone)} s / ${seconds(least)} s = ${ratio(engineAlone / least)}`,
      "",
    ),
    aimOf(
      "all cold / entrypoint edit",
      all / one,
      `${seconds(all)} s / ${seconds(one)} s = ${ratio(all / one)}`,
      atLeast(all / one, 100),
    ),
    aimOf(
      "nothing changed: Turbo's own seconds",
      own,
      `${ratio(own)} s, ${tasks} tasks ran`,
      tasks === 0 ? judge(own, 1) : "MISSED: expected none to run",
    ),
  ];
  if (version) {
    const ran = [...new Set(version.ours.flatMap(({ record }) => stagesRun(record).compilers))];
    const alone = ran.length === 1 && version.edit.endsWith(ran[0]!);
    lines.push([`${version.edit}: only its stage runs`, ran.join(", ") || "none", alone ? "met" : "MISSED"]);
  } else
    lines.push(["one component's release: only its stage runs", noComponent ?? MISSING, noComponent ? "skipped" : ""]);
  if (restored) {
    const ran = restored.ours.flatMap(({ record }) => stagesRun(record).compilers);
    lines.push([
      "engine cold, Turbo warm: no compiler runs",
      ran.join(", ") || "none ran",
      ran.length === 0 ? "met" : "MISSED",
    ]);
  }
  const before = cold ? median(cold.classic) : Number.NaN;
  const coldEngine = cold ? median(cold.ours.map(({ engine }) => engine)) : Number.NaN;
  const share = replay ? replay.kept / replay.allowed : Number.NaN;
  lines.push(
    aimOf(
      "all cold / engine cold and Turbo warm",
      all / other,
      `${seconds(all)} s / ${seconds(other)} s = ${ratio(all / other)}`,
      atLeast(all / other, 5),
    ),
    aimOf(
      "classic, cold / all cold",
      before / all,
      `${seconds(before)} s / ${seconds(all)} s = ${ratio(before / all)}`,
      atLeast(before / all, 1),
    ),
    aimOf(
      "classic, cold / of all cold the engine",
      before / coldEngine,
      `${seconds(before)} s / ${seconds(coldEngine)} s = ${ratio(before / coldEngine)}`,
      "",
    ),
    aimOf(
      `replay of ${replay?.edits ?? 0} edits: cached of what the law lets stay`,
      share,
      `${replay?.kept} of ${replay?.allowed} = ${ratio(share)}`,
      atLeast(share, 0.95),
    ),
  );
  return lines;
}
