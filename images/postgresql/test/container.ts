import { setTimeout as sleep } from "node:timers/promises";
import { type Ended, type Given, Container as TestContainer } from "@strata/testing";
import { Client } from "pg";

export { type Ended, engine, type Given, HEALTHCHECK } from "@strata/testing";

/** The variants of the image with what each promises. */
export const VARIANTS = [
  { variant: "17-trixie", major: "17", tags: ["17", "latest"], base: "debian:trixie-slim", suite: "trixie" },
  { variant: "15-bookworm", major: "15", tags: ["15"], base: "debian:bookworm-slim", suite: "bookworm" },
] as const;

/** The reference of a variant; STRATA_TEST_IMAGE names another image to test, built somewhere else. */
export const imageOf = (variant: string): string =>
  `${process.env.STRATA_TEST_IMAGE ?? "strata/postgresql"}:${variant}`;

/** A container of the image, gone when the test is. */
export class Container extends TestContainer {
  /** Starts a container with its TCP port published on 127.0.0.1. */
  static async start(variant: string, given: Given = {}): Promise<Container> {
    return Container.of(imageOf(variant), 5432, given);
  }

  /** Runs a container that is expected to end by itself, and gives how it did. */
  static async run(variant: string, given: Given = {}, seconds = 60): Promise<Ended> {
    await using container = await Container.start(variant, given);
    return await container.ended(seconds);
  }

  /** Asks the server through its socket, as the superuser. */
  async sql(statement: string, user = "postgres", database = "postgres"): Promise<string> {
    const answer = await this.exec(
      "psql",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
      "-U",
      user,
      "-d",
      database,
      "-c",
      statement,
    );
    if (!answer.ok) throw new Error(answer.stderr);
    return answer.stdout.trim();
  }

  /** What `select version()` says to a client with this password, or undefined while no server answers. */
  private async asked(port: number, user: string, password: string, database: string): Promise<string | undefined> {
    const client = new Client({ host: "127.0.0.1", port, user, password, database });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return (await client.query<{ version: string }>("select version()")).rows[0]!.version;
    } catch (error) {
      // Only a server that is not there yet is worth another try.
      if (/password|role|database .* does not exist/.test((error as Error).message)) throw error;
      return undefined;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Waits until a client connects over TCP with this password, and gives what `select version()` says. */
  async version(password: string, user = "postgres", database = user): Promise<string> {
    return this.until("a TCP connection", async () => {
      const { running, code, port } = await this.looked();
      if (!running) throw new Error(`it ended with ${code}\n${await this.logs()}`);
      // A process of the engine's client costs much more than an attempt to connect.
      for (let times = 0; port !== undefined && times < 10; times++) {
        const answer = await this.asked(port, user, password, database);
        if (answer !== undefined) return answer;
        await sleep(100);
      }
      return undefined;
    });
  }
}
