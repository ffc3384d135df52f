import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, type Engine, freePort, type Outcome } from "@strata/engine";

/** Milliseconds that a command of the engine may take. */
const PATIENCE = 60_000;
/** What may be left, in the order in which it can be removed: how it is listed, and how it is removed. */
const KINDS = [
  [
    ["ps", "--all"],
    ["rm", "--force", "--volumes"],
  ],
  [
    ["network", "ls"],
    ["network", "rm"],
  ],
] as const;

/** Containers of one run on a network of their own, and what becomes of them when it ends or is interrupted. */
export class Fleet {
  /** Name of the network, and the beginning of all other names. */
  readonly name = `strata-bench-${randomBytes(4).toString("hex")}`;
  /** What all that this run makes is marked with. */
  readonly label = `dev.strata.bench=${this.name}`;
  readonly #interruption = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  // Below those that the kernel gives to outgoing connections: a container that is down must find its port free again.
  #port = randomInt(20_000, 30_000);

  constructor(readonly engine: Engine) {}

  /** Whether this run is to end. */
  get interrupted(): boolean {
    return this.#interruption.signal.aborted;
  }

  /** Lets nothing new begin, and whoever waits fail. */
  interrupt(): void {
    this.#interruption.abort(new Error("interrupted"));
  }

  /** Waits; fails at once when this run is interrupted. */
  async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#interruption.signal });
  }

  /** Runs a command of the engine and gives how it ended. */
  async attempt(words: readonly string[], timeout = PATIENCE): Promise<Outcome> {
    this.#interruption.signal.throwIfAborted();
    const answer = attempt(this.engine.client, words, { timeout });
    this.#running.add(answer);
    try {
      return await answer;
    } finally {
      this.#running.delete(answer);
    }
  }

  /** Runs a command of the engine, which has to succeed, and gives what it printed. */
  async docker(...words: string[]): Promise<string> {
    const answer = await this.attempt(words);
    if (!answer.ok) throw new Error(`docker ${words.slice(0, 2).join(" ")}: ${answer.reason}`);
    return answer.stdout.trim();
  }

  /** A port of 127.0.0.1 that no other container of this run has. */
  async newPort(): Promise<number> {
    const port = await freePort(this.#port);
    this.#port = port + 1;
    return port;
  }

  /** The name of a node's container. */
  container(node: string): string {
    return `${this.name}-${node}`;
  }

  /** Starts a container that the others know as `node`; needs the rest of the engine's words, the image among them. */
  async run(node: string, ...words: string[]): Promise<void> {
    const names = ["--name", this.container(node), "--hostname", node, "--network", this.name, "--network-alias", node];
    await this.docker("run", "--detach", "--label", this.label, ...names, ...words);
  }

  /** Runs a command in a container, which has to succeed; needs the variables that it gets. */
  async exec(node: string, env: Readonly<Record<string, string>>, ...command: string[]): Promise<string> {
    const given = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    return this.docker("exec", ...given, this.container(node), ...command);
  }

  /** Removes containers with all they had. */
  async remove(...nodes: string[]): Promise<void> {
    if (nodes.length > 0) await this.docker("rm", "--force", "--volumes", ...nodes.map((node) => this.container(node)));
  }

  /** Makes the network. */
  async open(): Promise<void> {
    await this.docker("network", "create", "--label", this.label, this.name);
  }

  /** Ends this run, and removes whatever it left. */
  async close(): Promise<void> {
    this.interrupt();
    await this.#sweep();
    // A command that was under way may still have made something.
    await Promise.allSettled(this.#running);
    await this.#sweep();
  }

  /** Removes all that has the label. */
  async #sweep(): Promise<void> {
    for (const [list, remove] of KINDS) {
      const left = await attempt(this.engine.client, [...list, "--quiet", "--filter", `label=${this.label}`]);
      const names = left.stdout.split("\n").filter(Boolean);
      if (names.length > 0) await attempt(this.engine.client, [...remove, ...names], { timeout: PATIENCE });
    }
  }
}
