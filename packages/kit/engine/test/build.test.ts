import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ensureBase } from "../src/base.js";
import { build } from "../src/build.js";
import type { Engine } from "../src/probe.js";
import { calls, docker, problemsOf, program, scratch } from "./helpers.js";

/** An engine whose client answers as these cases of a shell script say; and the folder of its log. */
async function engine(
  cases: string,
  builder: Engine["builder"] = "buildx",
): Promise<{ engine: Engine; folder: string }> {
  const folder = await scratch();
  const client = await program(folder, "docker", docker(cases));
  const env: Record<string, string> = builder === "builtin" ? { DOCKER_BUILDKIT: "1" } : {};
  return { engine: { client, clientVersion: "26", serverVersion: "26", builder, env }, folder };
}

/** Gives a test a folder of its own for what is made for a while: builds of others may go on in the machine's. */
async function ownTemporary(): Promise<string> {
  const folder = await scratch();
  vi.stubEnv("TMPDIR", folder);
  return folder;
}

afterEach(() => void vi.unstubAllEnvs());

describe("build", () => {
  it("loads the image, and hands arguments over as they are", async () => {
    const stub = await engine(
      'buildx\\ build*) printf "[%s]" "$@" >"${0%/*}/args"; printf "#1 [final 1/1] COPY\\n#1 DONE 0.1s\\n" ;;',
    );
    const steps = await build(stub.engine, {
      folder: "/a folder",
      tags: ["x:1", "x:2"],
      args: { BASE_IMAGE: "debian@sha256:a" },
      labels: { note: 'a "b" $c' },
    });
    expect(steps).toEqual([
      {
        number: 1,
        name: "[final 1/1] COPY",
        state: "done",
        seconds: 0.1,
        from: expect.any(Number),
        to: expect.any(Number),
      },
    ]);
    expect((await calls(stub.folder))[0]).toBe(
      'buildx build --load --progress=plain --tag x:1 --tag x:2 --build-arg BASE_IMAGE=debian@sha256:a --label note=a "b" $c /a folder',
    );
  });

  it("builds one stage into a file, with the Dockerfile and the contexts that are named", async () => {
    const stub = await engine('buildx\\ build*) echo "#1 [build-a 1/1] RUN" ;;');
    await build(stub.engine, {
      folder: "/x",
      tags: [],
      file: "Dockerfile.buildkit",
      target: "build-a",
      output: "/tmp/a.tar",
      contexts: { sources: "/s" },
    });
    expect((await calls(stub.folder))[0]).toBe(
      "buildx build --output type=tar,dest=/tmp/a.tar --progress=plain --file /x/Dockerfile.buildkit --target build-a --build-context sources=/s /x",
    );
  });

  it("tells what the engine said of a step that never ran", async () => {
    const stub = await engine(
      'buildx\\ build*) printf "#1 [build-a 1/1] RUN x\\n#1 ERROR: executor failed: no bridge\\n"; exit 1 ;;',
    );
    const text = await problemsOf(() => build(stub.engine, { folder: "/x", tags: ["x:1"] }));
    expect(text).toContain("step [build-a 1/1] RUN x failed\n    executor failed: no bridge");
  });

  it("switches BuildKit on for an old client", async () => {
    const stub = await engine('build*) echo "#1 [final 1/1] BUILDKIT=$DOCKER_BUILDKIT" ;;', "builtin");
    expect((await build(stub.engine, { folder: "/x", tags: ["x:1"] }))[0]?.name).toBe("[final 1/1] BUILDKIT=1");
  });

  it("gives the site's mirror as secrets that only this user can read, and takes them away again", async () => {
    const temporary = await ownTemporary();
    const stub = await engine(
      'buildx\\ build*) for word; do case $word in id=*) file=${word##*src=}; echo "#1 $(stat -c %a "$file") $(cat "$file")" ;; esac; done ;;',
    );
    const events: string[] = [];
    await build(stub.engine, {
      folder: "/x",
      tags: ["x:1"],
      site: { sources: "deb http://mirror x main" },
      onEvent: ({ step }) => events.push(step.name),
    });
    expect(events).toEqual(["600 deb http://mirror x main"]);
    expect((await calls(stub.folder))[0]).not.toContain("mirror");
    expect((await readdir(temporary)).filter((name) => name.startsWith("strata-secrets-"))).toEqual([]);
  });

  it("says which step failed, without its mounts, and how its output ended", async () => {
    const name =
      "[final 2/5] RUN --mount=type=tmpfs,target=/mnt     --mount=type=bind,source=x,target=/mnt/x     bash install.sh";
    const stub = await engine(
      `buildx\\ build*) echo "#7 ${name}"; for i in $(seq 40); do echo "#7 0.$i line $i"; done; echo "#7 ERROR: exit code: 100"; exit 1 ;;`,
    );
    const text = await problemsOf(() => build(stub.engine, { folder: "/rendered", tags: ["x:1"] }));
    expect(text).toContain("image x:1: step [final 2/5] RUN bash install.sh failed");
    expect(text).toContain("    line 40");
    expect(text).not.toContain("line 25\n");
    expect(text).toContain("the rendered Dockerfile is in /rendered");
  });

  it("says what the engine said when it refused the build as a whole", async () => {
    const stub = await engine('buildx\\ build*) echo "ERROR: failed to parse Dockerfile" >&2; exit 1 ;;');
    const text = await problemsOf(() => build(stub.engine, { folder: "/x", tags: ["x:1"] }));
    expect(text).toContain("the engine refused it");
    expect(text).toContain("failed to parse Dockerfile");
  });

  it("says what to do when the disk is full", async () => {
    const stub = await engine(
      'buildx\\ build*) printf "#4 [final 1/1] RUN x\\n#4 0.1 tar: write error: No space left on device\\n#4 ERROR: exit code: 2\\n"; exit 1 ;;',
    );
    const text = await problemsOf(() => build(stub.engine, { folder: "/x", tags: ["x:1"] }));
    expect(text).toContain("No space left on device");
    expect(text).toContain("docker builder prune");
  });

  it("stops when it is told to, and leaves no secrets behind", async () => {
    const temporary = await ownTemporary();
    const stub = await engine('buildx\\ build*) echo "#1 [final 1/1] RUN x"; exec sleep 30 ;;');
    const cancel = new AbortController();
    const began = Date.now();
    await expect(
      build(stub.engine, {
        folder: "/x",
        tags: ["x:1"],
        site: { sources: "deb" },
        cancelSignal: cancel.signal,
        onEvent: () => cancel.abort(new Error("interrupted")),
      }),
    ).rejects.toThrow("interrupted");
    expect(Date.now() - began).toBeLessThan(25_000);
    expect((await readdir(temporary)).filter((name) => name.startsWith("strata-secrets-"))).toEqual([]);
  });
});

describe("ensureBase", () => {
  const wanted = { name: "debian:trixie-slim", digest: `sha256:${"a".repeat(64)}`, suite: "trixie" };
  const pinned = `${wanted.name}@${wanted.digest}`;
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
  };

  it("takes the pinned one that is there, and asks no registry", async () => {
    const stub = await engine(`image\\ inspect\\ ${pinned}) echo '[{"Id":"sha256:1"}]' ;;`);
    expect(await ensureBase(stub.engine, wanted, { say })).toEqual({
      reference: pinned,
      origin: "registry",
      digest: wanted.digest,
    });
    expect((await calls(stub.folder)).filter((call) => !call.startsWith("image inspect"))).toEqual([]);
  });

  it("takes one that was bootstrapped here before, and no other of that name", async () => {
    const image = (labels: object): string => JSON.stringify([{ Id: "sha256:2", Config: { Labels: labels } }]);
    const ours = await engine(
      `image\\ inspect\\ ${pinned}) exit 1 ;;\nimage\\ inspect*) echo '${image({ "dev.strata.base.origin": "bootstrap" })}' ;;`,
    );
    expect(await ensureBase(ours.engine, wanted, { say })).toEqual({
      reference: wanted.name,
      origin: "bootstrap",
      digest: "sha256:2",
    });
    const foreign = await engine(
      `image\\ inspect\\ ${pinned}) exit 1 ;;\nimage\\ inspect*) echo '${image({})}' ;;\npull*) ;;`,
    );
    expect((await ensureBase(foreign.engine, wanted, { say })).origin).toBe("registry");
  });

  it("pulls by digest", async () => {
    const stub = await engine("image\\ inspect*) exit 1 ;;\npull*) ;;");
    await ensureBase(stub.engine, wanted, { say });
    expect((await calls(stub.folder)).at(-1)).toBe(`pull --quiet ${pinned}`);
  });

  it("takes what it is given, and says when that is not there", async () => {
    const there = await engine(`image\\ inspect\\ mine:1) echo '[{"Id":"sha256:3"}]' ;;`);
    expect(await ensureBase(there.engine, wanted, { say, given: "mine:1" })).toEqual({
      reference: "mine:1",
      origin: "given",
      digest: "sha256:3",
    });
    const absent = await engine("image\\ inspect*) exit 1 ;;");
    expect(await problemsOf(() => ensureBase(absent.engine, wanted, { say, given: "mine:1" }))).toContain(
      "base image mine:1: expected it in the engine's store, found none",
    );
  });

  it("says where it cannot come from when no registry answers and there is no mmdebstrap", async () => {
    const stub = await engine('image\\ inspect*) exit 1 ;;\npull*) echo "dial tcp: no route to host" >&2; exit 1 ;;');
    const path = process.env.PATH;
    process.env.PATH = join(stub.folder, "bin");
    try {
      await program(join(stub.folder, "bin"), "nothing", "");
      const text = await problemsOf(() => ensureBase({ ...stub.engine, client: stub.engine.client }, wanted, { say }));
      expect(text).toContain("expected mmdebstrap to make it here, found none");
      expect(text).toContain("sudo apt-get install");
      expect(said.at(-1)).toContain("no route to host");
    } finally {
      process.env.PATH = path;
    }
  });
});
