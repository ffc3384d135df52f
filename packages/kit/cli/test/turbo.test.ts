import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TurboArtifacts } from "../src/turbo.js";
import { scratch, write } from "./helpers.js";

const CONFIG = '{"apiUrl":"http://127.0.0.1:1","enabled":true,"teamSlug":null,"teamId":null}';

/** Turbo's caches in a workspace whose Turbo does so when it runs, and what was told. */
async function made(does: string, config = CONFIG) {
  const root = await scratch();
  await write(root, {
    "images/a/package.json":
      '{"name":"@x/a","scripts":{"artifact:17:citus":"…","artifact:17:buffers":"…","artifact:15:citus":"…"}}',
    "node_modules/.bin/turbo": `#!/bin/sh
if [ "$1" = config ]; then echo '${config}'; exit; fi
echo "\${STRATA_ARTIFACT_RESTORE_ONLY-}|$*" >>calls.log
${does}
`,
  });
  await chmod(join(root, "node_modules/.bin/turbo"), 0o755);
  const told: string[] = [];
  const turbo = new TurboArtifacts(root, join(root, "images/a"), (line) => told.push(line));
  const calls = async () => (await readFile(join(root, "calls.log"), "utf8").catch(() => "")).split("\n").slice(0, -1);
  return { turbo, told, calls };
}

const WORDS = "--filter=@x/a --continue --output-logs=errors-only";

describe("TurboArtifacts", () => {
  it("restores and saves by the tasks of that variant which the image has", async () => {
    const { turbo, told, calls } = await made("");
    await turbo.restore("17", ["citus", "buffers", "other"]);
    await turbo.save("15", ["citus", "buffers"], false);
    await turbo.save("17", ["citus"], true);
    await turbo.save("13", ["citus"], false);
    expect(await calls()).toEqual([
      `1|run artifact:17:citus artifact:17:buffers ${WORDS}`,
      `|run artifact:15:citus ${WORDS}`,
      `|run artifact:17:citus ${WORDS} --force`,
    ]);
    expect(told).toEqual([]);
  });

  it("says nothing of what is not in the caches", async () => {
    const does =
      'echo "@x/a:artifact:17:citus: strata: artifact citus: expected it in Turbo\'s cache, found none"; exit 1';
    const { turbo, told } = await made(does);
    await turbo.restore("17", ["citus"]);
    expect(told).toEqual([]);
  });

  it("tells why what was compiled could not be kept", async () => {
    const does = 'echo "@x/a:artifact:17:citus: strata: disk: expected room on the disk, found none"; exit 1';
    const { turbo, told } = await made(does);
    await turbo.save("17", ["citus"], false);
    expect(told).toEqual([
      "what was compiled is not kept for other builds: disk: expected room on the disk, found none",
    ]);
  });

  it("tells once that the remote cache is of no help, and leaves it alone from then on", async () => {
    const { turbo, told, calls } = await made('echo " WARNING  failed to contact remote cache: no" >&2');
    await turbo.restore("17", ["citus"]);
    await turbo.save("17", ["citus"], false);
    await turbo.save("17", ["citus"], true);
    expect(told).toEqual([
      "Turbo's remote cache is of no help, building goes on without it: failed to contact remote cache: no",
    ]);
    const tails = (await calls()).map((call) => call.slice(call.indexOf(WORDS) + WORDS.length));
    expect(tails).toEqual(["", " --cache=local:rw", " --cache=local:w"]);
  });

  it("asks the remote cache of a team before Turbo does", async () => {
    const { turbo, told, calls } = await made("", CONFIG.replace('"teamSlug":null', '"teamSlug":"us"'));
    await turbo.restore("17", ["citus"]);
    expect(told).toEqual([
      expect.stringMatching(/building goes on without it: http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/),
    ]);
    expect(await calls()).toEqual([`1|run artifact:17:citus ${WORDS} --cache=local:rw`]);
  });

  it("does nothing where there is no Turbo", async () => {
    const root = await scratch();
    await write(root, { "images/a/package.json": '{"name":"@x/a","scripts":{"artifact:17:citus":"…"}}' });
    const told: string[] = [];
    await new TurboArtifacts(root, join(root, "images/a"), (line) => told.push(line)).save("17", ["citus"], false);
    expect(told).toEqual([]);
  });
});
