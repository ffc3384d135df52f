import { setTimeout as sleep } from "node:timers/promises";
import type { History, Look } from "./history.js";
import { type Address, Line } from "./line.js";

const PERIOD = 150;
const LIMIT = 1_000;

// A replica's timeline is the one it receives: none while it does not stream.
const WHO = `select pg_is_in_recovery() as recovery, case when pg_is_in_recovery()
    then (select received_tli from pg_stat_wal_receiver where status = 'streaming')
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end as timeline`;

/** What one question told. */
type Answer = Pick<Look, "role" | "timeline">;

/** Asks a node again and again what it is, directly, and records the answers. */
export abstract class Watcher {
  #stopping = false;
  #done: Promise<void> | undefined;

  constructor(
    readonly node: string,
    private readonly history: History,
  ) {}

  /** Begins to ask. */
  start(): this {
    this.#done = this.#run();
    return this;
  }

  /** Ends after the question that is on its way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    this.hangUp();
  }

  /** One question; raises where there is no answer. */
  protected abstract ask(): Promise<Answer>;

  /** Lets go of what the questions need. */
  protected hangUp(): void {}

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const asked = this.history.now();
      const answer = await this.ask().catch((): Answer => {
        this.hangUp();
        return { role: "none" };
      });
      this.history.looks.push({ node: this.node, asked, answered: this.history.now(), ...answer });
      await sleep(Math.max(20, PERIOD - (this.history.now() - asked)));
    }
  }
}

/** Watches a PostgreSQL server over a connection of its own. */
export class ServerWatcher extends Watcher {
  #line: Line | undefined;

  constructor(
    node: string,
    history: History,
    private readonly address: Address,
  ) {
    super(node, history);
  }

  protected override async ask(): Promise<Answer> {
    this.#line ??= await Line.open(this.address, LIMIT);
    const [row] = await this.#line.ask<{ recovery: boolean; timeline: number | null }>(WHO, [], LIMIT);
    const role = row!.recovery ? "follower" : "leader";
    return row!.timeline === null ? { role } : { role, timeline: row!.timeline };
  }

  protected override hangUp(): void {
    this.#line?.close();
    this.#line = undefined;
  }
}

/** Watches a node of etcd over its HTTP interface; one without a leader is no member of anything. */
export class StoreWatcher extends Watcher {
  constructor(
    node: string,
    history: History,
    private readonly port: number,
  ) {
    super(node, history);
  }

  protected override async ask(): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/v3/maintenance/status`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(LIMIT),
    });
    const status = (await answer.json()) as { header: { member_id: string }; leader?: string };
    if (!answer.ok || !status.leader || status.leader === "0") throw new Error("no leader");
    return { role: status.leader === status.header.member_id ? "leader" : "follower" };
  }
}
