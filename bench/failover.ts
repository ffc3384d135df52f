// How long a cluster is without a leader, and how long it takes to be whole: our image as a node of Patroni with its
// defaults, against the very same Patroni and PostgreSQL started by hand with stock settings, in one run, in turn. Prints
// medians, ratios and whether the aims are met. Removes what it makes.
import { randomBytes } from "node:crypto";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { findEngine } from "@strata/engine";
import { Cluster, type Common, type Side, type Times } from "./failover/cluster.ts";
import { Fleet } from "./failover/fleet.ts";
import { load } from "./failover/load.ts";
import { Measurement } from "./failover/measure.ts";
import { HEAD, type LoadResult, lines, type Round } from "./failover/results.ts";
import { table } from "./statistics.ts";

const { values: options, positionals } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    load: { type: "string", default: "60" },
    image: { type: "string", default: "strata/postgresql" },
    etcd: { type: "string", default: "strata/etcd:3.5-trixie" },
  },
  allowPositionals: true,
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function whole(name: "rounds" | "load", least: number, most: number): number {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  say(`--${name}: expected a whole number from ${least} to ${most}, found '${options[name]}'`);
  process.exit(2);
}

const rounds = whole("rounds", 1, 50);
const seconds = whole("load", 0, 3_600);
const SIDES = ["ours", "stock"] as const satisfies readonly Side[];
const STORES = ["etcd1", "etcd2", "etcd3"] as const;
const password = randomBytes(9).toString("base64url");
const fleet = new Fleet(await findEngine());

/** The number of an image, so that one that is built meanwhile is not taken for it; fails where there is none. */
async function numberOf(image: string, source: string): Promise<string> {
  const found = await fleet.attempt(["image", "inspect", "--format", "{{.Id}}", image]);
  if (found.ok) return found.stdout.trim();
  throw new Error(`${image}: expected the engine to have it, found none; build it: pnpm strata image ${source}`);
}

/** Starts three nodes of etcd, and waits until one of them answers for all. */
async function startStores(image: string): Promise<void> {
  const port = await fleet.newPort();
  for (const node of STORES) {
    const published = node === STORES[0] ? ["--publish", `127.0.0.1:${port}:2379`] : [];
    await fleet.run(node, ...published, "--env", `ETCD_NODES=${STORES.join(",")}`, image);
  }
  for (const end = performance.now() + 60_000; performance.now() < end; await fleet.pause(200)) {
    const health = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1_000) })
      .then(async (answer) => ((await answer.json()) as { health: string }).health)
      .catch(() => "");
    if (health === "true") return;
  }
  const { stderr } = await fleet.attempt(["logs", "--tail", "5", fleet.container(STORES[0])]);
  throw new Error(`etcd: expected it healthy within 60 s, found it is not; its last lines:\n${stderr}`);
}

const timesOf = ({ ttl, loop_wait, retry_timeout }: Times): string =>
  `ttl ${ttl}, loop_wait ${loop_wait}, retry_timeout ${retry_timeout}`;

/** Measures one variant and prints its table. */
async function measure(variant: string): Promise<void> {
  const image = await numberOf(`${options.image}:${variant}`, "postgresql");
  const ask = 'dirname "$(readlink -f "$(type -P postgres)")"; patroni --version';
  const words = ["run", "--rm", "--label", fleet.label, "--entrypoint", "bash", image, "-c", ask];
  const [programs = "", patroni = ""] = (await fleet.docker(...words)).split("\n");
  const common: Common = { fleet, image, stores: STORES.map((node) => `${node}:2379`), programs, password };
  const results: Record<Side, Round[]> = { ours: [], stock: [] };
  const times: Partial<Record<Side, Times>> = {};
  const loads: number[] = [];
  let underLoad: LoadResult | undefined;

  /** Makes a cluster, does something with it, and removes it. */
  const using = async <T>(side: Side, scope: string, what: (cluster: Cluster, by: Measurement) => Promise<T>) => {
    const cluster = new Cluster(common, side, scope);
    try {
      const tell = (step: string, took: number): void => say(`  ${side}: ${step}, ${took.toFixed(2)} s`);
      return await what(cluster, new Measurement(fleet, cluster, tell));
    } finally {
      await cluster.remove();
    }
  };
  const print = (): void => {
    const busy = `load average ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
    console.log(`\n${variant}, ${patroni}, ${results.stock.length} rounds, ${busy}\n`);
    console.log(table(HEAD, lines(results.ours, results.stock, underLoad)));
    for (const side of SIDES) if (times[side]) console.log(`\n${side}: ${timesOf(times[side])}`);
  };

  say(`${variant}: cold starts that do not count`);
  for (const side of SIDES) await using(side, `${side}-${variant}-0`, (_, by) => by.start());
  try {
    for (let round = 1; round <= rounds; round++) {
      say(`${variant}: round ${round} of ${rounds}`);
      for (const side of SIDES)
        await using(side, `${side}-${variant}-${round}`, async (cluster, by) => {
          results[side].push(await by.all());
          loads.push(loadavg()[1]!);
          times[side] = await cluster.times();
        });
    }
    if (seconds > 0)
      await using("ours", `ours-${variant}-load`, async (cluster, by) => {
        say(`${variant}: ${seconds} s of load`);
        await by.start();
        underLoad = await load(fleet, cluster, seconds, password);
      });
  } catch (error) {
    // What took so long to measure is still worth something.
    if (results.stock.length > 0 && !fleet.interrupted) print();
    throw error;
  }
  print();
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    // Whoever waits fails, and the end below cleans up; who asks twice is in a hurry.
    if (fleet.interrupted) process.exit(130);
    say("interrupted; removing what this run made");
    fleet.interrupt();
  });
process.on("uncaughtException", (error) => {
  say(error.message);
  void fleet.close().finally(() => process.exit(1));
});

try {
  const processor = cpus()[0]?.model ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  console.log(`${cpus().length} × ${processor}, ${memory} GB, Docker ${fleet.engine.serverVersion}, ${options.etcd}`);
  const variants = positionals.length > 0 ? positionals : ["17-trixie"];
  say(`about ${Math.ceil(variants.length * (1.5 + rounds * 7 + (seconds + 30) / 60))} minutes`);
  const etcd = await numberOf(options.etcd, "etcd");
  await fleet.open();
  await startStores(etcd);
  for (const variant of variants) await measure(variant);
} catch (error) {
  if (fleet.interrupted) process.exitCode = 130;
  else {
    say((error as Error).message);
    process.exitCode = 1;
  }
} finally {
  await fleet.close();
}
// A question that is still asked must not keep us.
process.exit();
