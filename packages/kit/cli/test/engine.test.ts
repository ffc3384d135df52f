import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { calls, dockerPath, scratch, start, strata, workspace } from "./helpers.js";

/** The case of an image that is in the engine's store. */
const IMAGE = `image\\ inspect*) echo '[{"Id":"sha256:abc","Size":84000000,"Config":{"Healthcheck":{"Test":["CMD","/check"]}}}]' ;;`;
const NO_CONTAINER = "container\\ inspect*) exit 1 ;;";
const container = (port: number): string =>
  `container\\ inspect*) echo '[{"Id":"c","Image":"sha256:abc","State":{"Running":true,"ExitCode":0},"HostConfig":{"PortBindings":{"5432/tcp":[{"HostPort":"${port}"}]}}}]' ;;`;

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** A port that somebody listens on. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  servers.push(server);
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

describe.concurrent("without an engine", () => {
  it.each([["image"], ["up"], ["down"]])("strata %s says what was expected and what to do", async (command) => {
    const { code, stderr } = await strata(await workspace("alpha"), [command]);
    expect(code).toBe(1);
    expect(stderr).toContain("strata: container engine: expected a Docker with BuildKit, found no docker on the PATH");
    expect(stderr).toContain("→ install an engine: `sudo apt-get install");
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it("strata doctor fails, and says by line what to do", async () => {
    const { code, stdout } = await strata(await scratch(), ["doctor"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL engine +none that works\n {5}→ install an engine/m);
    expect(stdout).toMatch(/^ok {3}Node\.js/m);
    expect(stdout).not.toContain("\u001b");
  });

  it("strata doctor --json says the same as data", async () => {
    const { code, stdout } = await strata(await scratch(), ["doctor", "--json"]);
    expect(code).toBe(1);
    const engine = JSON.parse(stdout).find(({ what }: { what: string }) => what === "engine");
    expect(engine).toMatchObject({ ok: false, found: "none that works" });
  });
});

describe.concurrent("strata doctor", () => {
  it("names the engine that works, and passes over one that does not", async () => {
    const folder = await scratch();
    const bin = await dockerPath(folder, "");
    const { stdout } = await strata(folder, ["doctor"], { PATH: bin });
    expect(stdout).toContain(`${bin}/docker 26.1.5, server 26.1.5, BuildKit by buildx`);
  });
});

describe.concurrent("strata image", () => {
  const BUILD = `${IMAGE}\nbuildx\\ build*) printf '%s\\n' "#1 [final 1/3] FROM x" "#1 DONE 0.0s" "#2 [final 2/3] RUN x" "#2 DONE 1.5s" "#3 [part 1/1] COPY x" "#3 CACHED" "#4 [final 3/3] COPY x" "#4 CACHED" ;;`;

  it("tells by layer what was cached, and keeps the record beside the image", async () => {
    const folder = await workspace("alpha");
    const PATH = await dockerPath(folder, BUILD);
    const { code, stdout, stderr } = await strata(folder, ["image", "17-trixie"], { PATH });
    expect(code).toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^ {2}setup\/part +built +1\.5 s$/m);
    expect(stderr).toMatch(/^ {2}runtime\/part +cached$/m);
    expect(stderr).toMatch(/^strata\/alpha:17-trixie {2}84 MB in .*, also :17$/m);
    expect(stderr).not.toContain("\u001b");
    const record = JSON.parse(await readFile(join(folder, "images/alpha/.strata/17-trixie/build.json"), "utf8"));
    expect(record).toMatchObject({ id: "sha256:abc", size: 84_000_000, base: { origin: "registry" } });
  });

  it("names the commit in the first build of a clone", async () => {
    const folder = await workspace("alpha");
    const author = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
    for (const words of [
      ["init", "-q"],
      ["add", "-A"],
      [...author, "commit", "-qm", "one"],
    ])
      execFileSync("git", words, { cwd: folder });
    const PATH = `${await dockerPath(folder, BUILD)}:${process.env.PATH}`;
    await strata(folder, ["image", "17-trixie"], { PATH });
    const build = (await calls(folder)).find((call) => call.startsWith("buildx build "));
    expect(build).toMatch(/ org\.opencontainers\.image\.revision=[0-9a-f]{40}/);
  });

  it("prints nothing but JSON on stdout with --json", async () => {
    const folder = await workspace("alpha");
    const PATH = await dockerPath(folder, BUILD);
    const { stdout } = await strata(folder, ["image", "17-trixie", "--json"], { PATH });
    expect(JSON.parse(stdout)[0].tags).toEqual(["strata/alpha:17-trixie", "strata/alpha:17"]);
  });

  it("fails with the step that failed", async () => {
    const folder = await workspace("alpha");
    const cases = `${IMAGE}\nbuildx\\ build*) printf '%s\\n' "#2 [final 2/3] RUN x" "#2 0.1 E: no such package" "#2 ERROR: exit code: 100"; exit 1 ;;`;
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], { PATH: await dockerPath(folder, cases) });
    expect(code).toBe(1);
    expect(stderr).toContain("step [final 2/3] RUN x failed\n    E: no such package");
    expect(existsSync(join(folder, "images/alpha/.strata/17-trixie/build.json"))).toBe(false);
  });

  it("leaves what a report tells of a build that failed, until one succeeds", async () => {
    const folder = await workspace("alpha");
    const cases = `${IMAGE}\nbuildx\\ build*) printf '%s\\n' "#2 [final 2/3] RUN x" "#2 0.1 E: no such package" "#2 ERROR: exit code: 100"; exit 1 ;;`;
    const report = async (): Promise<string> => (await strata(folder, ["report", "alpha", "17-trixie"])).stdout;
    await strata(folder, ["image", "17-trixie"], { PATH: await dockerPath(folder, cases) });
    expect(await report()).toContain("Failed at setup/part: E: no such package");
    await strata(folder, ["image", "17-trixie"], { PATH: await dockerPath(folder, BUILD) });
    expect(await report()).not.toContain("Failed");
    const refused = `${IMAGE}\nbuildx\\ build*) echo "ERROR: the engine is gone"; exit 1 ;;`;
    await strata(folder, ["image", "17-trixie"], { PATH: await dockerPath(folder, refused) });
    expect(await report()).toContain("Stopped before");
  });

  it("ends with 130 at once when it is interrupted", async ({ expect }) => {
    const folder = await workspace("alpha");
    const PATH = await dockerPath(
      folder,
      `${IMAGE}\nbuildx\\ build*) echo "#2 [final 2/3] RUN x"; exec /bin/sleep 30 ;;`,
    );
    const { child, ended } = start(folder, ["image", "17-trixie"], { PATH });
    await expect.poll(() => calls(folder), { timeout: 20_000 }).toContainEqual(expect.stringMatching(/^buildx build/));
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain("interrupted");
  });
});

describe.concurrent("strata up", () => {
  it.each([
    ["--port", "abc"],
    ["--port", "0"],
    ["--port", "70000"],
    ["--timeout", "soon"],
    ["--timeout", "-1"],
  ])("refuses %s %s before it asks the engine for anything", async (option, value) => {
    const folder = await workspace("alpha");
    const cases = `${IMAGE}\n${NO_CONTAINER}\nrun*) ;;\nlogs*) ;;\nexec*) ;;`;
    const { code, stderr } = await strata(folder, ["up", `${option}=${value}`], {
      PATH: await dockerPath(folder, cases),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`option ${option}`);
    expect(stderr).toContain(value);
    expect((await calls(folder)).filter((call) => !/version/.test(call))).toEqual([]);
  });

  it("says which port is taken, and names a free one", async () => {
    const folder = await workspace("alpha");
    const port = await takenPort();
    const PATH = await dockerPath(folder, `${IMAGE}\n${NO_CONTAINER}`);
    const { code, stderr } = await strata(folder, ["up", "--port", String(port)], { PATH });
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port}: expected it to be free on 127.0.0.1, found it taken`);
    expect(stderr).toMatch(/such as `--port \d+`/);
  });

  it("keeps the container that runs when the port it is asked for is taken", async () => {
    const folder = await workspace("alpha");
    const port = await takenPort();
    const PATH = await dockerPath(folder, `${IMAGE}\n${container(15_432)}\nstop*) ;;\nrm*) ;;`);
    const { code } = await strata(folder, ["up", "--port", String(port)], { PATH });
    expect(code).toBe(1);
    expect((await calls(folder)).filter((call) => /^(stop|rm)/.test(call))).toEqual([]);
  });

  it("leaves alone what already runs, and tells how to connect", async () => {
    const folder = await workspace("alpha");
    const PATH = await dockerPath(folder, `${IMAGE}\n${container(15_432)}\nexec*) ;;`);
    const { code, stdout, stderr } = await strata(folder, ["up", "--json"], { PATH });
    expect([code, stderr]).toEqual([0, "strata-alpha is already running\n"]);
    expect(JSON.parse(stdout)).toMatchObject({ name: "strata-alpha", port: 15_432, connect: "127.0.0.1:15432" });
  });

  it("gives the secret as a file that other users cannot reach, never in the arguments", async () => {
    const folder = await workspace("alpha");
    // The container is there once it was started.
    const cases = `${IMAGE}\ncontainer\\ inspect*) if [ -e "$0.started" ]; then echo '[{"Id":"c","Image":"sha256:abc","State":{"Running":true,"ExitCode":0}}]'; else exit 1; fi ;;\nrun*) : >"$0.started" ;;\nexec*) ;;`;
    const port = await takenPort().then((taken) => taken + 1);
    const { code } = await strata(folder, ["up", "--port", String(port)], { PATH: await dockerPath(folder, cases) });
    expect(code).toBe(0);
    const state = join(folder, ".local/state/strata/strata-alpha");
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    const secret = await readFile(join(state, "PASSWORD"), "utf8");
    expect(secret).toMatch(/^[\w-]{24}$/);
    const run = (await calls(folder)).find((call) => call.startsWith("run"));
    expect(run).toContain(`--volume ${state}/PASSWORD:/run/secrets/PASSWORD:ro`);
    expect(run).toContain("--env PASSWORD_FILE=/run/secrets/PASSWORD");
    expect(run).not.toContain(secret);
  });

  it("ends with 130 at once when it is interrupted while it waits", async ({ expect }) => {
    const folder = await workspace("alpha");
    const PATH = await dockerPath(
      folder,
      `${IMAGE}\n${container(15_432)}\nexec*) echo starting >&2; exit 1 ;;\nlogs*) ;;`,
    );
    const { child, ended } = start(folder, ["up", "--timeout", "50"], { PATH });
    await expect.poll(() => calls(folder), { timeout: 20_000 }).toContainEqual(expect.stringMatching(/^exec/));
    const began = Date.now();
    child.kill("SIGINT");
    const { code } = await ended;
    expect(code).toBe(130);
    expect(Date.now() - began).toBeLessThan(40_000);
  });
});

describe.concurrent("strata down", () => {
  it("says what it stopped, or that nothing ran", async () => {
    const folder = await workspace("alpha");
    const there = await dockerPath(folder, `${container(15_432)}\nstop*) ;;\nrm*) ;;`);
    expect(await strata(folder, ["down"], { PATH: there })).toMatchObject({
      code: 0,
      stderr: "stopped and removed strata-alpha\n",
    });
    const absent = await dockerPath(folder, NO_CONTAINER);
    expect(await strata(folder, ["down"], { PATH: absent })).toMatchObject({
      code: 0,
      stderr: "strata-alpha was not running\n",
    });
  });

  it("keeps the secrets of data that could not be removed, and says so", async () => {
    const folder = await workspace("alpha");
    const started = `${IMAGE}\n${container(15_432)}\nexec*) ;;`;
    await strata(folder, ["up"], { PATH: await dockerPath(folder, started) });
    const secret = join(folder, ".local/state/strata/strata-alpha/PASSWORD");
    expect(existsSync(secret)).toBe(true);
    const busy = `${container(15_432)}\nstop*) ;;\nrm*) ;;\nvolume\\ rm*) echo "volume is in use" >&2; exit 1 ;;\nvolume\\ inspect*) echo '[{}]' ;;`;
    const { code, stderr } = await strata(folder, ["down", "--volumes"], { PATH: await dockerPath(folder, busy) });
    expect(stderr).toContain("volume is in use");
    expect(code).toBe(1);
    expect(existsSync(secret)).toBe(true);
  });
});

describe.concurrent("a command that asks no engine", () => {
  it("ends with 130 at once when it is interrupted", async ({ expect }) => {
    const folder = await workspace("alpha");
    const file = join(folder, "images/alpha/image.ts");
    const slow = 'console.error("loading"); await new Promise((done) => setTimeout(done, 60_000));';
    await writeFile(file, `${slow}\n${await readFile(file, "utf8")}`);
    const { child, ended } = start(folder, ["plan"]);
    await new Promise((loading) => child.stderr?.once("data", loading));
    const began = Date.now();
    child.kill("SIGINT");
    const { code } = await ended;
    expect(code).toBe(130);
    expect(Date.now() - began).toBeLessThan(40_000);
  });
});
