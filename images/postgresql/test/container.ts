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

/** The reference of a variant; STRATA_TEST_IMAGE names another image to test, built somewhere else. */
export const imageOf = (variant: string): string =>
  `${process.env.STRATA_TEST_IMAGE ?? "strata/postgresql"}:${variant}`;

/** Path of the health check in the image. */
export const HEALTHCHECK = "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh";

/** What to start, besides the image. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of `docker run`. */
  readonly options?: readonly string[];
  /** Words after the image. */
  readonly command?: readonly string[];
}

/** How a container ended. */
export interface Ended {
  readonly code: number;
  readonly logs: string;
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

  /** Starts a container that is expected to end by itself, and gives how it did. */
  static async run(variant: string, given: Given = {}, seconds = 60): Promise<Ended> {
    await using container = await Container.start(variant, given);
    return { code: await container.exitCode(seconds), logs: await container.logs() };
  }

  /** Runs a docker command on the container. */
  async docker(command: string, ...words: string[]): Promise<Outcome> {
    return attempt(engine.client, [command, ...words, this.name], { timeout: 60_000 });
  }

  /** Runs a command in the container. */
  async exec(...command: string[]): Promise<Outcome> {
    return attempt(engine.client, ["exec", this.name, ...command], { timeout: 60_000 });
  }

  /** Runs a command in the container with options of `docker exec`. */
  async execWith(options: readonly string[], ...command: string[]): Promise<Outcome> {
    return attempt(engine.client, ["exec", ...options, this.name, ...command], { timeout: 60_000 });
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

  /** What runs and where, in one question; the port is undefined where none is published. */
  private async looked(): Promise<{ running: boolean; code: number; port: number | undefined }> {
    const { stdout } = await this.docker("inspect", "--format", "{{json .State}}\t{{json .NetworkSettings.Ports}}");
    const [state, ports] = stdout.split("\t").map((text) => JSON.parse(text));
    const port = ports["5432/tcp"]?.[0]?.HostPort;
    return { running: state.Running, code: state.ExitCode, port: port === undefined ? undefined : Number(port) };
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

  /** Waits until the image's health check says healthy (then undefined) or the container has ended (then its code). */
  async settled(seconds = 60): Promise<number | undefined> {
    // One command that waits inside instead of many that ask from outside.
    const wait = `until ${HEALTHCHECK} >/dev/null; do sleep 0.1; done`;
    return (
      await this.until(
        "healthy or ended",
        async () => {
          const words = ["exec", this.name, "timeout", String(seconds), "bash", "-c", wait];
          if ((await attempt(engine.client, words, { timeout: (seconds + 10) * 1_000 })).ok) return { code: undefined };
          const { running, code } = await this.looked();
          return running ? undefined : { code };
        },
        seconds,
      )
    ).code;
  }

  /** Waits until the image's health check says healthy; an end before that is an error with the log. */
  async healthy(seconds = 60): Promise<void> {
    const code = await this.settled(seconds);
    if (code !== undefined) throw new Error(`it ended with ${code}\n${await this.logs()}`);
  }

  /** Waits until a line of its log matches. */
  async logged(pattern: RegExp, seconds = 60): Promise<string> {
    return this.until(
      `a line that matches ${pattern}`,
      async () => (pattern.test(await this.logs()) ? this.logs() : undefined),
      seconds,
    );
  }

  /** Waits until it ended, and gives its exit code. */
  async exitCode(seconds = 60): Promise<number> {
    const ended = await attempt(engine.client, ["wait", this.name], { timeout: seconds * 1_000 });
    if (!ended.ok) throw new Error(`its end: not within ${seconds} s (${ended.reason})\n${await this.logs()}`);
    return Number(ended.stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.docker("rm", "--force", "--volumes");
  }
}
