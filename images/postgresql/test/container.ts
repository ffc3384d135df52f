import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, type Engine, findEngine, type Outcome } from "@strata/engine";
import { Client } from "pg";

/** The engine that the tests use; the one the product finds. */
export const engine: Engine = await findEngine();

/** The variants of the image with what each promises. */
export const VARIANTS = [
  { variant: "17-trixie", major: "17", tags: ["17", "latest"], base: "debian:trixie-slim", suite: "trixie" },
  { variant: "15-bookworm", major: "15", tags: ["15"], base: "debian:bookworm-slim", suite: "bookworm" },
] as const;

/** The reference of a variant. */
export const imageOf = (variant: string): string => `strata/postgresql:${variant}`;

/** What to start, besides the image. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of `docker run`. */
  readonly options?: readonly string[];
  /** Words after the image. */
  readonly command?: readonly string[];
}

/** A container that is gone when the test is. */
export class Container implements AsyncDisposable {
  private constructor(readonly name: string) {}

  /** Starts a container with its TCP port published on 127.0.0.1. */
  static async start(variant: string, { env = {}, options = [], command = [] }: Given = {}): Promise<Container> {
    const name = `strata-test-${randomBytes(6).toString("hex")}`;
    const flags = Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
    const words = ["run", "--detach", "--name", name, "--publish", "127.0.0.1::5432", ...flags, ...options];
    const started = await attempt(engine.client, [...words, imageOf(variant), ...command]);
    const container = new Container(name);
    if (started.ok) return container;
    await container[Symbol.asyncDispose]();
    throw new Error(started.reason);
  }

  /** Runs a docker command on the container. */
  async docker(command: string, ...words: string[]): Promise<Outcome> {
    return attempt(engine.client, [command, ...words, this.name], { timeout: 60_000 });
  }

  /** Runs a command in the container. */
  async exec(...command: string[]): Promise<Outcome> {
    return attempt(engine.client, ["exec", this.name, ...command], { timeout: 60_000 });
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

  /** Everything it logged. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await this.docker("logs");
    return `${stdout}\n${stderr}`;
  }

  /** The port on 127.0.0.1. */
  async port(): Promise<number> {
    const { stdout } = await attempt(engine.client, ["port", this.name, "5432/tcp"]);
    return Number(stdout.split("\n")[0]!.split(":").at(-1));
  }

  /** What `docker inspect` says of its state. */
  async state(): Promise<{ Running: boolean; ExitCode: number; Health?: { Status: string } }> {
    return JSON.parse((await this.docker("inspect", "--format", "{{json .State}}")).stdout);
  }

  /** A value as soon as `look` gives one that is not undefined; an error with the log after `seconds`. */
  async until<T>(what: string, look: () => Promise<T | undefined>, seconds = 60): Promise<T> {
    const end = Date.now() + seconds * 1_000;
    while (Date.now() < end) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(100);
    }
    throw new Error(`${what}: not within ${seconds} s\n${await this.logs()}`);
  }

  /** Waits until a client connects over TCP with this password, and gives what `select version()` says. */
  async version(password: string, user = "postgres", database = user): Promise<string> {
    return this.until("a TCP connection", async () => {
      const { Running, ExitCode } = await this.state();
      if (!Running) throw new Error(`it ended with ${ExitCode}\n${await this.logs()}`);
      const client = new Client({ host: "127.0.0.1", port: await this.port(), user, password, database });
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
    });
  }

  /** Waits until it ended, and gives its exit code. */
  async exitCode(seconds = 60): Promise<number> {
    return this.until(
      "its end",
      async () => {
        const { Running, ExitCode } = await this.state();
        return Running ? undefined : ExitCode;
      },
      seconds,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.docker("rm", "--force", "--volumes");
  }
}
