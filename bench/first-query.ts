// When a server in a container answers for the first time: what start.ts and citus.ts time.
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, type Engine } from "@strata/engine";
import { Client } from "pg";

const PATIENCE = 60_000;

/** Who asks, and what. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A port that was free a moment ago. Asking the engine for its choice would take time that counts. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });

/** Gives true if a PostgreSQL server answers a request for TLS (with yes or no) within some milliseconds. */
const isThere = (port: number, limit: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(end, limit, false);
    socket.once("connect", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });

/**
 * Asks the server of a container at a port of 127.0.0.1 until it answers a query; gives the moment (performance.now()).
 * Raises after a minute, with the container's last lines.
 */
export async function firstQuery(engine: Engine, name: string, port: number, login: Login): Promise<number> {
  const end = performance.now() + PATIENCE;
  let why = "nothing listens";
  for (let limit = 20; performance.now() < end; limit = Math.min(limit * 1.02, 1_000)) {
    if (!(await isThere(port, limit))) {
      await sleep(2);
      continue;
    }
    const client = new Client({ host: "127.0.0.1", port, ...login });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("select 1");
      return performance.now();
    } catch (error) {
      why = (error as Error).message;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  const { stderr } = await attempt(engine.client, ["logs", "--tail", "5", name]);
  throw new Error(`${name} did not answer within ${PATIENCE / 1_000} s: ${why}; its last lines:\n${stderr}`);
}
