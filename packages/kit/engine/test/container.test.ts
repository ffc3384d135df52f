import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inspectContainer, inspectImage, removeContainer, runContainer, waitHealthy } from "../src/container.js";
import type { Engine } from "../src/probe.js";
import { calls, docker, problemsOf, program, scratch } from "./helpers.js";

/** An engine whose client answers as these cases of a shell script say; and the folder of its log. */
async function engine(cases: string): Promise<{ engine: Engine; folder: string }> {
  const folder = await scratch();
  const client = await program(folder, "docker", docker(cases));
  return { engine: { client, clientVersion: "26", serverVersion: "26", builder: "buildx", env: {} }, folder };
}

const request = {
  name: "strata-sample",
  image: "sha256:abc",
  ports: new Map([[5432, 15_432]]),
  mounts: new Map([["/data", "strata-sample-data"]]),
  env: { PASSWORD_FILE: "/run/secrets/PASSWORD" },
};

describe("runContainer", () => {
  it("publishes on 127.0.0.1 alone, and mounts what it is given", async () => {
    const stub = await engine("run*) ;;");
    await runContainer(stub.engine, request);
    expect(await calls(stub.folder)).toEqual([
      "run --detach --name strata-sample --restart unless-stopped --shm-size 256m --publish 127.0.0.1:15432:5432 " +
        "--volume strata-sample-data:/data --env PASSWORD_FILE=/run/secrets/PASSWORD sha256:abc",
    ]);
  });

  it("says why the engine did not start it, and leaves nothing behind", async () => {
    const stub = await engine('run*) echo "docker: no such image." >&2; exit 125 ;;\nrm*) ;;');
    const text = await problemsOf(() => runContainer(stub.engine, request));
    expect(text).toContain("container strata-sample: the engine did not start it: docker: no such image.");
    expect((await calls(stub.folder)).at(-1)).toBe("rm --force strata-sample");
  });

  it.each([
    "Error starting userland proxy: listen tcp4 127.0.0.1:15432: bind: address already in use.",
    "Bind for 127.0.0.1:15432 failed: port is already allocated.",
  ])("names the port that is taken, and another: %s", async (message) => {
    const stub = await engine(`run*) echo "docker: Error response from daemon: ${message}" >&2; exit 125 ;;\nrm*) ;;`);
    const text = await problemsOf(() => runContainer(stub.engine, request));
    expect(text).toContain("port 15432: expected it to be free");
    expect(text).toMatch(/--port 154\d\d/);
  });

  it("never removes somebody else's container of that name", async () => {
    const conflict = 'Conflict. The container name \\"/strata-sample\\" is already in use by container \\"f00\\".';
    const stub = await engine(`run*) echo "docker: Error response from daemon: ${conflict}" >&2; exit 125 ;;\nrm*) ;;`);
    expect(await problemsOf(() => runContainer(stub.engine, request))).toContain("already in use");
    expect(await calls(stub.folder)).toHaveLength(1);
  });
});

describe("inspecting", () => {
  it("gives nothing for what is not there", async () => {
    const stub = await engine('*inspect*) echo "[]"; echo "Error: No such object" >&2; exit 1 ;;');
    expect(await inspectImage(stub.engine, "x")).toBeUndefined();
    expect(await inspectContainer(stub.engine, "x")).toBeUndefined();
  });

  it("reads an image with and without what is optional", async () => {
    const full = {
      Id: "i",
      Size: 5,
      RootFS: { Layers: ["l"] },
      Config: { Labels: { a: "b" }, Healthcheck: { Test: ["CMD", "x"] } },
    };
    const stub = await engine(
      `image\\ inspect\\ full) echo '${JSON.stringify([full])}' ;;\nimage\\ inspect\\ bare) echo '[{"Id":"i","Size":1}]' ;;`,
    );
    expect(await inspectImage(stub.engine, "full")).toEqual({
      id: "i",
      size: 5,
      layers: ["l"],
      labels: { a: "b" },
      healthcheck: ["x"],
    });
    expect(await inspectImage(stub.engine, "bare")).toEqual({
      id: "i",
      size: 1,
      layers: [],
      labels: {},
      healthcheck: [],
    });
  });

  it("reads the ports that a container is bound to, running or not", async () => {
    const container = {
      Id: "c",
      Image: "i",
      State: { Running: false, ExitCode: 3 },
      HostConfig: { PortBindings: { "5432/tcp": [{ HostPort: "15432" }], "9/tcp": null } },
    };
    const stub = await engine(`container\\ inspect*) echo '${JSON.stringify([container])}' ;;`);
    expect(await inspectContainer(stub.engine, "x")).toEqual({
      id: "c",
      image: "i",
      running: false,
      ports: { "5432/tcp": 15_432, "9/tcp": 0 },
      exitCode: 3,
    });
  });
});

const running = (state: boolean, exitCode = 0): string =>
  `container\\ inspect*) echo '[{"Id":"c","Image":"i","State":{"Running":${state},"ExitCode":${exitCode}}}]' ;;`;

describe("waitHealthy", () => {
  it("asks the image's own check until it is green", async () => {
    const stub = await engine(
      `${running(true)}\nexec*) [ "$(grep -c ^exec "\${0%/*}/calls.log")" -ge 2 ] || { echo starting >&2; exit 1; } ;;`,
    );
    await waitHealthy(stub.engine, "x", ["/check", "--fast"], 10);
    expect((await calls(stub.folder)).filter((call) => call.startsWith("exec"))).toEqual([
      "exec x /check --fast",
      "exec x /check --fast",
    ]);
  });

  it("gives up at once on a container that ended, with its code and the end of its log", async () => {
    const stub = await engine(`${running(false, 2)}\nlogs*) echo "PASSWORD: expected a value" >&2 ;;`);
    const text = await problemsOf(() => waitHealthy(stub.engine, "x", ["/check"], 60));
    expect(text).toContain("it ended with exit code 2");
    expect(text).toContain("    PASSWORD: expected a value");
    expect(text).toContain("docker logs x");
  });

  it("says what the check said last when time is up", async () => {
    const stub = await engine(`${running(true)}\nexec*) echo "still initialising" >&2; exit 1 ;;\nlogs*) ;;`);
    const text = await problemsOf(() => waitHealthy(stub.engine, "x", ["/check"], 0.3));
    expect(text).toContain("expected it healthy within 0.3 s: still initialising");
  });
});

describe("removeContainer", () => {
  it("stops before it removes, and gives the server time", async () => {
    const stub = await engine(`${running(true)}\nstop*) ;;\nrm*) ;;`);
    expect(await removeContainer(stub.engine, "x", 7)).toBe(true);
    expect((await calls(stub.folder)).slice(1)).toEqual(["stop --time 7 x", "rm --force x"]);
  });

  it("does nothing where there is none", async () => {
    const stub = await engine("container\\ inspect*) exit 1 ;;");
    expect(await removeContainer(stub.engine, "x")).toBe(false);
    expect(await calls(stub.folder)).toHaveLength(1);
  });

  it("does not say that it removed what the engine did not", async () => {
    const stub = await engine(`${running(true)}\nstop*) ;;\nrm*) echo "device or resource busy" >&2; exit 1 ;;`);
    expect(await problemsOf(() => removeContainer(stub.engine, "x"))).toContain("device or resource busy");
  });

  it("works with a client whose path has a space", async () => {
    const folder = await scratch();
    const client = await program(join(folder, "with space"), "docker", docker("container*) exit 1 ;;"));
    expect(
      await removeContainer({ client, clientVersion: "", serverVersion: "", builder: "buildx", env: {} }, "x"),
    ).toBe(false);
  });
});
