import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Part, type ProgressEvent, ProgressReader, reportLayers, stepOwners } from "../src/progress.js";

const fixture = (name: string): string[] =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8").split("\n");

/** Reads a whole log and gives the reader with what it told. */
function read(lines: readonly string[]): { reader: ProgressReader; events: ProgressEvent[] } {
  const reader = new ProgressReader();
  const events = lines.flatMap((line) => reader.read(line) ?? []);
  return { reader, events };
}

const run = (name: string): string =>
  `RUN --mount=type=tmpfs,target=/mnt \\\n    --mount=type=bind,source=x,target=/mnt/setup/${name} \\\n    bash /mnt/setup/${name}/install.sh`;

/** The parts of the image whose builds the fixtures hold. */
const PARTS: Part[] = [
  {
    id: "files/entrypoint",
    stage: "entrypoint",
    dockerfile:
      'FROM scratch AS entrypoint\nCOPY --chmod=0755 fragments/entrypoint/rootfs/ /\nCOPY --chmod=0644 ["a", "/b/"]',
  },
  {
    id: "files/healthcheck",
    stage: "healthcheck",
    dockerfile: "FROM scratch AS healthcheck\nCOPY --chmod=0755 fragments/healthcheck/rootfs/ /",
  },
  { id: "base", stage: "final", dockerfile: "FROM ${BASE_IMAGE} AS final" },
  { id: "setup/setup-base", stage: "final", dockerfile: `ARG A="1"\n${run("setup-base")}\nENV LANG="x"` },
  { id: "setup/setup-postgresql", stage: "final", dockerfile: run("setup-postgresql") },
  { id: "runtime/entrypoint", stage: "final", dockerfile: 'COPY --from=entrypoint / /\nENTRYPOINT ["/x"]' },
  { id: "runtime/healthcheck", stage: "final", dockerfile: "COPY --from=healthcheck / /" },
  { id: "metadata", stage: "final", dockerfile: "LABEL a=b \\\n      c=d\nUSER 999:999" },
];

const states = (lines: readonly string[]) =>
  Object.fromEntries(reportLayers(PARTS, read(lines).reader.steps.values()).map(({ id, state }) => [id, state]));

const ALL_CACHED = {
  "files/entrypoint": "cached",
  "files/healthcheck": "cached",
  base: "cached",
  "setup/setup-base": "cached",
  "setup/setup-postgresql": "cached",
  "runtime/entrypoint": "cached",
  "runtime/healthcheck": "cached",
};

/** Stages in which components are compiled, and what is copied from them. */
const COMPILED: Part[] = [
  { id: "stage/toolchain", stage: "toolchain", dockerfile: `FROM \${BASE_IMAGE} AS toolchain\n${run("toolchain")}` },
  { id: "stage/build-a", stage: "build-a", dockerfile: `FROM toolchain AS build-a\nARG A="1"\n${run("a")}` },
  { id: "base", stage: "final", dockerfile: "FROM ${BASE_IMAGE} AS final" },
  { id: "component/a", stage: "final", dockerfile: "COPY --from=build-a /out/ /" },
];

describe("stages that are compiled", () => {
  const lines = [
    "#5 [toolchain 1/2] FROM docker.io/library/debian:trixie-slim",
    "#5 CACHED",
    "#6 [toolchain 2/2] RUN bash /mnt/setup/toolchain/install.sh",
    "#6 DONE 20.0s",
    "#7 [build-a 1/1] RUN bash /mnt/setup/a/install.sh",
    "#7 DONE 30.0s",
    "#8 [final 2/2] COPY --from=build-a /out/ /",
    "#8 DONE 0.1s",
  ];

  it("own their steps: a FROM of another stage is none", () => {
    const ownerOf = stepOwners(COMPILED);
    expect(ownerOf("[toolchain 2/2] RUN x")).toBe("stage/toolchain");
    expect(ownerOf("[build-a 1/1] RUN x")).toBe("stage/build-a");
    expect(ownerOf("[final 2/2] COPY x")).toBe("component/a");
  });

  it("tell when they ran, by our clock; of what BuildKit told of late by its seconds", () => {
    const reader = new ProgressReader();
    lines.forEach((line, index) => void reader.read(line, index * 25));
    expect(reportLayers(COMPILED, reader.steps.values())).toEqual([
      { id: "stage/toolchain", state: "built", seconds: 20, from: 50, to: 75 },
      { id: "stage/build-a", state: "built", seconds: 30, from: 95, to: 125 },
      { id: "base", state: "cached", seconds: 0 },
      { id: "component/a", state: "built", seconds: 0.1, from: 150, to: 175 },
    ]);
  });
});

describe("ProgressReader", () => {
  it("tells start, output and end of a step, with its seconds", () => {
    const { reader, events } = read([
      "#7 [final 2/5] RUN bash install.sh",
      "#7 0.512 Reading package lists...",
      "#7 DONE 12.3s",
    ]);
    expect(events.map((event) => [event.type, event.type === "output" ? event.text : event.step.name])).toEqual([
      ["start", "[final 2/5] RUN bash install.sh"],
      ["output", "Reading package lists..."],
      ["end", "[final 2/5] RUN bash install.sh"],
    ]);
    expect(reader.steps.get(7)).toEqual({
      number: 7,
      name: "[final 2/5] RUN bash install.sh",
      state: "done",
      seconds: 12.3,
      from: 0,
      to: 0,
    });
  });

  it.each([
    ["CACHED", "cached"],
    ["DONE 0.0s", "done"],
    ["CANCELED", "canceled"],
    ["ERROR: process did not complete successfully: exit code: 2", "error"],
    ["ERROR executor failed running [/bin/sh -c false]: exit code: 1", "error"],
  ])("understands the end %j", (text, state) => {
    const { reader } = read(["#1 [final 2/5] RUN x", `#1 ${text}`]);
    expect(reader.steps.get(1)?.state).toBe(state);
  });

  it("does not take what a script prints for the end of its step", () => {
    const { reader, events } = read(["#1 [final 2/5] RUN x", "#1 0.1 CACHED", "#1 0.2 ERROR: no", "#1 0.3 DONE 1.0s"]);
    expect(reader.steps.get(1)?.state).toBe("running");
    expect(events.filter(({ type }) => type === "output")).toHaveLength(3);
  });

  it("does not start a step again when its name comes again after another's output", () => {
    const { reader, events } = read([
      "#1 [a 1/1] COPY x /",
      "#2 [b 1/1] COPY y /",
      "#1 ...",
      "",
      "#1 [a 1/1] COPY x /",
      "#1 sha256:0123",
      "#1 DONE 0.1s",
    ]);
    expect(events.filter(({ type }) => type === "start")).toHaveLength(2);
    expect(reader.steps.get(1)?.state).toBe("done");
  });

  it("bears line ends of Windows and empty output", () => {
    const { reader, events } = read(["#1 [final 2/5] RUN x\r", "#1 0.1 \r", "#1 DONE 0.1s\r"]);
    expect(events).toHaveLength(2);
    expect(reader.steps.get(1)).toMatchObject({ name: "[final 2/5] RUN x", state: "done" });
  });

  it("keeps the last forty lines that belong to no step, where an engine says why", () => {
    const { reader } = read(Array.from({ length: 100 }, (_, index) => `line ${index}`));
    expect(reader.tail).toHaveLength(40);
    expect(reader.tail.at(-1)).toBe("line 99");
  });

  it("reads the whole log of a Docker 20.10, whose steps have a line with their digest", () => {
    const { reader } = read(fixture("buildkit-0.8-built.log"));
    expect([...reader.steps.values()].every(({ name }) => name.startsWith("["))).toBe(false);
    expect([...reader.steps.values()].map(({ name }) => name)).not.toContainEqual(expect.stringMatching(/^sha256:/));
    expect([...reader.steps.values()].every(({ state }) => state !== "running")).toBe(true);
  });
});

describe("stepOwners", () => {
  it("knows the steps of an only stage, of which BuildKit tells no name but pads the number", () => {
    const only: Part[] = [
      { id: "base", stage: "final", dockerfile: "FROM debian AS final" },
      { id: "runtime/a", stage: "final", dockerfile: "ADD a /" },
    ];
    for (const name of ["[2/9] ADD a /", "[ 2/12] ADD a /", "[final  2/12] ADD a /"])
      expect(stepOwners(only)(name), name).toBe("runtime/a");
  });

  it("knows the part of a step by its stage and number, padded or not", () => {
    const ownerOf = stepOwners(PARTS);
    expect(ownerOf("[final 1/5] FROM docker.io/library/debian:trixie-slim")).toBe("base");
    expect(ownerOf("[final 2/5] RUN x")).toBe("setup/setup-base");
    expect(ownerOf("[final  3/12] RUN x")).toBe("setup/setup-postgresql");
    expect(ownerOf("[final 4/5] COPY --from=entrypoint / /")).toBe("runtime/entrypoint");
    expect(ownerOf("[entrypoint 2/2] COPY x")).toBe("files/entrypoint");
  });

  it("knows no part of what BuildKit does for itself, or of steps beyond the last", () => {
    const ownerOf = stepOwners(PARTS);
    for (const name of [
      "[internal] load build definition from Dockerfile",
      "exporting to image",
      "[final 6/6] RUN more",
      "[other 1/1] COPY x",
      "",
    ])
      expect(ownerOf(name)).toBeUndefined();
  });

  it("takes a step without a stage for one of the only stage", () => {
    const ownerOf = stepOwners(PARTS.filter(({ stage }) => stage === "final"));
    expect(ownerOf("[2/5] RUN x")).toBe("setup/setup-base");
  });

  it("counts an instruction once, however many lines it has and whatever they begin with", () => {
    const ownerOf = stepOwners([
      { id: "a", stage: "final", dockerfile: "FROM x\nRUN one \\\n    two \\\n    RUN three\nWORKDIR /x\n# RUN no" },
      { id: "b", stage: "final", dockerfile: "ADD y /" },
    ]);
    expect(["1", "2", "3", "4"].map((step) => ownerOf(`[final ${step}/4] X`))).toEqual(["a", "a", "a", "b"]);
  });
});

describe("reportLayers", () => {
  it("tells what was built in a first build, by either BuildKit", () => {
    for (const name of ["buildkit-0.8-built.log", "buildx-0.13-built.log"])
      expect(states(fixture(name))).toEqual({
        ...Object.fromEntries(Object.keys(ALL_CACHED).map((id) => [id, "built"])),
        base: "cached",
      });
  });

  it("tells that all was cached in a second one, by either BuildKit", () => {
    for (const name of ["buildkit-0.8-cached.log", "buildx-0.13-cached.log"])
      expect(states(fixture(name))).toEqual(ALL_CACHED);
  });

  it("tells the one fragment that was edited, and what comes after it", () => {
    expect(states(fixture("buildx-0.13-edited.log"))).toEqual({
      ...ALL_CACHED,
      "files/healthcheck": "built",
      "runtime/healthcheck": "built",
    });
  });

  it("tells which layer failed, and that those after it were not reached", () => {
    expect(states(fixture("buildx-0.13-failed.log"))).toEqual({
      "files/entrypoint": "built",
      "files/healthcheck": "built",
      base: "cached",
      "setup/setup-base": "failed",
      "setup/setup-postgresql": "not reached",
      "runtime/entrypoint": "not reached",
      "runtime/healthcheck": "not reached",
    });
  });

  it("adds up the seconds of a part's steps", () => {
    const report = reportLayers(PARTS, read(fixture("buildx-0.13-built.log")).reader.steps.values());
    expect(report.find(({ id }) => id === "files/entrypoint")?.seconds).toBeCloseTo(0.3);
    expect(report.find(({ id }) => id === "setup/setup-postgresql")?.seconds).toBe(31.7);
  });

  it("leaves out a part that makes no layer", () => {
    expect(reportLayers(PARTS, []).map(({ id }) => id)).not.toContain("metadata");
  });
});
