import { Client } from "pg";

/** Where a server is reached, on 127.0.0.1. */
export interface Address {
  readonly port: number;
  readonly password: string;
}

/** A connection that gives up after some milliseconds, whatever it waits for. */
export function connection({ port, password }: Address, limit: number): Client {
  const client = new Client({
    ...{ host: "127.0.0.1", port, user: "postgres", password, database: "postgres" },
    ...{ connectionTimeoutMillis: limit, query_timeout: limit },
  });
  // What goes wrong is told to whoever asks.
  client.on("error", () => undefined);
  return client;
}

/** Closes one, without waiting for a server that may be gone. */
export const close = (client: Client): void => void client.end().catch(() => undefined);

/** What a server says of itself. */
export interface Look {
  readonly recovery: boolean;
  /** Names of the replicas that stream from it. */
  readonly streaming: readonly string[];
  /** The timeline that it writes; null on a replica. */
  readonly timeline: number | null;
}

const LOOK = `select pg_is_in_recovery() as recovery,
  array(select application_name::text from pg_stat_replication where state = 'streaming') as streaming,
  case when not pg_is_in_recovery()
    then ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end as timeline`;

/** Looks at one server again and again over one connection, which is opened anew when it was lost. */
export class Eye {
  #client: Client | undefined;

  constructor(private readonly address: Address) {}

  /** What the server says, or nothing. */
  async look(): Promise<Look | undefined> {
    try {
      if (!this.#client) {
        const client = connection(this.address, 400);
        this.#client = client;
        await client.connect();
      }
      const { rows } = await this.#client.query<Look>(LOOK);
      return rows[0];
    } catch {
      this.shut();
      return undefined;
    }
  }

  /** Closes the connection. */
  shut(): void {
    if (this.#client) close(this.#client);
    this.#client = undefined;
  }
}
