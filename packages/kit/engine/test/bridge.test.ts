import { delimiter } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { steadyBridge } from "../src/bridge.js";
import { calls, program, scratch, write } from "./helpers.js";

const root = process.getuid?.() === 0;

/** Runs it on a machine whose bridge has this address, in this way; gives what `ip` was told, and what was said. */
async function run(files: Readonly<Record<string, string>>, code = 0): Promise<{ told: string[]; said: string[] }> {
  const folder = await scratch();
  await program(folder, "ip", `printf '%s\\n' "$*" >>"\${0%/*}/calls.log"; exit ${code}`);
  await write(folder, { "calls.log": "", ...files });
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
  const said: string[] = [];
  await steadyBridge((line) => said.push(line), "docker0", folder);
  return { told: (await calls(folder)).filter(Boolean), said };
}

const bridge = (how: string) => ({ "docker0/address": "02:42:00:00:00:01\n", "docker0/addr_assign_type": `${how}\n` });

afterEach(() => void vi.unstubAllEnvs());

it.runIf(root)("gives a bridge without an address of its own the one that it has now, and says so", async () => {
  const { told, said } = await run(bridge("1"));
  expect(told).toEqual(["link set dev docker0 address 02:42:00:00:00:01"]);
  expect(said).toEqual(["the engine's network docker0 keeps its address 02:42:00:00:00:01 from now on"]);
});

it("leaves a bridge alone that has one, and a machine without that bridge", async () => {
  expect(await run(bridge("3"))).toEqual({ told: [], said: [] });
  expect(await run({})).toEqual({ told: [], said: [] });
});

it("says nothing where it could not", async () => {
  expect((await run(bridge("1"), 2)).said).toEqual([]);
});
