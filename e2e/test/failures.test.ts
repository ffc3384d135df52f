// A Patroni cluster of three nodes with three of etcd and HAProxy is broken in every way we know, under load. With synchronous
// replication no acknowledged commit may be lost and no two primaries may acknowledge; without it the loss is measured. How
// often that holds is the matter of a longer run: `pnpm --filter @strata/e2e failures -- --failovers 50`.
//
//   STRATA_TEST_SEED=<number>   repeats the random choices of a run
import { afterAll, describe, expect, it } from "vitest";
import { Lane, WHOLE } from "./ha/lane.js";
import { REPORTS } from "./ha/report.js";
import { scenarioOf } from "./ha/scenarios.js";
import { Random } from "./law/random.js";

const LIMIT = 900_000;
const SEED = Random.seed();
console.info(`STRATA_TEST_SEED=${SEED} repeats this run; its pictures are in ${REPORTS}`);

const lane = (name: string, variant: string, mode: "on" | "off", ...failures: string[]): Lane =>
  new Lane(name, { variant, mode }, failures, SEED);
const first = lane(
  ...(["17-trixie-on-a", "17-trixie", "on", "switchover", "container-kill", "cut-replicas", "pause"] as const),
  ...["etcd-leader", "disk-full", "rebuild", "rolling-restart"],
);
const second = lane(
  ...(["17-trixie-on-b", "17-trixie", "on", "stop", "server-kill", "patroni-kill", "cut-etcd"] as const),
  ...["etcd-majority", "cut-both", "storm"],
);
const older = lane("15-bookworm-on", "15-bookworm", "on", "stop", "pause", "lagging-kill");
const asynchronous = lane("17-trixie-off", "17-trixie", "off", "lagging-kill", "cut-both");

// Two clusters at a time: more would keep two processors so busy that leaders miss their turn.
const done = [older.start(first.start()), asynchronous.start(second.start())];
afterAll(async () => void (await Promise.all(done)), LIMIT);

describe.each([
  ["17-trixie", first],
  ["17-trixie", second],
  ["15-bookworm", older],
])("a synchronous cluster of %s loses nothing and has one primary", (_, lane) => {
  for (const failure of lane.failures)
    it(scenarioOf(failure).title, { timeout: LIMIT }, async ({ skip }) => {
      const { outcome, skipped, complaints } = await lane.judged(failure);
      if (skipped) skip(skipped);
      expect(complaints).toEqual([]);
      expect(outcome?.fates.acknowledged).toBeGreaterThan(80);
    });

  it("all rows at the end", { timeout: LIMIT }, async () => {
    expect((await lane.judged(WHOLE)).complaints).toEqual([]);
  });
});

describe("an asynchronous cluster", () => {
  for (const failure of asynchronous.failures)
    it(`loses commits, and they are counted: ${scenarioOf(failure).title}`, { timeout: LIMIT }, async ({ skip }) => {
      const { outcome, skipped } = await asynchronous.judged(failure);
      if (skipped) skip(skipped);
      const { lost, acknowledged, strange } = outcome!.fates;
      console.info(`lost without synchronous replication: ${lost.length} of ${acknowledged} acknowledged commits`);
      expect(lost.length).toBeGreaterThan(0);
      expect(strange).toEqual([]);
      expect(outcome!.faults).toEqual([]);
    });
});
