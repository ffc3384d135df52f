import { setTimeout as sleep } from "node:timers/promises";
import type { History, Write } from "./history.js";
import { type Address, isRefusal, Line } from "./line.js";

/** The table that the writers fill. */
export const TABLE = "create table if not exists writes (round integer, writer text, sequence bigint)";

// Every row is a transaction of its own. The timeline is asked with it, because a connection may outlive a promotion.
const INSERT = `insert into writes values ($1, $2, $3)
  returning ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer as timeline`;

/** How a writer works. */
export interface Manner {
  readonly round: number;
  /** Commits a second, at most. */
  readonly rate: number;
  /** Milliseconds after which it gives a write up. */
  readonly limit: number;
  /** The node that it talks to directly; without one it goes through the proxy and asks who answers. */
  readonly node?: string;
}

/** The reason of an error in one line. */
const said = (error: unknown): string => ((error as Error).message || String(error)).split("\n")[0]!;

/** Commits rows without a pause, and records what it is told of each. */
export class Writer {
  /** Its name in the record: that of the round comes first. */
  readonly name: string;
  #sequence = 0;
  #stopping = false;
  #done: Promise<void> | undefined;

  constructor(
    private readonly of: string,
    private readonly history: History,
    private readonly address: Address,
    private readonly manner: Manner,
  ) {
    this.name = `${manner.round}/${of}`;
  }

  /** Begins to write. */
  start(): this {
    this.#done = this.#run();
    return this;
  }

  /** Ends after the write that is on its way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const began = this.history.now();
      try {
        const line = await Line.open(this.address);
        try {
          await this.#work(line);
        } finally {
          line.close();
        }
      } catch (error) {
        // A server that is down, or a replica, refuses whoever asks it directly: that is no news.
        if (!this.manner.node) this.#record({ began, fate: "refused", reason: `no connection: ${said(error)}` });
      }
      if (!this.#stopping) await sleep(100);
    }
  }

  /** Writes until the connection is lost, or the server says that it takes no writes. */
  async #work(line: Line): Promise<void> {
    const server = this.manner.node ?? (await this.#whoAnswers(line));
    while (this.manner.node && !this.#stopping && (await this.#inRecovery(line))) await sleep(200);
    while (!this.#stopping) {
      const began = this.history.now();
      const sequence = ++this.#sequence;
      line.warning = undefined;
      try {
        const values = [this.manner.round, this.of, sequence];
        const [row] = await line.ask<{ timeline: number }>(INSERT, values, this.manner.limit);
        const timeline = row!.timeline;
        // The server warns when it gave up waiting for its standby: the row may be on its disk alone.
        if (line.warning === undefined) this.#record({ began, fate: "acknowledged", server, timeline }, sequence);
        else this.#record({ began, fate: "unknown", server, timeline, reason: line.warning }, sequence);
      } catch (error) {
        const fate = isRefusal(error) ? "refused" : "unknown";
        this.#record({ began, fate, server, reason: said(error) }, sequence);
        return;
      }
      const rest = 1_000 / this.manner.rate - (this.history.now() - began);
      if (rest > 0) await sleep(rest);
    }
  }

  async #whoAnswers(line: Line): Promise<string> {
    const [row] = await line.ask<{ name: string }>("select trim(e'\\n' from pg_read_file('/etc/hostname')) as name");
    return row!.name;
  }

  async #inRecovery(line: Line): Promise<boolean> {
    const [row] = await line.ask<{ recovery: boolean }>("select pg_is_in_recovery() as recovery");
    return row!.recovery;
  }

  #record(write: Omit<Write, "writer" | "sequence" | "ended">, sequence = ++this.#sequence): void {
    this.history.writes.push({ writer: this.name, sequence, ended: this.history.now(), ...write });
  }
}
