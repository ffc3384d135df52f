import { compare, judge } from "../statistics.ts";
import type { Accepted } from "./writer.ts";

/** What one round measures of one cluster, in seconds. */
export interface Round {
  /** From `docker run` of three empty nodes to one leader and two streaming replicas. */
  readonly start: number;
  /** From `docker kill` of the leader to the next accepted write. */
  readonly kill: number;
  /** From `docker start` of the killed one to its streaming. */
  readonly back: number;
  /** The gaps in accepted writes of some switchovers, one after the other. */
  readonly switchovers: readonly number[];
  /** The gap in accepted writes when the leader is stopped. */
  readonly stop: number;
  /** From `docker run` of an empty node to its streaming. */
  readonly replica: number;
  /** From `docker run` of a node of a new name to its streaming. */
  readonly more: number;
}

/** What happened under load. */
export interface LoadResult {
  readonly seconds: number;
  readonly clients: number;
  readonly promotions: number;
  readonly demotions: number;
  readonly tps: number;
  /** Why pgbench failed; empty when it did not. */
  readonly reason: string;
}

/** The head of the table. */
export const HEAD = ["what", "ours", "stock", "ratio", "aim"] as const;

/** Seconds within which a killed leader has to be followed. */
const KILL = 15;

/** The longest time between two accepted writes one after the other, of which the second came after a moment. */
export function longestGap(accepted: readonly Accepted[], since: number): number {
  const moments = accepted.map(({ at }) => at).sort((a, b) => a - b);
  const gaps = moments.flatMap((at, index) => (index > 0 && at > since ? [at - moments[index - 1]!] : []));
  return gaps.length > 0 ? Math.max(...gaps) : Number.NaN;
}

/** How often Patroni took the lead from a server, by what it says. */
export const demotions = (said: string): number => said.match(/Demoting self \(/g)?.length ?? 0;

/** What pgbench says of its speed. */
export const transactionsPerSecond = (said: string): number => Number(/^tps = ([\d.]+)/m.exec(said)?.[1] ?? Number.NaN);

/** The line of what must not happen under load. */
export function loadLine({ seconds, clients, promotions, demotions, tps, reason }: LoadResult): string[] {
  const what = `leader changes and demotions in ${seconds} s of pgbench, ${clients} clients`;
  const speed = reason ? `pgbench failed: ${reason}` : `${tps.toFixed(0)} transactions/s`;
  // Where no server was there to the end, something has happened, whatever was counted.
  const count = Math.max(promotions + demotions, reason ? 1 : 0);
  return [what, `${promotions} and ${demotions}; ${speed}`, "", "", judge(count, 0)];
}

/** The lines of the table. */
export function lines(ours: readonly Round[], stock: readonly Round[], load?: LoadResult): string[][] {
  const line = (what: string, values: (round: Round) => number | readonly number[], aim?: number): string[] =>
    compare(what, "s", 2, ours.flatMap(values), stock.flatMap(values), aim);
  const [slowest, theirs] = [ours, stock].map((rounds) => Math.max(...rounds.map(({ kill }) => kill))) as [
    number,
    number,
  ];
  return [
    line("docker kill of the leader, to the next accepted write", ({ kill }) => kill, 1),
    ["the same, slowest round", `${slowest.toFixed(2)} s`, `${theirs.toFixed(2)} s`, "", judge(slowest, KILL)],
    line("killed leader, from docker start to streaming", ({ back }) => back),
    line("switchover, gap in accepted writes", ({ switchovers }) => switchovers, 1.1),
    line("docker stop of the leader, gap in accepted writes", ({ stop }) => stop),
    line("empty replica, from docker run to streaming", ({ replica }) => replica, 1.1),
    line("one more node, from docker run to streaming", ({ more }) => more, 1.1),
    line("cold start, to a leader and two streaming replicas", ({ start }) => start, 1.1),
    ...(load ? [loadLine(load)] : []),
  ];
}
