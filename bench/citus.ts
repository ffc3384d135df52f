// What sharding costs and brings: the same image as one plain node, as a node of Citus that shards on itself, and as a coordinator with
// one, two and three workers, in one run, in turn. All share the processors of one machine, so workers can only show what they cost here.
// Prints medians, ratios and whether the aims are met. Removes what it makes.
//
//   pnpm --filter @strata/bench bench:citus -- --starts 10 --rounds 3 --seconds 10
import { randomBytes } from "node:crypto";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { findEngine } from "@strata/engine";
import { ACCOUNT, AGGREGATE, DISTRIBUTE, MEMORY } from "./citus/workload.ts";
import { Fleet } from "./failover/fleet.ts";
import { transactionsPerSecond } from "./failover/results.ts";
import { firstQuery } from "./first-query.ts";
import { compare, judge, summarise, table } from "./statistics.ts";

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((word, index) => index > 0 || word !== "--"),
  options: {
    starts: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "10" },
    image: { type: "string", default: "strata/postgresql:17-trixie" },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function whole(name: "starts" | "rounds" | "seconds", least: number, most: number): number {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  say(`--${name}: expected a whole number from ${least} to ${most}, found '${options[name]}'`);
  process.exit(2);
}

const [starts, rounds, seconds] = [whole("starts", 1, 200), whole("rounds", 1, 50), whole("seconds", 1, 3_600)];
const SHAPES = ["plain", "Citus alone", "1 worker", "2 workers", "3 workers"] as const;
type Shape = (typeof SHAPES)[number];

/** What one round measures of one shape. */
interface Measured {
  /** Megabytes of all processes of the first node at rest, shared pages divided. */
  readonly memory: number;
  /** Transactions a second. */
  readonly accounts: number;
  readonly aggregates: number;
}

const fleet = new Fleet(await findEngine());
const password = randomBytes(9).toString("base64url");
const sql = (node: string, text: string): Promise<string> =>
  fleet.exec(node, {}, "psql", "-XAtqU", "postgres", "--set=ON_ERROR_STOP=1", "--command", text);

/** Waits until a node answers. */
async function answers(node: string, question: string, wanted: string): Promise<void> {
  const words = ["exec", fleet.container(node), "psql", "-XAtqU", "postgres", "-h", "127.0.0.1", "--command", question];
  for (const end = performance.now() + 60_000; performance.now() < end; await fleet.pause(20)) {
    const { ok, stdout } = await fleet.attempt(words);
    if (ok && stdout.trim() === wanted) return;
  }
  throw new Error(`${node}: expected ${wanted} of '${question}' within 60 s`);
}

/** Runs a script of pgbench on the first node for some seconds; gives transactions a second. */
async function load(script: string): Promise<number> {
  const cores = cpus().length;
  const words = [
    "--client",
    String(2 * cores),
    "--jobs",
    String(cores),
    "--time",
    String(seconds),
    "--file",
    "/tmp/script",
  ];
  await fleet.exec("first", {}, "bash", "-c", `cat >/tmp/script <<'E'\n${script}\nE`);
  const all = [
    "exec",
    fleet.container("first"),
    "pgbench",
    "--username",
    "postgres",
    "--no-vacuum",
    ...words,
    "postgres",
  ];
  const { ok, stdout, reason } = await fleet.attempt(all, (seconds + 60) * 1_000);
  if (!ok) throw new Error(`pgbench: ${reason}`);
  return transactionsPerSecond(stdout);
}

const common = { POSTGRES_PASSWORD: password, PGPASSWORD: password };
const given = (env: Record<string, string>): string[] =>
  Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);

/** Starts a node, the first one of a shape; gives the seconds from `docker run` to its first answer. */
async function start(shape: Shape, node = "first"): Promise<number> {
  const port = await fleet.newPort();
  const login = { user: "postgres", password, database: "postgres" };
  const began = performance.now();
  const env = shape === "plain" ? common : { ...common, CITUS_ENABLE: "true" };
  await fleet.run(node, "--publish", `127.0.0.1:${port}:5432`, ...given(env), options.image);
  return ((await firstQuery(fleet.engine, fleet.container(node), port, login)) - began) / 1_000;
}

/**
 * First starts of a plain node and one of Citus in turn, each first in every other round; the first round does not count. What they made
 * stays until the end: after files were removed, ext4 looks longer for a place for new ones, and initdb makes a thousand.
 */
async function compareStarts(): Promise<Record<"plain" | "Citus alone", number[]>> {
  const found = { plain: [] as number[], "Citus alone": [] as number[] };
  const pair = ["plain", "Citus alone"] as const;
  const made: string[] = [];
  try {
    for (let round = 0; round <= starts; round++) {
      say(`start ${round} of ${starts}, plain and Citus`);
      for (const shape of round % 2 ? pair : pair.toReversed()) {
        const node = `start${made.length}`;
        made.push(node);
        const took = await start(shape, node);
        if (round > 0) found[shape].push(took);
        await fleet.attempt(["kill", fleet.container(node)]);
      }
    }
    return found;
  } finally {
    if (!fleet.interrupted) await fleet.remove(...made);
  }
}

/** Starts a shape, measures it, and removes it. */
async function measure(shape: Shape): Promise<Measured> {
  const workers = Number(/^\d/.exec(shape)?.[0] ?? 0);
  const nodes = ["first", ...Array.from({ length: workers }, (_, index) => `worker${index + 1}`)];
  try {
    await start(shape);
    const worker = { ...common, CITUS_ENABLE: "true", CITUS_ROLE: "worker", CITUS_COORDINATOR_HOST: "first" };
    for (const node of nodes.slice(1)) await fleet.run(node, ...given(worker), options.image);
    if (shape !== "plain") {
      await answers(
        "first",
        "select count(*) from pg_dist_node where isactive and metadatasynced",
        String(nodes.length),
      );
    }
    await fleet.pause(2_000);
    const memory = Number(await fleet.exec("first", {}, "bash", "-c", MEMORY)) / 1_024;
    await fleet.exec(
      "first",
      {},
      "pgbench",
      "--username",
      "postgres",
      "--initialize",
      "--quiet",
      "--scale",
      "10",
      "postgres",
    );
    if (shape !== "plain") for (const statement of DISTRIBUTE) await sql("first", statement);
    return { memory, accounts: await load(ACCOUNT), aggregates: await load(AGGREGATE) };
  } finally {
    if (!fleet.interrupted) await fleet.remove(...nodes);
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (fleet.interrupted) process.exit(130);
    say("interrupted; removing what this run made");
    fleet.interrupt();
  });

try {
  const results = Object.fromEntries(SHAPES.map((shape) => [shape, [] as Measured[]])) as Record<Shape, Measured[]>;
  const loads: number[] = [];
  await fleet.open();
  const first = await compareStarts();
  for (let round = 1; round <= rounds; round++)
    for (const shape of SHAPES) {
      say(`round ${round} of ${rounds}: ${shape}`);
      results[shape].push(await measure(shape));
      loads.push(loadavg()[0]!);
    }
  const of = (shape: Shape, what: keyof Measured): number[] => results[shape].map((one) => one[what]);
  const memory = summarise(of("Citus alone", "memory")).median;
  const busy = `load average ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const processor = `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GB`;
  console.log(
    `${processor}, Docker ${fleet.engine.serverVersion}, ${options.image}, ${starts} starts, ${rounds} rounds, ${busy}\n`,
  );
  const speed = (what: string, key: "accounts" | "aggregates"): string[][] =>
    SHAPES.slice(1).map((shape) => compare(`${what}, ${shape}`, "tps", 0, of(shape, key), of("plain", key)));
  console.log(
    table(
      ["what", "Citus", "plain", "ratio", "aim"],
      [
        compare("first start, to the first answer", "s", 2, first["Citus alone"], first.plain, 1.3),
        [
          "idle memory of a node of Citus",
          `${memory.toFixed(0)} MB`,
          `${summarise(of("plain", "memory")).median.toFixed(0)} MB`,
          "",
          judge(memory, 512),
        ],
        ...speed("one account a transaction", "accounts"),
        ...speed("sum over all accounts", "aggregates"),
      ],
    ),
  );
} catch (error) {
  say((error as Error).message);
  process.exitCode = fleet.interrupted ? 130 : 1;
} finally {
  await fleet.close();
}
