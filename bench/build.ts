// What an edit costs, from saving a file to the finished image: classes of edits, each with Turbo's and the engine's
// cache warm or cold, against a classic Dockerfile and against the floor, in one run, in turn. Prints medians, ratios
// and whether the aims are met. Works in a copy of the workspace; removes what it makes.
import { randomBytes } from "node:crypto";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findEngine } from "@strata/engine";
import { Baselines } from "./build/baselines.ts";
import { draw, type EditClass, editClasses, kindsOf, type Nonce, random, SCRIPT } from "./build/edits.ts";
import {
  aims,
  type Cell,
  cellLine,
  HEAD,
  kept,
  MISSING,
  type Replay,
  type State,
  spread,
  stagesRun,
} from "./build/results.ts";
import { interrupt, interruption } from "./build/run.ts";
import { type LocalComponent, type Sample, VARIANT, Workspace } from "./build/workspace.ts";
import { table } from "./statistics.ts";

const PARTS = ["cold", "edits", "replay"] as const;
type Part = (typeof PARTS)[number];
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    "cold-rounds": { type: "string", default: "1" },
    replay: { type: "string", default: "50" },
    seed: { type: "string", default: String(randomBytes(4).readUInt32BE()) },
    only: { type: "string", multiple: true },
    "every-cell": { type: "boolean", default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function refuse(what: string, expected: string, found: string): never {
  say(`${what}: expected ${expected}, found '${found}'`);
  process.exit(2);
}

function whole(name: "rounds" | "cold-rounds" | "replay" | "seed", most: number): number {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < (name === "seed" ? 0 : 1) || value > most)
    refuse(`--${name}`, `a whole number up to ${most}`, options[name]);
  return value;
}

const [rounds, coldRounds] = [whole("rounds", 100), whole("cold-rounds", 20)];
const [replays, seed] = [whole("replay", 1_000), whole("seed", 2 ** 32 - 1)];
for (const part of options.only ?? [])
  if (!PARTS.includes(part as Part)) refuse("--only", `one of ${PARTS.join(", ")}`, part);
const does = (part: Part): boolean => options.only === undefined || options.only.includes(part);

const id = randomBytes(4).toString("hex");
const engine = await findEngine();
const ids = new Set<string>();
const cells: Cell[] = [];
const floor: number[] = [];
let replay: Replay | undefined;
let workspace: Workspace;
let baselines: Baselines;
let components: LocalComponent[] = [];
let component: LocalComponent | undefined;
/** Fragments that the image is built without. */
let without = new Set<string>();
let count = 0;
let dialect = "";

/** What a step of a build says when the mirror of packages does not answer. */
const NO_MIRROR = /Failed to fetch|Unable to connect|Could not connect/;

/** Measures something again where it failed for the mirror alone: an hour's run must not end for that. */
async function patiently<T>(what: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left--)
    try {
      return await what();
    } catch (error) {
      if (left === 0 || interruption.signal.aborted || !NO_MIRROR.test((error as Error).message)) throw error;
      say("  the mirror of packages did not answer; measured again");
    }
}

/** Something that no cache has seen. */
async function fresh(): Promise<Nonce> {
  const nonce = { word: `bench_${id}_${++count}`, number: (Date.now() % 1_000_000_000) + 1_000 };
  if (component) await workspace.offerRelease(component, nonce);
  return nonce;
}

async function ours(noCache = false): Promise<Sample> {
  const sample = await workspace.build(noCache);
  ids.add(sample.record.id);
  dialect = sample.record.engine.dialect;
  without = new Set(sample.record.without.map(({ fragment }) => fragment));
  return sample;
}

async function classic(noCache = false): Promise<number> {
  const { seconds, id } = await patiently(() => baselines.classic(without, noCache));
  ids.add(id);
  return seconds;
}

async function theFloor(): Promise<number> {
  const { seconds, id } = await baselines.floor(join(workspace.root, SCRIPT));
  ids.add(id);
  return seconds;
}

/** Builds with a fresh edit of a class, with both caches in these states. */
const edited = ({ edit }: EditClass, turbo: State, state: State): Promise<Sample> =>
  patiently(async () => {
    if (edit) await workspace.edit(edit, await fresh());
    if (turbo === "cold") await workspace.emptyCache();
    if (turbo === "cold" || state === "cold") await workspace.freshClone();
    return ours(state === "cold");
  });

/** Keeps a measured cell, and tells it. */
function take(cell: Cell): void {
  cells.push(cell);
  const [edit, turbo, state, total, parts] = cellLine(cell);
  const against = cell.classic.length > 0 ? `; classic ${spread(cell.classic)}` : "";
  say(`  ${edit}, Turbo ${turbo}, engine ${state}: ${total}, Turbo + Strata + engine ${parts}${against}`);
}

/** Builds with an empty engine's cache: all cold, and with what Turbo has kept. */
async function measureCold(classes: readonly EditClass[]): Promise<void> {
  say("cold builds");
  for (const one of options["every-cell"] ? classes : classes.filter(({ edit }) => !edit)) {
    const samples: Record<State, Sample[]> = { cold: [], warm: [] };
    const other: number[] = [];
    for (let round = 0; round < coldRounds; round++) {
      for (const turbo of ["cold", "warm"] as const) {
        await workspace.restore();
        const sample = await edited(one, turbo, "cold");
        samples[turbo].push(sample);
        const { compilers } = stagesRun(sample.record);
        say(
          `  ${one.name}, Turbo ${turbo}: ${sample.total.toFixed(0)} s, compiled in ${compilers.join(", ") || "none"}`,
        );
      }
      // An edit makes no difference to a build without cache.
      if (!one.edit) other.push(await classic(true));
    }
    take({ edit: one.name, turbo: "cold", engine: "cold", ours: samples.cold, classic: other });
    take({ edit: one.name, turbo: "warm", engine: "cold", ours: samples.warm, classic: [] });
  }
}

/** Builds on a machine that has built before. */
async function measureEdits(classes: readonly EditClass[]): Promise<void> {
  say("edits");
  await workspace.restore();
  const { record } = await patiently(ours);
  await classic();
  await baselines.keepBase(record.tags[0]!);
  await theFloor();
  for (const one of classes) {
    await workspace.restore();
    await patiently(ours);
    const samples: Sample[] = [];
    const other: number[] = [];
    for (let round = 0; round < rounds; round++) {
      samples.push(await edited(one, "warm", "warm"));
      if (one.edit?.file === SCRIPT) floor.push(await theFloor());
      // Where it has to install everything again, once says enough.
      if (!one.heavy || round === 0) other.push(await classic());
    }
    take({ edit: one.name, turbo: "warm", engine: "warm", ours: samples, classic: other });
  }
  for (const one of classes) {
    const samples: Sample[] = [];
    for (let round = 0; round < coldRounds; round++) {
      await workspace.restore();
      samples.push(await edited(one, "cold", "warm"));
    }
    take({ edit: one.name, turbo: "cold", engine: "warm", ours: samples, classic: [] });
  }
}

/** Edits as people make them, one after the other; each is built. */
async function measureReplay(): Promise<void> {
  say(`replay of ${replays} edits, --seed ${seed}`);
  await workspace.restore();
  await patiently(ours);
  // What was compiled just now comes as an artifact from here on.
  await ours();
  let [allowed, had] = [0, 0];
  const edits = draw(kindsOf(await workspace.files(), component), replays, random(seed));
  for (const [index, { kind, edit }] of edits.entries()) {
    await workspace.edit(edit, await fresh());
    const lawful = await workspace.lawful();
    const { record, total } = await patiently(ours);
    const found = kept(record, lawful);
    allowed += found.allowed;
    had += found.kept;
    const lost = found.lost.length > 0 ? `; built against the law: ${found.lost.join(", ")}` : "";
    say(
      `  ${index + 1}. ${kind}, ${edit.file}: ${total.toFixed(1)} s, ${found.kept} of ${found.allowed} cached${lost}`,
    );
  }
  replay = { edits: replays, allowed, kept: had };
}

/** Says what will be done and about how long it takes: on 2 cores, with a mirror nearby. */
function estimate(classes: readonly EditClass[]): void {
  const heavy = classes.filter((one) => one.heavy).length;
  const colds = options["every-cell"] ? classes.length : 1;
  const minutes =
    1 +
    (does("cold") ? coldRounds * (4 + 6 * colds) : 4) +
    (does("edits")
      ? (does("cold") ? 0 : 4) + heavy * 4 + classes.length * (0.1 * rounds + 0.6 * coldRounds) + heavy * rounds * 0.4
      : 0) +
    (does("replay") ? replays * 0.15 : 0);
  say(`about ${Math.round(minutes)} minutes; --only, --rounds and --replay make it shorter`);
}

function print(): void {
  const processor = cpus()[0]?.model ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  const about = `Docker ${engine.serverVersion}, ${dialect} dialect`;
  console.log(
    `${cpus().length} × ${processor}, ${memory} GB, ${about}, ${VARIANT}, ${rounds} rounds, cold ${coldRounds}\n`,
  );
  if (cells.length > 0) console.log(`${table(HEAD, cells.map(cellLine))}\n`);
  if (floor.length > 0) console.log(`Floor: one COPY on the finished image, ${spread(floor)}.\n`);
  const noComponent = component ? {} : { noComponent: "no archive of a component's sources here (STRATA_SOURCES)" };
  const lines = aims({ cells, floor, ...(replay ? { replay } : {}), ...noComponent });
  const measured = options.only ? lines.filter(([, found]) => found !== MISSING) : lines;
  console.log(table(["aim", "found", ""], measured));
  if (replay) console.log(`\nReplay: --replay ${replays} --seed ${seed}.`);
}

/** Removes whatever this run left. */
async function clean(): Promise<void> {
  if (baselines) await baselines.remove(ids);
  if (workspace) await workspace.remove();
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    // What runs ends, whoever waits for it fails, and the end below cleans up; who asks twice is in a hurry.
    if (interruption.signal.aborted) process.exit(130);
    say("interrupted; removing what this run made");
    void interrupt();
  });

try {
  say("copying the workspace");
  workspace = await Workspace.create(`strata-bench-${id}/postgresql`);
  baselines = new Baselines(engine, workspace, say);
  await workspace.call("pnpm", "turbo", "build");
  components = await workspace.takeSources(await workspace.plan());
  component = components.find(({ fragment }) => fragment === "setup-pg-stat-monitor") ?? components[0];
  await baselines.prepare();
  const classes = editClasses(component);
  estimate(classes);
  if (does("cold")) await measureCold(classes);
  if (does("edits")) await measureEdits(classes);
  if (does("replay")) await measureReplay();
  print();
} catch (error) {
  if (interruption.signal.aborted) process.exitCode = 130;
  else {
    say((error as Error).message);
    process.exitCode = 1;
    // What took so long to measure is still worth something.
    if (cells.length > 0) print();
  }
} finally {
  await clean();
}
// A question that is still asked must not keep us.
process.exit();
