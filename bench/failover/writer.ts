import { setTimeout as sleep } from "node:timers/promises";
import { type Address, close, connection } from "./line.ts";

/** A write that a node accepted: its commit was acknowledged. Moments are those of `performance.now()`. */
export interface Accepted {
  readonly node: string;
  readonly at: number;
}

/** The table that the writer fills. */
export const TABLE = "create table if not exists written (at timestamptz not null default clock_timestamp())";

/** Milliseconds from one try to the next, for each node. */
const EVERY = 40;
/** Milliseconds after which a try is given up. */
const LIMIT = 1_000;

/** Commits a row on every node again and again, each by a new connection, as a client that knows no leader. */
export class Writer {
  readonly accepted: Accepted[] = [];
  readonly #lanes: Promise<void>[];
  #stopping = false;

  constructor(nodes: ReadonlyMap<string, Address>) {
    this.#lanes = [...nodes].map(([node, address]) => this.#try(node, address));
  }

  /** The first write after a moment that one of the nodes meant accepted, if there is one yet. */
  first(since: number, meant: (node: string) => boolean = () => true): Accepted | undefined {
    return this.accepted.find(({ node, at }) => at > since && meant(node));
  }

  /** Ends after the tries that are on their way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#lanes);
  }

  async #try(node: string, address: Address): Promise<void> {
    while (!this.#stopping) {
      const began = performance.now();
      const client = connection(address, LIMIT);
      try {
        await client.connect();
        await client.query("insert into written default values");
        this.accepted.push({ node, at: performance.now() });
      } catch {
        // It is down, or a replica.
      } finally {
        close(client);
      }
      await sleep(Math.max(5, EVERY - (performance.now() - began)));
    }
  }
}
