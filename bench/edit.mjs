// @ts-check
// What an edit of one script costs: the whole image built again by the engine, against the floor (a Dockerfile whose
// only change is one COPY) and against a cold build. All in one run, in turn; prints medians and their ratios.
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attempt, build, findEngine } from "@strata/engine";
import { archive } from "@strata/fragment";

const ROUNDS = 5;
const SCRIPT = "/opt/container/entrypoint.sh";
const emitted = fileURLToPath(new URL("../packages/runtime/entrypoint/dist/", import.meta.url));
const rendered = fileURLToPath(new URL("../images/postgresql/dist/17-trixie", import.meta.url));
const engine = await findEngine();
const work = mkdtempSync(join(tmpdir(), "strata-bench-"));

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * The archive of the entrypoint's files, with something more at the end of its script.
 * @param {string} more
 */
function edited(more) {
  /** @type {{ files: { path: string, mode: string }[] }} */
  const { files } = JSON.parse(readFileSync(join(emitted, "fragment.json"), "utf8"));
  const contents = files.map(({ path, mode }) => ({
    path,
    mode,
    content: readFileSync(join(emitted, `rootfs${path}`)),
  }));
  return archive(
    contents.map((file) =>
      file.path === SCRIPT ? { ...file, content: Buffer.concat([file.content, Buffer.from(more)]) } : file,
    ),
  );
}

/**
 * Seconds that a build of a folder takes.
 * @param {string} folder
 * @param {boolean} [noCache]
 */
async function time(folder, noCache = false) {
  const began = performance.now();
  await build(engine, { folder, tags: ["strata-bench/edit:latest"], noCache });
  return (performance.now() - began) / 1_000;
}

try {
  const [ours, floor] = [join(work, "ours"), join(work, "floor")];
  cpSync(rendered, ours, { recursive: true });
  mkdirSync(floor);
  writeFileSync(join(floor, "Dockerfile"), "FROM strata/postgresql:17-trixie\nCOPY --chmod=0755 entrypoint.sh /\n");
  cpSync(join(emitted, `rootfs${SCRIPT}`), join(floor, "entrypoint.sh"));
  await time(ours);
  await time(floor);
  /** @type {{ ours: number[], floor: number[] }} */
  const times = { ours: [], floor: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const line = `\n# ${round} ${Date.now()}\n`;
    writeFileSync(join(ours, "fragments/entrypoint.tar"), await edited(line));
    appendFileSync(join(floor, "entrypoint.sh"), line);
    times.ours.push(await time(ours));
    times.floor.push(await time(floor));
  }
  const [edit, base, cold] = [median(times.ours), median(times.floor), await time(ours, true)];
  console.log(`entrypoint edit  ${edit.toFixed(2)} s  (median of ${ROUNDS})`);
  console.log(`floor            ${base.toFixed(2)} s  (one COPY on the finished image)`);
  console.log(`cold             ${cold.toFixed(2)} s  (--no-cache, base at hand)`);
  console.log(`edit / floor     ${(edit / base).toFixed(2)}`);
  console.log(`cold / edit      ${(cold / edit).toFixed(1)}`);
} finally {
  await attempt(engine.client, ["rmi", "strata-bench/edit:latest"]);
  rmSync(work, { recursive: true, force: true });
}
