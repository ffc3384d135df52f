import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";

/** Writes one row after the other, with a new connection after each failure, and keeps what was acknowledged. */
export class Writer {
  readonly acknowledged: number[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  /** Writes into the column id of a table until it is stopped; `make` gives a client that is not connected yet. */
  constructor(
    private readonly make: () => Client,
    private readonly table: string,
  ) {
    this.#done = this.#write();
  }

  async #write(): Promise<void> {
    let client = this.make();
    let connected = false;
    for (let id = 1; !this.#stopped; id++) {
      try {
        if (!connected) await client.connect();
        connected = true;
        await client.query(`insert into ${this.table} values ($1)`, [id]);
        this.acknowledged.push(id);
      } catch {
        // Not waited for: where packets are lost, the end of a connection takes its time.
        client.end().catch(() => undefined);
        client = this.make();
        connected = false;
        await sleep(100);
      }
    }
    client.end().catch(() => undefined);
  }

  /** Waits until so many more rows were acknowledged. */
  async more(rows: number, seconds = 60): Promise<void> {
    const wanted = this.acknowledged.length + rows;
    for (const end = Date.now() + seconds * 1_000; this.acknowledged.length < wanted; await sleep(50))
      if (Date.now() > end) throw new Error(`expected ${rows} more rows within ${seconds} s, found fewer`);
  }

  /** A query that gives the acknowledged rows that are not there, or null. */
  get lost(): string {
    return `select string_agg(id::text, ' ') from unnest('{${this.acknowledged.join()}}'::int[]) as id
      where id not in (select id from ${this.table})`;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}
