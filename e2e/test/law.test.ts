// The cache law under random edits: what Turbo runs and what an engine builds, against what the law says, which is worked
// out here from what each part is made of, without Turbo, without an engine and without the kit's own plan or reasons.
//
//   STRATA_TEST_SEED=<number>   repeats a run; every failure names its seed
//   STRATA_TEST_ENGINES=<…>     clients of the engines to build on, with a blank between them; without it the one that
//                               Strata finds, and the modern one of scripts/modern-engine.mjs, which is started for the
//                               test where it can be, and skipped with the reason where not
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { attempt, type Engine, knowsLinks } from "@strata/engine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EDITS, touch } from "./law/edits.js";
import { Built, lendBase, type PartRecord, testedEngines } from "./law/engines.js";
import { contents, EngineLaw } from "./law/expected.js";
import { generate } from "./law/generate.js";
import { type Model, SOURCES, Workspace } from "./law/model.js";
import { Random } from "./law/random.js";
import { emitted, IMAGE, lying, TreeLaw, turbo } from "./law/tree.js";
import { type Edit, treeEdits } from "./law/tree-edits.js";
import { ROOT, Scratch, sh } from "./scratch.js";

const LIMIT = 900_000;
const SEED = Random.seed();
console.info(`STRATA_TEST_SEED=${SEED} repeats this run`);

describe("random edits of the tree", () => {
  let scratch: Scratch;
  beforeAll(async () => {
    scratch = await Scratch.workspace();
  }, LIMIT);
  afterAll(async () => scratch?.[Symbol.asyncDispose]());

  it("run the tasks that the law names, and leave what a fresh build would make", { timeout: LIMIT }, async () => {
    // The tasks of artifacts compile nothing here: which of them run is a matter of their inputs.
    const packageFile = "images/postgresql/package.json";
    const json = JSON.parse(await scratch.read(packageFile));
    const tasks = Object.keys(json.scripts).filter((name) => name.startsWith("artifact:"));
    for (const task of tasks) json.scripts[task] = "true";
    await scratch.write(packageFile, `${JSON.stringify(json, null, 2)}\n`);
    expect(tasks, "the image's tasks of artifacts").not.toEqual([]);
    const law = new TreeLaw(scratch, tasks);
    const first = await turbo(scratch, "build", ...tasks);
    expect(first).toContain(`${IMAGE}#build`);
    expect(await law.tasks(await emitted(scratch)), "the first build").toEqual(first);

    const done: Edit[] = [];
    const story: string[] = [];
    for (const make of treeEdits(new Random(SEED))) {
      const { text } = await make(scratch, done);
      story.push(text);
      const where = `STRATA_TEST_SEED=${SEED}, edit ${story.length}: ${story.join("; ")}`;
      const fresh = await emitted(scratch);
      const expected = await law.tasks(fresh);
      expect(await turbo(scratch, "build", ...tasks), where).toEqual(expected);
      // What else lies there is of an earlier state: Turbo takes nothing away when it restores, and nobody reads it.
      const found = await lying(scratch, fresh.keys());
      for (const [name, sums] of fresh) expect(found.get(name), `${name}, ${where}`).toMatchObject(sums);
    }
    console.info(`${story.length} edits of the tree`);
  });
});

const engines = await testedEngines();
const lender = engines.find(({ engine }) => engine)?.engine;

describe.each(engines)("random edits of a generated image on $name", ({ engine, reason, stop }) => {
  const EDIT_COUNT = 15;
  const TAG = "strata-e2e/law:only";
  const nonce = `law-${SEED}-${randomUUID().slice(0, 8)}`;
  let scratch: Scratch;

  beforeAll(async () => {
    scratch = await Scratch.empty();
    if (engine && lender && engine !== lender) await lendBase(lender, engine, "debian:trixie-slim");
  }, LIMIT);
  afterAll(async () => {
    if (engine) await attempt(engine.client, ["rmi", TAG]);
    await scratch?.[Symbol.asyncDispose]();
    await stop?.();
  }, LIMIT);

  /** Builds, and gives what became of each part. */
  async function image({ client }: Engine, folder: string): Promise<PartRecord[]> {
    const strata = join(ROOT, "packages/kit/cli/bin/strata.mjs");
    const env = { STRATA_ENGINE: client, STRATA_SOURCES: join(folder, SOURCES) };
    const { code, stdout, stderr } = await sh(folder, "node", [strata, "image", "--json"], { env });
    if (code !== 0) throw new Error(`strata image ended with ${code}\n${stderr}`);
    return (JSON.parse(stdout) as [{ parts: PartRecord[] }])[0].parts;
  }

  it("build the parts that the law names", { timeout: LIMIT }, async ({ skip }) => {
    if (!engine) return skip(reason);
    const random = new Random(SEED);
    const law = new EngineLaw(knowsLinks(engine) ? "buildkit" : "portable");
    const built = new Built(engine);
    const workspace = new Workspace(scratch.folder, nonce);
    let model = generate(random, nonce);
    const past: Model[] = [];
    const story: string[] = [];
    const check = async (text: string): Promise<void> => {
      story.push(text);
      await workspace.write(model);
      const where = `STRATA_TEST_SEED=${SEED}, ${law.dialect}, edit ${story.length - 1}: ${story.join("; ")}`;
      const parts = await built.parts(await image(engine, scratch.folder), TAG);
      expect(parts, where).toEqual(law.built(model));
    };
    await check("the first build");
    expect(contents(model, law.dialect).size).toBeGreaterThan(4);
    const left = random.shuffle(EDITS);
    while (story.length <= EDIT_COUNT) {
      const edited = structuredClone(model);
      const text = left.pop()!(edited, random, `n${story.length}-${nonce}`);
      if (text === undefined) continue;
      past.push(model);
      model = edited;
      await check(text);
      if (story.length % 6 === 0) {
        model = past.splice(random.between(0, past.length - 1))[0]!;
        await check("back to an earlier state");
      }
    }
    await check(await touch(scratch.folder, model, random));
    console.info(`${story.length - 1} edits of a generated image, ${law.dialect}, ${dirname(engine.client)}`);
  });
});
