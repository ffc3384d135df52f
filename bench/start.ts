// What our scripts cost: first start, restart, health check and memory, against the floor, in one run, in turn, on the
// same image and the same kind of volume. Prints medians, the range of their middle half, and ratios.
import { randomBytes } from "node:crypto";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { attempt, findEngine } from "@strata/engine";
import { firstQuery, freePort } from "./first-query.ts";
import { compare, judge, table } from "./statistics.ts";

const HEALTHCHECK = "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh";
const PATIENCE = 60_000;
const run = `strata-bench-${randomBytes(4).toString("hex")}`;
const password = randomBytes(9).toString("base64url");

// The floor of a first start: initdb and the server, nothing else, reachable as ours is.
const FLOOR = `set -e
initdb --username=postgres --pwfile=<(printf %s "$POSTGRES_PASSWORD") >/dev/null 2>&1
echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*'`;

// Both programs in turn, timed by bash itself: what a health check costs the container, without the engine.
const IN_TURN = `for ((i = 0; i <= $1; i++)); do
  a=\${EPOCHREALTIME/[.,]/}; ${HEALTHCHECK} >/dev/null; b=\${EPOCHREALTIME/[.,]/}
  pg_isready --quiet --host=127.0.0.1; c=\${EPOCHREALTIME/[.,]/}
  if ((i > 0)); then echo "$((b - a)) $((c - b))"; fi
done`;

// Proportional and resident size, in kB, of every process that is not the server and not this question.
const MEMORY = `for p in /proc/[0-9]*; do
  pid=\${p##*/}; read -r name <"$p/comm" || continue
  if [[ $name == postgres || $pid == $$ ]]; then continue; fi
  pss=0; rss=0
  while read -r key value _; do case $key in Pss:) pss=$value ;; Rss:) rss=$value ;; esac; done <"$p/smaps_rollup"
  echo "$name $pss $rss"
done`;

const { values: options, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, image: { type: "string", default: "strata/postgresql" } },
  allowPositionals: true,
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 200) {
  console.error(`--rounds: expected a whole number from 1 to 200, found '${options.rounds}'`);
  process.exit(2);
}
const engine = await findEngine();

/** Runs a command of the engine, which has to succeed, and gives what it printed. */
async function docker(...words: string[]): Promise<string> {
  const answer = await attempt(engine.client, words, { timeout: PATIENCE });
  if (!answer.ok) throw new Error(`docker ${words.slice(0, 2).join(" ")}: ${answer.reason}`);
  return answer.stdout.trim();
}

/** How long it took until the first query: in all, and since the container's process was started; in seconds. */
interface Start {
  readonly all: number;
  readonly inside: number;
}

/**
 * Times a command of the engine that starts a container, to the first query. Nothing is asked before the command has
 * ended: the container may have no network yet, and the kernel looks for it again only a second later.
 */
async function timed(name: string, port: number, database: string, ...words: string[]): Promise<Start> {
  const began = performance.now();
  await docker(...words);
  const answered = await firstQuery(engine, name, port, { user: "postgres", password, database });
  const started = Date.parse(await docker("inspect", "--format", "{{.State.StartedAt}}", name));
  return { all: (answered - began) / 1_000, inside: (performance.timeOrigin + answered - started) / 1_000 };
}

/** Options that all our containers share. */
const common = (port: number): string[] => [
  ...["--label", `dev.strata.bench=${run}`, "--no-healthcheck", "--publish", `127.0.0.1:${port}:5432`],
  ...["--env", `POSTGRES_PASSWORD=${password}`],
];

/** A first start on a fresh volume, which is gone after it. */
async function firstStart(image: string, ours: boolean): Promise<Start> {
  const [name, port] = [`${run}-first`, await freePort()];
  const words = ["run", "--detach", "--name", name, ...common(port)];
  const rest = ours ? ["--env", "POSTGRES_DB=bench", image] : ["--entrypoint", "bash", image, "-c", FLOOR];
  const time = await timed(name, port, ours ? "bench" : "postgres", ...words, ...rest);
  await docker("rm", "--force", "--volumes", name);
  return time;
}

/** A start of a container that was stopped; it is stopped again. */
async function restart(name: string, port: number): Promise<Start> {
  const time = await timed(name, port, "postgres", "start", name);
  await docker("stop", name);
  return time;
}

/** Milliseconds of a command of the engine. */
async function milliseconds(...words: string[]): Promise<number> {
  const began = performance.now();
  await docker(...words);
  return performance.now() - began;
}

/** Measures both in turn, after one round each that does not count. */
async function inTurn<T>(ours: () => Promise<T>, floor: () => Promise<T>): Promise<[T[], T[]]> {
  const times: [T[], T[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const pair = [await ours(), await floor()] as const;
    if (round === 0) continue;
    times[0].push(pair[0]);
    times[1].push(pair[1]);
  }
  return times;
}

/** The lines of the table about starts. */
function starts(what: string, [ours, floor]: [Start[], Start[]], aim: number): string[][] {
  const part = (of: Start[], key: keyof Start): number[] => of.map((start) => start[key]);
  return [
    compare(
      `${what}, from the engine's command to the first query`,
      "s",
      3,
      part(ours, "all"),
      part(floor, "all"),
      aim,
    ),
    compare(`${what}, from the container's first process`, "s", 3, part(ours, "inside"), part(floor, "inside")),
  ];
}

/** Megabytes of what is not the server, and the processes that are meant. */
async function memory(name: string): Promise<{ pss: number; rss: number; processes: string }> {
  const lines = (await docker("exec", name, "bash", "-c", MEMORY)).split("\n").map((line) => line.split(" "));
  const sum = (column: number): number => lines.reduce((all, line) => all + Number(line[column] ?? 0), 0) / 1_024;
  return { pss: sum(1), rss: sum(2), processes: lines.map(([process]) => process).join(", ") };
}

/** Measures one variant and prints its table. */
async function measure(variant: string): Promise<void> {
  const image = `${options.image}:${variant}`;
  if (!(await attempt(engine.client, ["image", "inspect", image])).ok) {
    throw new Error(`${image}: expected the engine to have it, found none; build it: pnpm strata image postgresql`);
  }
  const lines: string[][] = [];
  const first = await inTurn(
    () => firstStart(image, true),
    () => firstStart(image, false),
  );
  lines.push(...starts("first start", first, 1.1));

  const volume = `${run}-${variant}`;
  const [name, plain] = [`${volume}-ours`, `${volume}-plain`];
  const [port, other] = [await freePort(), await freePort()];
  await docker("volume", "create", "--label", `dev.strata.bench=${run}`, volume);
  const mount = ["--volume", `${volume}:/var/lib/postgresql/data`];
  await timed(name, port, "postgres", "run", "--detach", "--name", name, ...common(port), ...mount, image);
  await docker("stop", name);
  const server = ["--entrypoint", "postgres", image, "-c", "listen_addresses=*"];
  await docker("create", "--name", plain, ...common(other), ...mount, ...server);
  const again = await inTurn(
    () => restart(name, port),
    () => restart(plain, other),
  );
  lines.push(...starts("restart", again, 1.05));

  await timed(name, port, "postgres", "start", name);
  const exec = await inTurn(
    () => milliseconds("exec", name, HEALTHCHECK),
    () => milliseconds("exec", name, "pg_isready", "--quiet", "--host=127.0.0.1"),
  );
  lines.push(compare("health check, by docker exec", "ms", 1, ...exec));
  const told = await docker("exec", name, "bash", "-c", IN_TURN, "bash", String(rounds * 5));
  const pairs = told.split("\n").map((line) => line.split(" ").map((word) => Number(word) / 1_000));
  const inside = [0, 1].map((column) => pairs.map((pair) => pair[column] ?? Number.NaN)) as [number[], number[]];
  lines.push(compare("health check, inside", "ms", 1, ...inside));

  const used = await memory(name);
  lines.push([
    `memory of what is not the server (${used.processes})`,
    `${used.pss.toFixed(1)} MB, resident ${used.rss.toFixed(1)} MB`,
    "",
    "",
    judge(used.rss, 6),
  ]);
  await docker("rm", "--force", "--volumes", name, plain);
  await docker("volume", "rm", volume);
  console.log(`\n${variant}, ${rounds} rounds\n`);
  console.log(table(["what", "ours", "floor", "ratio", "aim"], lines));
}

/** Removes whatever this run left. */
async function clean(): Promise<void> {
  for (const [kind, remove] of [
    [
      ["ps", "--all"],
      ["rm", "--force", "--volumes"],
    ],
    [
      ["volume", "ls"],
      ["volume", "rm", "--force"],
    ],
  ] as const) {
    const left = await attempt(engine.client, [...kind, "--quiet", "--filter", `label=dev.strata.bench=${run}`]);
    const names = left.stdout.split("\n").filter(Boolean);
    if (names.length > 0) await attempt(engine.client, [...remove, ...names], { timeout: PATIENCE });
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void clean().finally(() => process.exit(1)));
}
try {
  const processor = cpus()[0]?.model ?? "unknown processor";
  console.log(
    `${cpus().length} × ${processor}, ${Math.round(totalmem() / 2 ** 30)} GB, Docker ${engine.serverVersion}`,
  );
  for (const variant of positionals.length > 0 ? positionals : ["17-trixie"]) await measure(variant);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await clean();
}
// A question that is still asked must not keep us.
process.exit();
