import { cpus } from "node:os";
import type { Cluster } from "./cluster.ts";
import type { Fleet } from "./fleet.ts";
import { demotions, type LoadResult, transactionsPerSecond } from "./results.ts";

/** Rows of pgbench, in hundred thousands. */
const SCALE = "10";

/**
 * Loads the leader's server with more clients than the machine has cores, each of which waits for the disk at every
 * commit, and counts what must not happen meanwhile: a demotion, or another leader. The cluster has to be there.
 */
export async function load(fleet: Fleet, cluster: Cluster, seconds: number, password: string): Promise<LoadResult> {
  const { leader, timeline } = await cluster.settled();
  const env = { PGPASSWORD: password, PGOPTIONS: "-c synchronous_commit=on", PGUSER: "postgres", PGHOST: "127.0.0.1" };
  const since = new Date();
  await fleet.exec(leader, env, "pgbench", "--initialize", "--quiet", "--scale", SCALE, "postgres");
  const cores = cpus().length;
  const threads = ["--client", String(2 * cores), "--jobs", String(cores), "--time", String(seconds)];
  const words = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const answer = await fleet.attempt(
    ["exec", ...words, fleet.container(leader), "pgbench", "--no-vacuum", ...threads, "postgres"],
    (seconds + 60) * 1_000,
  );
  const after = await cluster.settled();
  return {
    seconds,
    clients: 2 * cores,
    // Every promotion begins a timeline.
    promotions: after.timeline - timeline,
    demotions: demotions(await cluster.said(since)),
    tps: transactionsPerSecond(answer.stdout),
    reason: answer.reason,
  };
}
