import { Socket } from "node:net";
import { Client, type DatabaseError } from "pg";

/** Where a server is reached from here, and as whom. */
export interface Address {
  readonly port: number;
  readonly password: string;
}

/** Whether the server itself said no to a statement and lives on: then nothing of it was committed. */
export const isRefusal = (error: unknown): boolean => (error as Partial<DatabaseError>).severity === "ERROR";

/** A connection to a server on which every answer has a time limit; after one that was missed it is closed. */
export class Line {
  /** The last warning that the server sent, if any. */
  warning: string | undefined;
  readonly #client: Client;
  readonly #socket: Socket;

  private constructor(client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    // What is lost is told by the question that gets no answer.
    client.on("error", () => undefined);
    client.on("notice", (notice) => {
      if (notice.severity === "WARNING") this.warning = `${notice.message} ${notice.detail ?? ""}`.trim();
    });
  }

  /** Connects as the superuser, or raises why not. */
  static async open({ port, password }: Address, milliseconds = 2_000): Promise<Line> {
    const socket = new Socket();
    const client = new Client({
      ...{ host: "127.0.0.1", port, user: "postgres", password, database: "postgres" },
      connectionTimeoutMillis: milliseconds,
      application_name: "strata-e2e",
      stream: () => socket,
    });
    const line = new Line(client, socket);
    try {
      await client.connect();
      return line;
    } catch (error) {
      line.close();
      throw error;
    }
  }

  /** Asks, and raises where no answer comes within the limit. */
  async ask<T extends object>(text: string, values: unknown[] = [], milliseconds = 2_000): Promise<T[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${milliseconds} ms`));
        this.close();
      }, milliseconds);
    });
    try {
      return (await Promise.race([this.#client.query<T>(text, values), late])).rows;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes at once: a farewell would wait for a server that may be paused. */
  close(): void {
    this.#socket.destroy();
  }
}

/** Asks one question on a connection of its own. */
export async function askOnce<T extends object>(
  address: Address,
  text: string,
  values: unknown[] = [],
  milliseconds = 5_000,
): Promise<T[]> {
  const line = await Line.open(address, milliseconds);
  try {
    return await line.ask<T>(text, values, milliseconds);
  } finally {
    line.close();
  }
}
