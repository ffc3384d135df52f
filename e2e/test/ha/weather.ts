// Random failures that overlap: what a storm of the schedule does to the cluster.
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, SERVERS, STORES } from "./cluster.js";
import { cut, mend, whyNoPartition } from "./partition.js";
import type { Scene } from "./scenarios.js";
import { type Blow, storm, type Target } from "./schedule.js";

type Act = (cluster: Cluster, node: string) => Promise<unknown>;
const start: Act = (cluster, node) => cluster.ensureRunning(node);

/** How a node is hit, and how it recovers. */
const ACTS: Readonly<Record<string, { readonly strike: Act; readonly heal: Act }>> = {
  kill: { strike: (cluster, node) => cluster.fleet.docker("kill", node), heal: start },
  pause: {
    strike: (cluster, node) => cluster.fleet.docker("pause", node),
    heal: (cluster, node) => cluster.fleet.docker("unpause", node),
  },
  "kill the server of": { strike: (cluster, node) => cluster.signal(node, "server", "KILL"), heal: start },
  "kill Patroni of": { strike: (cluster, node) => cluster.signal(node, "patroni", "KILL"), heal: start },
  "cut off": {
    strike: (cluster, node) =>
      cut(
        cluster.fleet,
        node,
        [...SERVERS, ...STORES].filter((other) => other !== node),
      ),
    heal: (cluster, node) => mend(cluster.fleet, node),
  },
};

const targets = (): Target[] => [
  ...["kill", "pause", "kill the server of", "kill Patroni of"].map((kind) => ({ kind, nodes: SERVERS })),
  ...["kill", "pause"].map((kind) => ({ kind, nodes: STORES })),
  ...(whyNoPartition() ? [] : [{ kind: "cut off", nodes: SERVERS }]),
];

/**
 * One blow from its moment to its end. One that does not hit, because the node is down already or not up again, is no
 * failure of the test, and is seen in the picture.
 */
async function fall(cluster: Cluster, { at, until, kind, node }: Blow): Promise<void> {
  const { strike, heal } = ACTS[kind]!;
  const missed = (): unknown => cluster.history.mark("note", `missed ${node}`);
  await sleep(at * 1_000);
  cluster.history.mark("failure", `${kind} ${node}`);
  await strike(cluster, node).catch(missed);
  await sleep((until - at) * 1_000);
  cluster.history.mark("heal", node);
  await heal(cluster, node).catch(missed);
}

/** Lets a storm of the scene's seed go over the cluster. */
export async function weather({ cluster, random }: Scene, seconds: number): Promise<void> {
  await Promise.all(storm(random, targets(), seconds).map((blow) => fall(cluster, blow)));
}
