import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { megabytes, seconds, table } from "../src/output.js";
import { partsOf } from "../src/parts.js";
import { revisionLabels } from "../src/revision.js";
import { workspaceRoot } from "../src/workspace.js";
import { scratch, write } from "./helpers.js";

const run = promisify(execFile);

describe("numbers", () => {
  it("are written as Docker writes them", () => {
    expect(megabytes(84_400_000)).toBe("84 MB");
    expect(seconds(1.25)).toMatch(/^1\.[23] s$/);
  });
});

describe("table", () => {
  it("makes columns of equal width, without blanks at the end", () => {
    expect(
      table([
        ["a", "bb", ""],
        ["ccc", "d", ""],
      ]),
    ).toBe("a    bb\nccc  d");
    expect(table([])).toBe("");
  });
});

describe("workspaceRoot", () => {
  it("is the nearest folder above with a pnpm-workspace.yaml", async () => {
    const folder = await scratch();
    await write(folder, { "pnpm-workspace.yaml": "", "a/b/c": "" });
    expect(workspaceRoot(`${folder}/a/b`)).toBe(folder);
    expect(workspaceRoot("/")).toBeUndefined();
  });
});

describe("partsOf", () => {
  const digest = "sha256:0";
  const given = {
    stages: [
      { id: "toolchain", kind: "toolchain", fragment: "tools", digest, dockerfile: "FROM b AS toolchain", needs: [] },
      {
        id: "build-a",
        kind: "build",
        fragment: "a",
        digest,
        dockerfile: "FROM toolchain AS build-a\nRUN x",
        needs: ["toolchain"],
      },
    ],
    layers: [
      { id: "base", kind: "base", fragment: null, digest, dockerfile: "FROM x AS final" },
      { id: "component/a", kind: "component", fragment: "a", digest, dockerfile: "COPY --from=build-a /out/ /" },
      { id: "runtime/r", kind: "runtime", fragment: "r", digest, dockerfile: "ADD r.tar /" },
    ],
  } as unknown as Parameters<typeof partsOf>[0];
  const needs = (artifacts: string[], dialect: "portable" | "buildkit") =>
    Object.fromEntries(partsOf(given, new Set(artifacts), dialect).map((part) => [part.id, part.needs]));

  it("gives stages by their own name, and layers in the final stage, each with what it is made from", () => {
    expect(partsOf(given, new Set(), "portable").map(({ id, stage }) => [id, stage])).toEqual([
      ["stage/tools", "toolchain"],
      ["stage/a", "build-a"],
      ["base", "final"],
      ["component/a", "final"],
      ["runtime/r", "final"],
    ]);
    expect(needs([], "portable")).toEqual({
      "stage/tools": [],
      "stage/a": ["stage/tools"],
      base: [],
      "component/a": ["base", "stage/a"],
      "runtime/r": ["component/a"],
    });
  });

  it("lets linked layers stand for themselves", () => {
    expect(needs([], "buildkit")).toMatchObject({ "component/a": ["stage/a"], "runtime/r": [] });
  });

  it("has one step for what is unpacked, and no toolchain that nobody needs", () => {
    expect(needs(["a"], "portable")).toMatchObject({ "stage/a": [] });
    expect(needs(["a"], "portable")).not.toHaveProperty("stage/tools");
  });
});

describe("revisionLabels", () => {
  const REVISION = "org.opencontainers.image.revision";
  const CREATED = "org.opencontainers.image.created";

  async function repository(): Promise<string> {
    const folder = await scratch();
    const git = (...args: string[]) =>
      run("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", ...args], {
        cwd: folder,
        env: { ...process.env, GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z" },
      });
    await git("init", "--quiet");
    await write(folder, { a: "1" });
    await git("add", ".");
    await git("commit", "--quiet", "--message", "one");
    return folder;
  }

  it("name the commit and its time, so that building it twice gives one image", async () => {
    const folder = await repository();
    const labels = await revisionLabels(folder, {});
    expect(labels[REVISION]).toMatch(/^[0-9a-f]{40}$/);
    expect(labels[CREATED]).toBe("2026-01-02T03:04:05.000Z");
    expect(await revisionLabels(folder, {})).toEqual(labels);
  });

  it("say when the tree differs from the commit", async () => {
    const folder = await repository();
    await write(folder, { a: "2" });
    expect((await revisionLabels(folder, {}))[REVISION]).toMatch(/^[0-9a-f]{40}-dirty$/);
  });

  it("mind SOURCE_DATE_EPOCH", async () => {
    const labels = await revisionLabels(await repository(), { SOURCE_DATE_EPOCH: "0" });
    expect(labels[CREATED]).toBe("1970-01-01T00:00:00.000Z");
  });

  it("say that the revision is unknown outside of a repository", async () => {
    const labels = await revisionLabels(await scratch(), {});
    expect(labels[REVISION]).toBe("unknown");
    expect(labels[CREATED]).toMatch(/^\d{4}-/);
  });
});
