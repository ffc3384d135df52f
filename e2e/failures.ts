// Breaks a Patroni cluster under load, in random order, until so many failovers have happened; compares after each round what
// the nodes have with what was acknowledged. Ends with 1 where a synchronous cluster lost a row or had two primaries.
//
//   pnpm --filter @strata/e2e failures -- --failovers 50 --mode on --seed 7 --image 17-trixie
import { parseArgs } from "node:util";
import { Cluster, type Mode } from "./test/ha/cluster.js";
import { complaints, draw, keepLogs, results, summary, suspicions } from "./test/ha/report.js";
import { SCENARIOS, type Scenario, scenarioOf } from "./test/ha/scenarios.js";
import { endless } from "./test/ha/schedule.js";
import { Session } from "./test/ha/session.js";
import { Random } from "./test/law/random.js";

const MODES: readonly string[] = ["off", "on", "strict", "quorum"];
const HELP = `usage: failures [--failovers N] [--minutes N] [--mode ${MODES.join("|")}] [--seed N] [--image VARIANT] [--only NAME,NAME]

--failovers  times that another server takes over, after which the run ends (10)
--minutes    time after which no round begins (180)
--mode       PATRONI_SYNCHRONOUS_MODE of the nodes (on)
--seed       number that repeats the order of the failures
--image      variant of strata/postgresql (17-trixie)
--only       failures to take: ${SCENARIOS.map(({ name }) => name).join(", ")}
`;

/** Ends with the code for a configuration that will not do. */
function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

/** A whole number of an option. */
function whole(name: string, text: string, most: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1 || Number(text) > most)
    refuse(`--${name}: expected a whole number from 1 to ${most}, found '${text}'`);
  return Number(text);
}

/** The options as they were given. */
function given() {
  try {
    const text = (value: string) => ({ type: "string", default: value }) as const;
    return parseArgs({
      // What pnpm hands on begins with the two dashes that were meant for it.
      args: process.argv.slice(2).filter((word, index) => index > 0 || word !== "--"),
      options: {
        ...{ failovers: text("10"), minutes: text("180"), mode: text("on"), image: text("17-trixie") },
        ...{ seed: text(String(Random.seed())), only: text(""), help: { type: "boolean", default: false } },
      },
    }).values;
  } catch (error) {
    return refuse(`${(error as Error).message}\n${HELP}`);
  }
}

const options = given();
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
if (!MODES.includes(options.mode)) refuse(`--mode: expected one of ${MODES.join(", ")}, found '${options.mode}'`);
const mode = options.mode as Mode;
const wantedFailovers = whole("failovers", options.failovers, 10_000);
const minutes = whole("minutes", options.minutes, 10_000);
const seed = whole("seed", options.seed, 999_999_999);

/** The failures to take, without those that this machine cannot do. */
function kinds(): Scenario[] {
  try {
    const chosen = options.only ? options.only.split(",").map(scenarioOf) : SCENARIOS;
    return chosen.filter((scenario) => {
      const why = scenario.skipped?.();
      if (why) console.log(`left out: ${scenario.title}: ${why}`);
      return !why;
    });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** A note with the time since the beginning. */
const began = performance.now();
const say = (text: string): void =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(0).padStart(5)} s  ${text}`);

const name = `${options.image}-${mode}-${seed}`;
const about = `${options.image}, synchronous mode ${mode}, seed ${seed}`;
const random = new Random(seed);
const scenarios = kinds();
say(about);
const cluster = await Cluster.start({ variant: options.image, mode }).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
say("the cluster is up");
const session = new Session(cluster, random);
let bad = 0;
try {
  let failovers = 0;
  for (const scenario of endless(random, scenarios)) {
    if (failovers >= wantedFailovers || performance.now() - began > minutes * 60_000) break;
    const outcome = await session.round(scenario);
    failovers += outcome.failovers;
    say(`${summary(outcome)}; ${failovers} of ${wantedFailovers} failovers`);
    const wrong = complaints(outcome.fates, outcome.succession);
    for (const text of wrong.slice(0, 5)) console.log(`    ${text}`);
    if (wrong.length > 5) console.log(`    and ${wrong.length - 5} more`);
    bad += outcome.faults.length + (mode === "off" ? outcome.fates.strange.length : wrong.length);
    await draw(cluster, `${name}-${outcome.round}-${scenario.name}`, scenario.title, about, [outcome.from, outcome.to]);
  }
  const { fates, succession } = await session.whole();
  const wrong = complaints(fates, succession);
  say(`${failovers} failovers; all rows at the end: ${fates.acknowledged} acknowledged, ${fates.lost.length} lost`);
  if (mode !== "off") bad += wrong.length;
} catch (error) {
  bad++;
  console.error((error as Error).stack);
  for (const text of suspicions(cluster.history.writes)) console.error(`    ${text}`);
  console.error(await cluster.fleet.exec("pg1", "patronictl", "list").then(({ stdout, reason }) => stdout || reason));
} finally {
  if (session.outcomes.length > 0) console.log(`\n${results(session.outcomes)}\n`);
  say(`timeline: ${await draw(cluster, name, `${session.outcomes.length} rounds`, about)}`);
  if (bad > 0) say(`logs: ${await keepLogs(cluster, name)}`);
  await cluster[Symbol.asyncDispose]();
}
process.exit(bad > 0 ? 1 : 0);
