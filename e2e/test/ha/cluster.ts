import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { judge, type Member, waitedFor } from "./agreement.js";
import type { Row } from "./checker.js";
import { Fleet } from "./fleet.js";
import { History } from "./history.js";
import { type Address, askOnce, Line } from "./line.js";
import { ServerWatcher, StoreWatcher, type Watcher } from "./watcher.js";
import { TABLE } from "./writer.js";

/** How commits wait for replicas, as PATRONI_SYNCHRONOUS_MODE says it. */
export type Mode = "off" | "on" | "strict" | "quorum";

/** What a cluster is made of. */
export interface Wanted {
  /** Variant of the PostgreSQL image. */
  readonly variant: string;
  readonly mode: Mode;
  /** Further variables of the PostgreSQL nodes. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The PostgreSQL nodes. */
export const SERVERS = ["pg1", "pg2", "pg3"] as const;
/** The nodes of etcd. */
export const STORES = ["etcd1", "etcd2", "etcd3"] as const;
/** The proxy that the writers go through. */
export const PROXY = "proxy";

const DATA = "/var/lib/postgresql/data";
const [SQL, REST, ETCD] = [5432, 8008, 2379];
/** The process that keeps the volumes in memory alive while their containers are down. */
const KEEPER = "keeper";

/** The images beside PostgreSQL's, whose variant is chosen. */
const IMAGES = { store: "strata/etcd:3.5-trixie", proxy: "strata/haproxy:3.0-trixie" } as const;

// A process by what it is: its name is not enough, because process 1 has the same words in its command line.
const PROCESSES = {
  server: "^[^ :]*postgres -",
  patroni: "^[^ ]*python3? .*patroni.*[.]yml",
  senders: "^postgres: .*walsender",
} as const;

// An image need not have a program that does this.
const SIGNAL = `found=1
for folder in /proc/[0-9]*; do
  mapfile -d '' -t words 2>/dev/null <"$folder/cmdline" || continue
  if [[ \${words[*]} =~ $1 ]] && kill -s "$2" "\${folder##*/}"; then found=0; fi
done
exit "$found"`;

/** Three PostgreSQL nodes with Patroni, three of etcd, and HAProxy in front. */
export class Cluster implements AsyncDisposable {
  readonly history = new History();
  readonly #password = randomBytes(12).toString("base64url");
  #watchers: Watcher[] = [];

  private constructor(
    readonly fleet: Fleet,
    readonly wanted: Wanted,
    /** By their ids: one that is built while the run goes on changes nothing. */
    private readonly images: Readonly<Record<"server" | "store" | "proxy", string>>,
  ) {}

  /** Starts one, and waits until every part of it works. */
  static async start(wanted: Wanted): Promise<Cluster> {
    const fleet = await Fleet.create();
    const cluster = await Cluster.#within(fleet, wanted).catch(async (error) => {
      await fleet[Symbol.asyncDispose]();
      throw error;
    });
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      const logs = await Promise.all(SERVERS.map((node) => cluster.fleet.logs(node)));
      const ends = SERVERS.map((node, index) => `${node}:\n${logs[index]!.split("\n").slice(-15).join("\n")}`);
      await cluster[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}\n${ends.join("\n")}`);
    }
  }

  /** The cluster's images, found or named as missing, and nothing started. */
  static async #within(fleet: Fleet, wanted: Wanted): Promise<Cluster> {
    const repository = process.env.STRATA_TEST_IMAGE ?? "strata/postgresql";
    const [server, store, proxy] = await Promise.all([
      fleet.imageId(`${repository}:${wanted.variant}`),
      fleet.imageId(IMAGES.store),
      fleet.imageId(IMAGES.proxy),
    ]);
    return new Cluster(fleet, wanted, { server, store, proxy });
  }

  async #start(): Promise<void> {
    const { fleet } = this;
    const nodes = STORES.join(",");
    for (const store of STORES)
      await fleet.run(store, "strata/etcd:3.5-trixie", {
        env: { ETCD_NODES: nodes },
        ports: [ETCD],
      });
    for (const server of SERVERS) await fleet.memoryVolume(server, "700m", 999);
    const volumes = Object.fromEntries(SERVERS.map((server) => [server, `/volumes/${server}`]));
    const options = ["--user", "0", "--entrypoint", "sleep"];
    await fleet.run(KEEPER, this.images.server, { volumes, options, command: ["infinity"] });
    for (const server of SERVERS) await this.create(server);
    await fleet.run(PROXY, this.images.proxy, {
      env: { HAPROXY_NODES: SERVERS.join(",") },
      ports: [SQL],
    });
    this.#watchers = [
      ...SERVERS.map((node) => new ServerWatcher(node, this.history, this.direct(node))),
      ...STORES.map((node) => new StoreWatcher(node, this.history, fleet.port(node, ETCD))),
    ].map((watcher) => watcher.start());
    const leader = await this.converged(180);
    await askOnce(this.direct(leader), TABLE);
    // The disks are small: what is written between two checkpoints has to fit beside everything else.
    await this.must(leader, "patronictl", "edit-config", "--force", "--pg", "max_wal_size=128MB");
  }

  /** Starts a PostgreSQL node on its volume, whatever is there. */
  async create(server: string): Promise<void> {
    await this.fleet.run(server, this.images.server, {
      env: {
        PATRONI_ENABLE: "true",
        PATRONI_SCOPE: "demo",
        PATRONI_ETCD3_HOSTS: STORES.map((store) => `${store}:${ETCD}`).join(","),
        PATRONI_SYNCHRONOUS_MODE: this.wanted.mode,
        POSTGRES_PASSWORD: this.#password,
        // Every promotion begins a file of the log, and the disks are small.
        POSTGRES_INITDB_ARGS: "--wal-segsize=4",
        ...this.wanted.env,
      },
      ports: [SQL, REST],
      volumes: { [server]: DATA },
    });
  }

  /** Removes a PostgreSQL node with all it had. */
  async destroy(server: string): Promise<void> {
    await this.fleet.docker("rm", server, "--force");
    await this.must(KEEPER, "find", `/volumes/${server}`, "-mindepth", "1", "-delete");
  }

  /** A server's own port. */
  direct(server: string): Address {
    return { port: this.fleet.port(server, SQL), password: this.#password };
  }

  /** The proxy's port for writes. */
  get proxy(): Address {
    return { port: this.fleet.port(PROXY, SQL), password: this.#password };
  }

  /** Runs a command in a container, which has to succeed. */
  async must(node: string, ...command: string[]): Promise<string> {
    const done = await this.fleet.exec(node, ...command);
    if (!done.ok) throw new Error(`${node}: ${command.join(" ")}: ${done.stderr.trim() || done.reason}`);
    return done.stdout.trim();
  }

  /** Sends a signal to a process of a node; raises where there is none. */
  async signal(node: string, process: keyof typeof PROCESSES, signal: string): Promise<void> {
    await this.must(node, "bash", "-c", SIGNAL, "bash", PROCESSES[process], signal);
  }

  /** Whether there is a container of this name, running or not. */
  async exists(node: string): Promise<boolean> {
    return this.fleet.state(node).then(
      () => true,
      () => false,
    );
  }

  /** Starts the containers of these nodes that do not run, and thaws the frozen. */
  async ensureRunning(...nodes: string[]): Promise<void> {
    for (const node of nodes) {
      const { running, paused } = await this.fleet.state(node);
      if (paused) await this.fleet.docker("unpause", node);
      if (running) continue;
      await this.fleet.docker("start", node);
    }
  }

  /** Fills the disk of a node, or gives the room back. A file of this name is copied to no other node. */
  async fillDisk(node: string): Promise<void> {
    // It ends with an error when the disk is full, which is what it is for.
    await this.fleet.exec(KEEPER, "dd", "if=/dev/zero", `of=/volumes/${node}/pgsql_tmp_filler`, "bs=1M");
  }

  /** Gives the room back. */
  async emptyDisk(node: string): Promise<void> {
    await this.must(KEEPER, "rm", "--force", `/volumes/${node}/pgsql_tmp_filler`);
  }

  /** What is on the disks of the PostgreSQL nodes: how full they are, and the largest files. */
  async disks(): Promise<string> {
    const script =
      "df --output=target,size,used,avail /volumes/*; du --all --time /volumes | sort --numeric-sort --reverse | head --lines=150";
    return (await this.fleet.exec(KEEPER, "bash", "-c", script)).stdout;
  }

  /** The node of etcd that leads the others. */
  storeLeader(): string {
    const looks = this.history.looks.slice(-200).reverse();
    const leader = looks.find(({ node, role }) => node.startsWith("etcd") && role === "leader")?.node;
    if (!leader) throw new Error("etcd: expected a leader, found none");
    return leader;
  }

  /** The members as Patroni knows them, asked on this node. */
  async members(node: string): Promise<Member[]> {
    const url = `http://127.0.0.1:${this.fleet.port(node, REST)}/cluster`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return ((await answer.json()) as { members: Member[] }).members;
  }

  /** A replica that commits wait for; any where they wait for none. */
  async standby(leader: string): Promise<string> {
    const members = (await this.members(leader)).filter(({ name }) => name !== leader);
    const found = members.find(({ role }) => waitedFor(role)) ?? members[0];
    if (!found) throw new Error(`${leader}: expected it to know replicas, found none`);
    return found.name;
  }

  /** Waits until there is one primary with two streaming replicas on its timeline and everybody agrees; gives its name. */
  async converged(seconds = 120): Promise<string> {
    const end = Date.now() + seconds * 1_000;
    let why = "";
    while (Date.now() < end) {
      const judged = await judge(this).catch((error: Error) => ({ why: error.message }));
      if ("leader" in judged) return judged.leader;
      why = judged.why;
      await sleep(250);
    }
    throw new Error(`the cluster: expected it whole within ${seconds} s, found: ${why}`);
  }

  /** The rows of a round on every node, read when the replicas have all that the leader has. */
  async rows(leader: string, round?: number): Promise<Map<string, Row[]>> {
    const [end] = await askOnce<{ lsn: string }>(this.direct(leader), "select pg_current_wal_lsn()::text as lsn");
    const all = new Map<string, Row[]>();
    for (const server of SERVERS) {
      if (server !== leader) await this.#replayed(server, end!.lsn);
      const line = await Line.open(this.direct(server), 5_000);
      const where = round === undefined ? "" : "where round = $1";
      const select = `select round || '/' || writer as writer, sequence::integer from writes ${where}`;
      const found = await line.ask<{ writer: string; sequence: number }>(
        select,
        round === undefined ? [] : [round],
        60_000,
      );
      line.close();
      all.set(
        server,
        found.map(({ writer, sequence }) => [writer, sequence]),
      );
    }
    return all;
  }

  async #replayed(server: string, lsn: string): Promise<void> {
    for (let times = 0; times < 300; times++) {
      const text = "select pg_last_wal_replay_lsn() >= $1::pg_lsn as there";
      const [row] = await askOnce<{ there: boolean }>(this.direct(server), text, [lsn]);
      if (row!.there) return;
      await sleep(100);
    }
    throw new Error(`${server}: expected it to replay up to ${lsn} within 30 s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#watchers.map((watcher) => watcher.stop()));
    await this.fleet[Symbol.asyncDispose]();
  }
}
