// What is done to the cluster, as data: how it is broken, how it is healed, and what has to come of it.
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../law/random.js";
import { type Cluster, SERVERS, STORES } from "./cluster.js";
import { askOnce } from "./line.js";
import { cut, mend, whyNoPartition } from "./partition.js";
import { weather } from "./weather.js";

/** The cluster at the moment it is broken. */
export interface Scene {
  readonly cluster: Cluster;
  readonly leader: string;
  readonly replicas: readonly string[];
  readonly random: Random;
}

/** One way to break the cluster. */
export interface Scenario {
  /** Short, for files and for the command line. */
  readonly name: string;
  /** What is done, for people. */
  readonly title: string;
  /** Whether another node has to take over; `either` where both are right. */
  readonly failover: "yes" | "no" | "either";
  /** Seconds it stays broken at least; with a failover also until the new leader has taken a write. */
  readonly holds: number;
  /**
   * Seconds after which writes have to be taken again, where that tells what happened: a leader that hands over is faster
   * than its lock, which would be free only PATRONI_TTL (10 s) after it was last renewed.
   */
  readonly resumes?: number;
  /** Why it cannot be done on this machine, if so. */
  readonly skipped?: () => string | undefined;
  readonly strike: (scene: Scene) => Promise<void>;
  readonly heal?: (scene: Scene) => Promise<void>;
  /** What is wrong afterwards beside the rows; empty where nothing is. */
  readonly inspect?: (scene: Scene, since: string) => Promise<string[]>;
}

/** Lets a server run into its full disk: it has pieces of its log in reserve, so they are used up. */
async function useUpReserve({ cluster, leader }: Scene): Promise<void> {
  const give = "select pg_switch_wal(), pg_logical_emit_message(false, 'e2e', repeat('x', 9000))";
  for (let times = 0; times < 60; times++) {
    const done = await askOnce(cluster.direct(leader), give, [], 2_000).catch(() => undefined);
    if (!done) return;
    await sleep(50);
  }
}

/** Restarts a node as an operator does, and waits until it is a member again. */
async function restart({ cluster }: Scene, node: string): Promise<void> {
  await cluster.fleet.docker("restart", node, "--time", "60");
  await cluster.converged();
}

const noCleanStop = /was not properly shut down|automatic recovery in progress|was interrupted/;

/** All of them, roughly from the smallest to the largest. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "switchover",
    title: "switchover under load",
    failover: "yes",
    holds: 0,
    resumes: 7,
    strike: async ({ cluster, leader }) => {
      await cluster.must(leader, "patronictl", "switchover", "--force");
    },
  },
  {
    name: "stop",
    title: "SIGTERM to the leader (docker stop)",
    failover: "yes",
    holds: 0,
    resumes: 7,
    strike: async ({ cluster, leader }) => {
      await cluster.fleet.docker("stop", leader, "--time", "60");
    },
    heal: async ({ cluster, leader }) => {
      await cluster.fleet.docker("start", leader);
    },
    inspect: async ({ cluster, leader }, since) => {
      const lines = (await cluster.fleet.logs(leader, since)).split("\n");
      const dirty = lines.filter((line) => noCleanStop.test(line));
      const clean = lines.some((line) => line.includes("database system is shut down"));
      return clean ? dirty : ["its log does not say that the server was shut down", ...dirty];
    },
  },
  {
    name: "server-kill",
    title: "SIGKILL of the primary's server",
    failover: "either",
    holds: 3,
    strike: ({ cluster, leader }) => cluster.signal(leader, "server", "KILL"),
    heal: ({ cluster, leader }) => cluster.ensureRunning(leader),
  },
  {
    name: "container-kill",
    title: "SIGKILL of the primary's container",
    failover: "yes",
    holds: 0,
    strike: async ({ cluster, leader }) => {
      await cluster.fleet.docker("kill", leader);
    },
    heal: ({ cluster, leader }) => cluster.ensureRunning(leader),
  },
  {
    name: "patroni-kill",
    title: "SIGKILL of the primary's Patroni",
    failover: "yes",
    holds: 0,
    strike: ({ cluster, leader }) => cluster.signal(leader, "patroni", "KILL"),
    heal: ({ cluster, leader }) => cluster.ensureRunning(leader),
  },
  {
    name: "pause",
    title: "pause of the primary's container",
    failover: "yes",
    holds: 14,
    strike: async ({ cluster, leader }) => {
      await cluster.fleet.docker("pause", leader);
    },
    heal: async ({ cluster, leader }) => {
      await cluster.fleet.docker("unpause", leader);
    },
  },
  {
    name: "pause-standby",
    title: "pause of the synchronous standby's container",
    failover: "no",
    holds: 14,
    strike: async ({ cluster, leader }) => {
      await cluster.fleet.docker("pause", await cluster.standby(leader));
    },
    heal: ({ cluster }) => cluster.ensureRunning(...SERVERS),
  },
  {
    name: "etcd-leader",
    title: "leader of etcd lost",
    failover: "no",
    holds: 8,
    strike: async ({ cluster }) => {
      await cluster.fleet.docker("kill", cluster.storeLeader());
    },
    heal: ({ cluster }) => cluster.ensureRunning(...STORES),
  },
  {
    name: "etcd-majority",
    title: "majority of etcd lost and back",
    failover: "either",
    holds: 18,
    strike: async ({ cluster }) => {
      const leader = cluster.storeLeader();
      const other = STORES.find((store) => store !== leader)!;
      for (const store of [leader, other]) await cluster.fleet.docker("kill", store);
    },
    heal: ({ cluster }) => cluster.ensureRunning(...STORES),
  },
  {
    name: "cut-etcd",
    title: "primary cut off from etcd",
    failover: "yes",
    holds: 0,
    skipped: whyNoPartition,
    strike: ({ cluster, leader }) => cut(cluster.fleet, leader, STORES),
    heal: ({ cluster, leader }) => mend(cluster.fleet, leader),
  },
  {
    name: "cut-replicas",
    title: "primary cut off from its replicas",
    failover: "no",
    holds: 12,
    skipped: whyNoPartition,
    strike: ({ cluster, leader, replicas }) => cut(cluster.fleet, leader, replicas),
    heal: ({ cluster, leader }) => mend(cluster.fleet, leader),
  },
  {
    name: "cut-standby",
    title: "primary cut off from its synchronous standby",
    failover: "no",
    holds: 16,
    skipped: whyNoPartition,
    strike: async ({ cluster, leader }) => cut(cluster.fleet, leader, [await cluster.standby(leader)]),
    heal: ({ cluster, leader }) => mend(cluster.fleet, leader),
  },
  {
    name: "cut-both",
    title: "primary cut off from etcd and replicas",
    failover: "yes",
    holds: 14,
    skipped: whyNoPartition,
    strike: ({ cluster, leader, replicas }) => cut(cluster.fleet, leader, [...STORES, ...replicas]),
    heal: ({ cluster, leader }) => mend(cluster.fleet, leader),
  },
  {
    name: "lagging-kill",
    title: "SIGKILL of the primary's container that has sent nothing for 1.5 s",
    failover: "yes",
    holds: 0,
    strike: async ({ cluster, leader }) => {
      // A slow network, in effect: what a server commits and does not send is on its disk alone.
      await cluster.signal(leader, "senders", "STOP");
      await sleep(1_500);
      await cluster.fleet.docker("kill", leader);
    },
    heal: ({ cluster, leader }) => cluster.ensureRunning(leader),
  },
  {
    name: "rolling-restart",
    title: "rolling restart",
    failover: "yes",
    holds: 0,
    strike: async (scene) => {
      for (const node of [...scene.replicas, scene.leader]) await restart(scene, node);
    },
  },
  {
    name: "rebuild",
    title: "replica rebuilt from nothing",
    failover: "no",
    holds: 2,
    strike: ({ cluster, replicas, random }) => cluster.destroy(random.pick(replicas)),
    heal: async ({ cluster }) => {
      for (const server of SERVERS) if (!(await cluster.exists(server))) await cluster.create(server);
    },
  },
  {
    name: "disk-full",
    title: "disk full on the primary",
    failover: "either",
    holds: 10,
    strike: async (scene) => {
      await scene.cluster.fillDisk(scene.leader);
      await useUpReserve(scene);
    },
    heal: async ({ cluster, leader }) => {
      await cluster.emptyDisk(leader);
      await cluster.ensureRunning(leader);
    },
  },
  {
    name: "storm",
    title: "random failures for 30 s that wait for nothing",
    failover: "either",
    holds: 0,
    strike: (scene) => weather(scene, 30),
    heal: async ({ cluster }) => {
      if (!whyNoPartition()) for (const server of SERVERS) await mend(cluster.fleet, server);
      // A container whose Patroni was killed a moment ago still runs, and is about to end.
      for (let times = 0; times < 10; times++) {
        await cluster.ensureRunning(...SERVERS, ...STORES);
        await sleep(500);
      }
    },
  },
];

/** The scenario of a name; raises with all names where there is none. */
export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found) return found;
  throw new Error(`scenario '${name}': expected one of ${SCENARIOS.map((one) => one.name).join(", ")}`);
}
