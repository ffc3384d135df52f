import { randomBytes } from "node:crypto";
import { attempt, findEngine } from "@strata/engine";
import { afterAll, beforeAll, expect, it } from "vitest";
import { must, Scratch } from "./scratch.js";

const REPOSITORY = "strata-e2e/nojit";
const TAG = `${REPOSITORY}:17-trixie`;
const engine = await findEngine();
let scratch: Scratch;

beforeAll(async () => {
  scratch = await Scratch.workspace();
  const definition = await scratch.read("images/postgresql/image.ts");
  const changed = definition
    .replace('name: "postgresql",', `name: "postgresql",\n  repository: "${REPOSITORY}",`)
    .replace('"setup-postgresql": { major: "17" }', '"setup-postgresql": { major: "17", jit: false }');
  expect(changed).toContain("jit: false }");
  await scratch.write("images/postgresql/image.ts", changed);
  await must(scratch.folder, "pnpm", "turbo", "run", "build");
  await must(scratch.folder, "pnpm", "--silent", "strata", "image", "postgresql", "17-trixie");
}, 600_000);

afterAll(async () => {
  const tags = await attempt(engine.client, ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY]);
  await attempt(engine.client, ["rmi", ...tags.stdout.split("\n").filter(Boolean)]);
  await scratch?.[Symbol.asyncDispose]();
});

/** Runs a script in the image, without its entrypoint. */
async function inside(script: string, ...options: string[]): Promise<string> {
  const { stdout, reason } = await attempt(
    engine.client,
    ["run", "--rm", ...options, "--entrypoint", "bash", TAG, "-c", script],
    { timeout: 120_000 },
  );
  expect(reason).toBe("");
  return stdout.trim();
}

it("is at most 320 MB without JIT, with everything else", async () => {
  const { stdout } = await attempt(engine.client, ["image", "inspect", "--format", "{{.Size}}", TAG]);
  expect(Number(stdout)).toBeLessThanOrEqual(320e6);
  console.info(`without JIT: ${Math.round(Number(stdout) / 1e6)} MB`);
  expect(Number(stdout)).toBeGreaterThan(100e6);
});

it("has no LLVM, and nothing half-removed: APT and dpkg are at one with what is there", async () => {
  expect(await inside("find / -xdev -name '*LLVM*' -o -xdev -name 'llvmjit*'", "--user", "0")).toBe("");
  // Documentation is left out of every package of a slim base.
  const verify = "{ dpkg --verify postgresql-17 | grep -vE '^missing +/usr/share/(doc|lintian|locale|man)/' || :; }";
  const checks = `dpkg --audit; ${verify}; apt-get check -qq && echo consistent`;
  expect(await inside(checks, "--user", "0")).toBe("consistent");
});

it("serves, and compiles no query", async () => {
  const name = `strata-test-${randomBytes(6).toString("hex")}`;
  const words = ["run", "--detach", "--name", name, "--env", "POSTGRES_PASSWORD=x", TAG];
  await attempt(engine.client, words);
  try {
    const ask = "until pg_isready -q -h 127.0.0.1; do sleep 0.2; done; psql -XAtqc 'select pg_jit_available()'";
    const { stdout } = await attempt(engine.client, ["exec", name, "timeout", "60", "bash", "-c", ask]);
    expect(stdout.trim()).toBe("f");
  } finally {
    await attempt(engine.client, ["rm", "--force", "--volumes", name]);
  }
});
