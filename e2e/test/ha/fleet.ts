import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { attempt, type Engine, findEngine, freePort, inspectImage, type Outcome } from "@strata/engine";

const LABEL = "dev.strata.e2e.failures";

/** What to start, besides the image. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Ports of the container that are reached from here, on 127.0.0.1. */
  readonly ports?: readonly number[];
  /** Folders in the container by name of the volume. */
  readonly volumes?: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
  readonly command?: readonly string[];
}

/** Containers on a network of their own; all of it is gone when the run is, however it ends. */
export class Fleet implements AsyncDisposable {
  readonly #ports = new Map<string, number>();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#removeNow();
    process.kill(process.pid, signal);
  };

  private constructor(
    readonly engine: Engine,
    readonly name: string,
  ) {}

  /** A network without containers. */
  static async create(): Promise<Fleet> {
    const fleet = new Fleet(await findEngine(), `strata-ha-${randomBytes(4).toString("hex")}`);
    // Once: a second one of the same kind finds no handler, and ends the process.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, fleet.#onSignal);
    await fleet.must("network", "create", "--label", fleet.#label, fleet.name);
    return fleet;
  }

  get #label(): string {
    return `${LABEL}=${this.name}`;
  }

  /** The name of a container, or of a volume, for the engine. */
  full(node: string): string {
    return `${this.name}-${node}`;
  }

  /** Runs a command of the engine, which has to succeed, and gives what it printed. */
  async must(...words: string[]): Promise<string> {
    const answer = await attempt(this.engine.client, words, { timeout: 90_000 });
    if (!answer.ok) throw new Error(`docker ${words.join(" ")}: ${answer.reason}`);
    return answer.stdout.trim();
  }

  /** The id of an image in the engine's store. */
  async imageId(reference: string): Promise<string> {
    const found = await inspectImage(this.engine, reference);
    if (found) return found.id;
    const [, name, variant] = /([^/:]+):(.+)$/.exec(reference) ?? [];
    throw new Error(
      `image ${reference}: expected the engine to have it, found none; build it: pnpm strata image ${name} ${variant}`,
    );
  }

  /** Starts a container that others on the network know by its name. Its ports stay the same for as long as the run. */
  async run(node: string, image: string, given: Given = {}): Promise<void> {
    const { env = {}, ports = [], volumes = {}, options = [], command = [] } = given;
    for (const inside of ports)
      if (!this.#ports.has(`${node}:${inside}`)) this.#ports.set(`${node}:${inside}`, await this.#newPort());
    await this.must(
      ...["run", "--detach", "--name", this.full(node), "--hostname", node, "--label", this.#label],
      ...["--network", this.name, "--network-alias", node],
      ...ports.flatMap((inside) => ["--publish", `127.0.0.1:${this.port(node, inside)}:${inside}`]),
      ...Object.entries(volumes).flatMap(([volume, folder]) => ["--volume", `${this.full(volume)}:${folder}`]),
      ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...options,
      image,
      ...command,
    );
  }

  /** Makes a volume in memory: fast, and of a limited size. It keeps its content for as long as a container has it. */
  async memoryVolume(name: string, size: string, uid: number): Promise<void> {
    const options = ["type=tmpfs", "device=tmpfs", `o=size=${size},uid=${uid},mode=0700`];
    const words = options.flatMap((option) => ["--opt", option]);
    await this.must("volume", "create", "--label", this.#label, "--driver", "local", ...words, this.full(name));
  }

  /** Runs a command of the engine on a container, which has to succeed. */
  async docker(command: string, node: string, ...options: string[]): Promise<string> {
    return this.must(command, ...options, this.full(node));
  }

  /** Runs a command in a container as root. */
  async exec(node: string, ...command: string[]): Promise<Outcome> {
    const words = ["exec", "--user", "0", this.full(node), ...command];
    return attempt(this.engine.client, words, { timeout: 90_000 });
  }

  /** The port on 127.0.0.1 for a port of a container. */
  port(node: string, inside: number): number {
    const port = this.#ports.get(`${node}:${inside}`);
    if (port === undefined) throw new Error(`port ${inside} of ${node}: expected it published, found it is not`);
    return port;
  }

  /** Everything a container logged, since a moment where one is given. */
  async logs(node: string, since?: string): Promise<string> {
    const words = ["logs", "--timestamps", ...(since ? ["--since", since] : []), this.full(node)];
    const { stdout, stderr } = await attempt(this.engine.client, words, { timeout: 60_000 });
    // Both streams have the engine's time first.
    return `${stdout}\n${stderr}`.split("\n").sort().join("\n").trim();
  }

  /** What the engine says of a container: whether it runs, its first process, its address on the network. */
  async state(node: string): Promise<{ running: boolean; paused: boolean; pid: number; address: string }> {
    const format = `{{.State.Running}} {{.State.Paused}} {{.State.Pid}} {{(index .NetworkSettings.Networks "${this.name}").IPAddress}}`;
    const [running, paused, pid, address = ""] = (await this.docker("inspect", node, "--format", format)).split(" ");
    return { running: running === "true", paused: paused === "true", pid: Number(pid), address };
  }

  /** A port below those that the system hands out, so that nobody takes it while its container is down. */
  async #newPort(): Promise<number> {
    const taken = new Set(this.#ports.values());
    for (;;) {
      const port = await freePort(randomInt(20_000, 30_000));
      if (!taken.has(port)) return port;
    }
  }

  /** Removes everything without a turn of the event loop: the process is about to end. */
  #removeNow(): void {
    const docker = (...words: string[]): string => execFileSync(this.engine.client, words, { encoding: "utf8" });
    const filter = ["--quiet", "--filter", `label=${this.#label}`];
    const steps: [list: string[], remove: string[]][] = [
      [
        ["ps", "--all"],
        ["rm", "--force", "--volumes"],
      ],
      [
        ["volume", "ls"],
        ["volume", "rm", "--force"],
      ],
      [
        ["network", "ls"],
        ["network", "rm"],
      ],
    ];
    for (const [list, remove] of steps) {
      const left = docker(...list, ...filter)
        .split("\n")
        .filter(Boolean);
      try {
        if (left.length > 0) docker(...remove, ...left);
      } catch {
        // The engine has said why on stderr; what else is left must go all the same.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.#onSignal);
    this.#removeNow();
  }
}
