import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, type Engine, findEngine, type Outcome } from "@strata/engine";

/** The engine that the tests use; the one the product finds. */
export const engine: Engine = await findEngine();

/** Path of the health check in every image. */
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
  constructor(
    readonly name: string,
    /** The TCP port of its server, inside. */
    readonly inside: number,
  ) {}

  /** Starts a container of an image with the TCP port of its server published on 127.0.0.1. */
  static async of<T extends Container>(
    this: new (
      name: string,
      inside: number,
    ) => T,
    image: string,
    inside: number,
    { env = {}, options = [], command = [] }: Given = {},
  ): Promise<T> {
    const name = `strata-test-${randomBytes(6).toString("hex")}`;
    const flags = Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
    const words = ["run", "--detach", "--name", name, "--publish", `127.0.0.1::${inside}`, ...flags, ...options];
    const started = await attempt(engine.client, [...words, image, ...command]);
    const container = new this(name, inside);
    if (started.ok) return container;
    await container[Symbol.asyncDispose]();
    throw new Error(started.reason);
  }

  /** Waits for the end of a container that ends by itself, and gives how it did. */
  async ended(seconds = 60): Promise<Ended> {
    return { code: await this.exitCode(seconds), logs: await this.logs() };
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

  /** Everything it logged. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await this.docker("logs");
    return `${stdout}\n${stderr}`;
  }

  /** The port on 127.0.0.1. */
  async port(): Promise<number> {
    const { stdout } = await attempt(engine.client, ["port", this.name, `${this.inside}/tcp`]);
    return Number(stdout.split("\n")[0]!.split(":").at(-1));
  }

  /** What `docker inspect` says of its state. */
  async state(): Promise<{ Running: boolean; ExitCode: number; Health?: { Status: string } }> {
    return JSON.parse((await this.docker("inspect", "--format", "{{json .State}}")).stdout);
  }

  /**
   * A value as soon as `look` gives one that is not undefined; after `seconds` an error with what the health check says,
   * and with the log behind it: a long log is cut where it is shown.
   */
  async until<T>(what: string, look: () => Promise<T | undefined>, seconds = 60): Promise<T> {
    const end = Date.now() + seconds * 1_000;
    while (Date.now() < end) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(100);
    }
    const { stdout: health } = await this.exec("timeout", "10", HEALTHCHECK);
    throw new Error(
      `${what}: not within ${seconds} s\nits health check: ${health || "no answer"}\n${await this.logs()}`,
    );
  }

  /** What runs and where, in one question; the port is undefined where none is published. */
  protected async looked(): Promise<{ running: boolean; code: number; port: number | undefined }> {
    const { stdout } = await this.docker("inspect", "--format", "{{json .State}}\t{{json .NetworkSettings.Ports}}");
    const [state, ports] = stdout.split("\t").map((text) => JSON.parse(text));
    const port = ports[`${this.inside}/tcp`]?.[0]?.HostPort;
    return { running: state.Running, code: state.ExitCode, port: port === undefined ? undefined : Number(port) };
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

/** Runs a script in a fresh container of an image without its entrypoint, as root unless options say otherwise. */
export async function insideImage(image: string, script: string, options: readonly string[] = []): Promise<string> {
  const words = ["run", "--rm", "--user", "0", ...options, "--entrypoint", "bash", image, "-ec", script];
  const answer = await attempt(engine.client, words, { timeout: 120_000 });
  if (!answer.ok) throw new Error(`${answer.stdout}\n${answer.stderr}`);
  return answer.stdout.trim();
}
