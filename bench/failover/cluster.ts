import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fleet } from "./fleet.ts";
import { type Address, close, connection, Eye, type Look } from "./line.ts";
import { stockConfiguration } from "./stock.ts";
import { TABLE } from "./writer.ts";

/** Whose cluster: the image's, or that of Patroni started by hand. */
export type Side = "ours" | "stock";

/** What all clusters of a run have in common. */
export interface Common {
  readonly fleet: Fleet;
  readonly image: string;
  /** Host and port of every node of etcd. */
  readonly stores: readonly string[];
  /** Folder of the server's programs in the image. */
  readonly programs: string;
  readonly password: string;
}

/** The times that a cluster goes by, in seconds, as it says itself. */
export interface Times {
  readonly ttl: number;
  readonly loop_wait: number;
  readonly retry_timeout: number;
}

interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly timeline?: number;
}

const VOLUME = "/var/lib/postgresql/data";
const FILE = "/etc/patroni.yml";

/** Three nodes of one scope, to which others may come. */
export class Cluster {
  readonly nodes: string[];
  readonly #addresses = new Map<string, Address>();
  readonly #rest = new Map<string, number>();
  readonly #eyes = new Map<string, Eye>();
  #folder = "";

  constructor(
    private readonly common: Common,
    readonly side: Side,
    readonly scope: string,
  ) {
    this.nodes = [1, 2, 3].map((number) => `${scope}-${number}`);
  }

  /** Where each node's server is reached. */
  get addresses(): ReadonlyMap<string, Address> {
    return this.#addresses;
  }

  /** Finds ports, and writes the files that the nodes are given; nothing is started. */
  async prepare(): Promise<void> {
    // The folder is closed to other users; in the container the file has to be readable to the server's.
    if (this.side === "stock") this.#folder = await mkdtemp(join(tmpdir(), "strata-bench-"));
    for (const name of this.nodes) await this.#prepare(name);
  }

  async #prepare(name: string): Promise<void> {
    const { fleet, stores, programs, password } = this.common;
    const address = { port: await fleet.newPort(), password };
    this.#addresses.set(name, address);
    this.#rest.set(name, await fleet.newPort());
    this.#eyes.set(name, new Eye(address));
    if (this.side === "ours") return;
    const data = `${VOLUME}/${this.scope}`;
    const text = stockConfiguration({ scope: this.scope, name, stores, programs, data, password });
    await writeFile(join(this.#folder, name), text, { mode: 0o644 });
  }

  /** Makes room for one more node, which is not started; gives its name. */
  async another(): Promise<string> {
    const name = `${this.scope}-${this.nodes.length + 1}`;
    await this.#prepare(name);
    this.nodes.push(name);
    return name;
  }

  /** Starts one node, empty. */
  async run(node: string): Promise<void> {
    const { fleet, image, stores, password } = this.common;
    const ports = [
      ...["--publish", `127.0.0.1:${this.#addresses.get(node)!.port}:5432`],
      ...["--publish", `127.0.0.1:${this.#rest.get(node)}:8008`],
    ];
    if (this.side === "ours") {
      const env = {
        PATRONI_ENABLE: "true",
        PATRONI_SCOPE: this.scope,
        PATRONI_ETCD3_HOSTS: stores.join(","),
        POSTGRES_PASSWORD: password,
      };
      const given = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
      return fleet.run(node, ...ports, ...given, image);
    }
    // The image's health check and its signal for a stop are ours, not Patroni's.
    const plain = ["--no-healthcheck", "--stop-signal", "SIGTERM", "--user", "postgres", "--entrypoint", "patroni"];
    const file = ["--volume", `${join(this.#folder, node)}:${FILE}:ro`];
    return fleet.run(node, ...ports, ...plain, ...file, image, FILE);
  }

  /** Starts all of them at once. */
  async runAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.run(node)));
  }

  /** Removes all of them. */
  async remove(): Promise<void> {
    for (const eye of this.#eyes.values()) eye.shut();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    // All that an interrupted run left is removed at its end.
    if (!this.common.fleet.interrupted) await this.common.fleet.remove(...this.nodes);
  }

  /** Asks until an answer is there; gives it with the moment it came. */
  async until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<{ found: T; at: number }> {
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      const found = await ask();
      if (found !== undefined) return { found, at: performance.now() };
      await this.common.fleet.pause(20);
    }
    throw new Error(`${this.scope}: expected ${what} within ${seconds} s, found none${await this.#lastWords()}`);
  }

  /** Waits until there is one primary and these nodes stream from it; gives its name, and the moment. */
  async streamed(
    seconds: number,
    wanted: (leader: string) => readonly string[],
  ): Promise<{ found: string; at: number }> {
    return this.until("one primary with its replicas", seconds, async () => {
      const primary = await this.#primary();
      if (!primary) return undefined;
      const { name, look } = primary;
      return wanted(name).every((node) => look.streaming.includes(node)) ? name : undefined;
    });
  }

  /** The one node that takes writes, or nothing. */
  async #primary(): Promise<{ name: string; look: Look } | undefined> {
    const looks = await Promise.all(
      this.nodes.map(async (name) => ({ name, look: await this.#eyes.get(name)!.look() })),
    );
    const primaries = looks.flatMap(({ name, look }) => (look && !look.recovery ? [{ name, look }] : []));
    return primaries.length === 1 ? primaries[0] : undefined;
  }

  /** The others. */
  others = (leader: string): readonly string[] => this.nodes.filter((node) => node !== leader);

  /**
   * Waits until servers and Patroni agree that the cluster is whole, then a random part of the time between two looks of
   * Patroni, so that no measurement starts at a moment of its choice. Gives leader and timeline.
   */
  async settled(): Promise<{ leader: string; timeline: number }> {
    const { found } = await this.until("Patroni to know of a whole cluster", 180, async () => {
      const primary = await this.#primary();
      if (primary?.look.streaming.length !== this.nodes.length - 1) return undefined;
      const members = await this.members(primary.name);
      const { timeline } = primary.look;
      const whole = members.filter(
        (member) =>
          member.timeline === timeline &&
          (member.name === primary.name ? member.role === "leader" : ["streaming", "running"].includes(member.state)),
      );
      return whole.length === this.nodes.length ? { leader: primary.name, timeline: timeline! } : undefined;
    });
    const { loop_wait } = await this.times();
    await this.common.fleet.pause(1_000 + Math.random() * loop_wait * 1_000);
    return found;
  }

  /** Waits until neither the server nor Patroni know of a node that was removed. */
  async forgotten(leader: string, node: string): Promise<void> {
    await this.until(`${node} forgotten`, 180, async () => {
      const look = await this.#eyes.get(leader)!.look();
      if (!look || look.streaming.includes(node)) return undefined;
      const members = await this.members(leader);
      return members.length > 0 && !members.some(({ name }) => name === node) ? true : undefined;
    });
  }

  /** The members as Patroni knows them, asked on one node; none if it does not answer. */
  async members(node: string): Promise<readonly Member[]> {
    const answer = (await this.#get(node, "cluster").catch(() => ({}))) as { members?: Member[] };
    return answer.members ?? [];
  }

  /** The times that the cluster goes by. */
  async times(): Promise<Times> {
    const { found } = await this.until("Patroni's configuration", 30, async () => {
      for (const node of this.nodes) {
        const answer = await this.#get(node, "config").catch(() => undefined);
        if (answer) return answer as Times;
      }
      return undefined;
    });
    return found;
  }

  async #get(node: string, path: string): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#rest.get(node)}/${path}`;
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).json();
  }

  /** Makes the table that is written to. */
  async makeTable(leader: string): Promise<void> {
    const client = connection(this.#addresses.get(leader)!, 10_000);
    try {
      await client.connect();
      await client.query(TABLE);
    } finally {
      close(client);
    }
  }

  /** Asks Patroni to hand the lead over to whomever it likes. */
  async switchOver(node: string): Promise<void> {
    const where = this.side === "ours" ? [] : ["-c", FILE];
    await this.common.fleet.exec(node, {}, "patronictl", ...where, "switchover", this.scope, "--force");
  }

  /** What the nodes have said since a moment, by the clock. */
  async said(since: Date, ...more: string[]): Promise<string> {
    const words = ["logs", "--since", since.toISOString(), ...more];
    const all = await Promise.all(
      this.nodes.map((node) => this.common.fleet.attempt([...words, this.common.fleet.container(node)])),
    );
    return all.map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join("\n");
  }

  /** The end of what each node said, for whoever has to find out what went wrong. */
  async #lastWords(): Promise<string> {
    if (this.common.fleet.interrupted) return "";
    const end = await this.said(new Date(0), "--tail", "8").catch(() => "");
    return `; the nodes' last lines:\n${end.trim()}`;
  }
}
