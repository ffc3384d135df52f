// A cluster under load, broken round by round, and judged after each.
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../law/random.js";
import {
  compare,
  type Fates,
  longestSilence,
  type Overlap,
  overlaps,
  type Succession,
  succession,
  takeovers,
} from "./checker.js";
import { type Cluster, SERVERS } from "./cluster.js";
import { between, type Moment } from "./history.js";
import { askOnce } from "./line.js";
import type { Scenario, Scene } from "./scenarios.js";
import { Writer } from "./writer.js";

/** What came of a round. */
export interface Outcome {
  readonly round: number;
  readonly scenario: Scenario;
  readonly from: Moment;
  readonly to: Moment;
  readonly leaders: readonly [before: string, after: string];
  /** How often another server took over. */
  readonly failovers: number;
  /** The longest time without an acknowledged write through the proxy, in seconds. */
  readonly silence: number;
  readonly fates: Fates;
  readonly succession: Succession;
  readonly overlaps: readonly Overlap[];
  /** Whatever else is not as it has to be; empty where all is well. */
  readonly faults: readonly string[];
}

/** How a session loads its cluster. */
export interface Load {
  /** Writers through the proxy, and the commits a second of each. */
  readonly writers: number;
  readonly rate: number;
}

/** The limit of a write, in milliseconds, after which its writer takes another connection. */
const LIMIT = 3_000;
/** The commits a second of the writers that go to each node directly. */
const DIRECT_RATE = 10;
const PATIENCE = 60_000;

/** Rounds on one cluster. */
export class Session {
  readonly outcomes: Outcome[] = [];

  constructor(
    readonly cluster: Cluster,
    private readonly random: Random,
    private readonly load: Load = { writers: 4, rate: 40 },
  ) {}

  /** Breaks the cluster in one way, heals it, waits until it is whole, and compares what is there with what was said. */
  async round(scenario: Scenario): Promise<Outcome> {
    const { cluster } = this;
    const { history } = cluster;
    const round = this.outcomes.length + 1;
    const leader = await cluster.converged();
    const before = this.#timelineOf(leader);
    const since = new Date().toISOString();
    const from = history.now();
    const writers = this.#writers(round).map((writer) => writer.start());
    const scene: Scene = {
      cluster,
      leader,
      replicas: SERVERS.filter((node) => node !== leader),
      random: this.random,
    };
    const faults: string[] = [];
    let struck = from;
    let after = leader;
    try {
      await this.#until("writes before the failure", () => this.#acknowledged(from, 0) >= 40);
      await sleep(1_000);
      struck = history.mark("failure", scenario.title);
      await scenario.strike(scene);
      if (scenario.failover === "yes")
        await this.#until("a write on a new timeline", () => this.#acknowledged(struck, before + 1) > 0);
      await sleep(Math.max(0, scenario.holds * 1_000 - (history.now() - struck)));
      if (scenario.heal) {
        history.mark("heal", "healed");
        await scenario.heal(scene);
      }
      after = await cluster.converged();
      const whole = history.mark("note", "whole");
      await this.#until("writes after the failure", () => this.#acknowledged(whole, before) >= 40);
    } finally {
      await Promise.all(writers.map((writer) => writer.stop()));
    }
    faults.push(...((await scenario.inspect?.(scene, since)) ?? []));
    await this.#quiet(after);
    const rows = await cluster.rows(after, round);
    const to = history.now();
    const part = between(history, from, to);
    const failovers = takeovers(part.looks);
    const proxied = part.writes.filter(({ writer }) => writer.includes("proxy"));
    const silence = longestSilence(proxied, struck, to);
    const { failover, resumes } = scenario;
    if (failover === "yes" && failovers === 0) faults.push("expected another leader, found the same");
    if (failover === "no" && failovers > 0) faults.push("expected the same leader, found another");
    if (resumes !== undefined && silence > resumes)
      faults.push(`expected writes to resume within ${resumes} s, found ${silence.toFixed(1)} s without any`);
    const outcome: Outcome = {
      ...{ round, scenario, from, to, failovers, silence, faults },
      leaders: [leader, after],
      fates: compare(part.writes, rows),
      succession: succession(part.writes),
      overlaps: overlaps(part.looks),
    };
    this.outcomes.push(outcome);
    return outcome;
  }

  /** All rows of all rounds, compared once more at the end: what was there after its round must not go later. */
  async whole(): Promise<{ fates: Fates; succession: Succession }> {
    const leader = await this.cluster.converged();
    const { writes } = this.cluster.history;
    return { fates: compare(writes, await this.cluster.rows(leader)), succession: succession(writes) };
  }

  #writers(round: number): Writer[] {
    const { cluster, load } = this;
    const manner = { round, limit: LIMIT };
    return [
      ...Array.from(
        { length: load.writers },
        (_, index) => new Writer(`proxy${index + 1}`, cluster.history, cluster.proxy, { ...manner, rate: load.rate }),
      ),
      ...SERVERS.map(
        (node) => new Writer(node, cluster.history, cluster.direct(node), { ...manner, rate: DIRECT_RATE, node }),
      ),
    ];
  }

  #timelineOf(node: string): number {
    const look = this.cluster.history.looks.findLast((one) => one.node === node && one.timeline !== undefined);
    if (look?.timeline === undefined) throw new Error(`${node}: expected it on a timeline, found it on none`);
    return look.timeline;
  }

  /** How many writes were begun and acknowledged since a moment, on a timeline or a newer one. */
  #acknowledged(since: Moment, timeline: number): number {
    const { writes } = this.cluster.history;
    let count = 0;
    for (let at = writes.length - 1; at >= 0 && writes[at]!.ended >= since; at--) {
      const write = writes[at]!;
      if (write.fate === "acknowledged" && write.began >= since && (write.timeline ?? 0) >= timeline) count++;
    }
    return count;
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`expected ${what} within ${PATIENCE / 1_000} s, found none`);
      await sleep(50);
    }
  }

  /** Waits until no write is under way that its writer has given up. */
  async #quiet(leader: string): Promise<void> {
    const text =
      "select count(*)::integer as count from pg_stat_activity where state = 'active' and query like 'insert into writes%'";
    for (let times = 0; times < 100; times++) {
      const [row] = await askOnce<{ count: number }>(this.cluster.direct(leader), text);
      if (row!.count === 0) return;
      await sleep(100);
    }
    throw new Error(`${leader}: expected no write under way within 10 s of the last, found some`);
  }
}
