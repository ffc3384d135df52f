import { symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { candidates, findEngine, probe, probeClient, type Rejected, remedy } from "../src/probe.js";
import { calls, docker, problemsOf, program, scratch, versions, write } from "./helpers.js";

const BUILDX = 'buildx\\ version) echo "github.com/docker/buildx 0.13.1" ;;';
const NO_BUILDX = "buildx\\ version) echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1 ;;";
const DENIED =
  'version*) echo "Got permission denied while trying to connect to the Docker daemon socket" >&2; exit 1 ;;';

const rejected = (reason: Rejected["reason"]): Rejected => ({ client: "/usr/bin/docker", reason, message: "m" });

describe("probeClient", () => {
  it("takes a client older than 23 with its own BuildKit, and says how to switch that on", async () => {
    const folder = await scratch();
    const client = await program(folder, "docker", docker(versions("20.10.24+dfsg1", "20.10.24+dfsg1")));
    expect(await probeClient(client)).toEqual({
      client,
      clientVersion: "20.10.24+dfsg1",
      serverVersion: "20.10.24+dfsg1",
      builder: "builtin",
      env: { DOCKER_BUILDKIT: "1" },
    });
    expect(await calls(folder)).toEqual(["version --format {{json .}}"]);
  });

  it("takes a newer client with the buildx plugin", async () => {
    const client = await program(await scratch(), "docker", docker(`${versions("26.1.5", "26.1.5")}\n${BUILDX}`));
    expect(await probeClient(client)).toMatchObject({ builder: "buildx", clientVersion: "26.1.5", env: {} });
  });

  it("refuses a newer client without it, which would silently use the old builder", async () => {
    const client = await program(await scratch(), "docker", docker(`${versions("26.1.5", "26.1.5")}\n${NO_BUILDX}`));
    expect(await probeClient(client)).toEqual({
      client,
      reason: "no-buildkit",
      message: "client 26.1.5 has no buildx plugin, and would silently use the old builder",
    });
  });

  it("tells a server that does not answer from one that this user may not reach", async () => {
    const stopped = await program(await scratch(), "docker", docker(versions("26.1.5", null)));
    expect(await probeClient(stopped)).toMatchObject({
      reason: "no-server",
      message: expect.stringContaining("Cannot connect to the Docker daemon"),
    });
    const denied = await program(await scratch(), "docker", docker(DENIED));
    expect(await probeClient(denied)).toMatchObject({ reason: "no-permission" });
  });

  it("understands an old client that prints nothing at all without a server", async () => {
    const body = 'version*) echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock." >&2; exit 1 ;;';
    const client = await program(await scratch(), "docker", docker(body));
    expect(await probeClient(client)).toMatchObject({ reason: "no-server" });
  });

  it("says of something else in docker's place that it is no client", async () => {
    const client = await program(await scratch(), "docker", "echo hello");
    expect(await probeClient(client)).toMatchObject({ reason: "no-client", message: "it printed no version" });
    const absent = join(await scratch(), "docker");
    expect(await probeClient(absent)).toMatchObject({ reason: "no-client", message: expect.stringMatching(/ENOENT/) });
    const folder = await scratch();
    await write(folder, { docker: "not executable" });
    expect(await probeClient(join(folder, "docker"))).toMatchObject({ reason: "no-client" });
  });

  it("says why on one line, so that a list of clients stays a list", async () => {
    const found = await probeClient(join(await scratch(), "docker"));
    expect("message" in found && found.message).not.toContain("\n");
  });

  it("takes a server that is too slow to answer for one that is down, not for no client", async () => {
    const client = await program(
      await scratch(),
      "docker",
      docker('version*) echo "context deadline exceeded" >&2; exit 1 ;;'),
    );
    expect(await probeClient(client)).toMatchObject({ reason: "no-server" });
  });

  it("refuses a Docker whose BuildKit is older than Dockerfile 1.2 asks for", async () => {
    const client = await program(await scratch(), "docker", docker(versions("19.03.15", "19.03.15")));
    expect(await probeClient(client)).toMatchObject({ reason: "no-buildkit" });
  });
});

describe("candidates", () => {
  it("are every docker on the PATH in its order, each program once", async () => {
    const [one, two, three] = [await scratch(), await scratch(), await scratch()];
    await program(one, "docker", "");
    await program(three, "docker", "");
    await symlink(join(one, "docker"), join(two, "docker"));
    const PATH = ["", two, one, "/nowhere", three, three].join(delimiter);
    expect(candidates({ PATH })).toEqual([join(two, "docker"), join(three, "docker")]);
  });

  it("are the one that STRATA_ENGINE names, there or not", () => {
    expect(candidates({ PATH: "/usr/bin", STRATA_ENGINE: "/opt/docker" })).toEqual(["/opt/docker"]);
  });

  it("are none without a PATH, and pass over what leads nowhere", async () => {
    const folder = await scratch();
    await symlink("/nowhere/docker", join(folder, "docker"));
    expect(candidates({})).toEqual([]);
    expect(candidates({ PATH: folder })).toEqual([]);
  });
});

describe("probe", () => {
  it("passes over clients that will not do, and asks none after the first that does", async () => {
    const [broken, good, never] = [await scratch(), await scratch(), await scratch()];
    await program(broken, "docker", docker(`${versions("27.0.0", "27.0.0")}\n${NO_BUILDX}`));
    await program(good, "docker", docker(versions("20.10.24", "20.10.24")));
    await program(never, "docker", docker(versions("20.10.24", "20.10.24")));
    const found = await probe({ PATH: [broken, good, never].join(delimiter) });
    expect(found.engine?.client).toBe(join(good, "docker"));
    expect(found.rejected.map(({ client, reason }) => [client, reason])).toEqual([
      [join(broken, "docker"), "no-buildkit"],
    ]);
    expect(await calls(never)).toEqual([]);
  });

  it("finds nothing on an empty PATH", async () => {
    expect(await probe({ PATH: await scratch() })).toEqual({ rejected: [] });
  });
});

describe("remedy", () => {
  it.each<[Rejected["reason"][], RegExp]>([
    [[], /^install an engine: `sudo apt-get install .*docker\.io/],
    [["no-client"], /^install an engine/],
    [["no-permission"], /usermod -aG docker/],
    [["no-permission", "no-server"], /usermod -aG docker/],
    [["no-buildkit"], /buildx/],
    [["no-server"], /systemctl start docker/],
  ])("for %j is one sentence with a command", (reasons, expected) => {
    const text = remedy(reasons.map(rejected));
    expect(text).toMatch(expected);
    expect(text).toMatch(/`[^`]+`/);
    expect(text).not.toContain("\n");
  });

  it("gives an engine that answers its BuildKit, though another client reaches no server", () => {
    const text = remedy([rejected("no-server"), rejected("no-buildkit")]);
    expect(text).toContain("buildx");
    expect(text).not.toMatch(/^install an engine/);
  });
});

describe("findEngine", () => {
  it("names every client that was tried, why it will not do, and the fix", async () => {
    const [one, two] = [await scratch(), await scratch()];
    await program(one, "docker", docker(versions("26.1.5", null)));
    await program(two, "docker", docker(versions("25.0.0", null)));
    const text = await problemsOf(() => findEngine({ PATH: [one, two].join(delimiter) }));
    expect(text).toContain("container engine: expected a Docker with BuildKit, found none that works:");
    expect(text).toContain(`\n    ${join(one, "docker")}: Cannot connect`);
    expect(text).toContain(`\n    ${join(two, "docker")}: Cannot connect`);
    expect(text).toMatch(/\n {2}→ start the engine/);
  });

  it("says so where there is no docker at all", async () => {
    const text = await problemsOf(async () => findEngine({ PATH: await scratch() }));
    expect(text).toContain("found no docker on the PATH");
    expect(text).toContain("→ install an engine");
  });

  it("blames STRATA_ENGINE, not the machine, when what it names is not there", async () => {
    const text = await problemsOf(() => findEngine({ STRATA_ENGINE: "/nowhere/docker" }));
    expect(text).toContain("/nowhere/docker");
    expect(text).toContain("STRATA_ENGINE");
    expect(text).not.toContain("apt-get install");
  });
});
