import { describe, expect, it } from "vitest";
import { emission } from "../src/emit.js";
import { env } from "../src/environment.js";
import { option } from "../src/option.js";
import { fragmentIn, problemsOf, scratch } from "./helpers.js";

type Given = Parameters<typeof fragmentIn>;

async function problems(files: Given[1], more: Given[2]): Promise<string> {
  const definition = await fragmentIn(await scratch(), files, more);
  return problemsOf(() => emission(definition, "1.0.0"));
}

describe("a definition that is wrong", () => {
  it("is told everything at once, each problem with its subject", async () => {
    const text = await problems(
      { "mnt/setup/other/x.sh": "" },
      {
        name: "Sample_1",
        summary: " ",
        options: {
          one: option.string({ arg: "lower", default: "x" }),
          two: option.string({ arg: "SAME", default: "5", pattern: "[a-z]" }),
          three: option.boolean({ arg: "SAME", default: true }),
        },
        modes: { "/etc/absent": "0644", "/etc/wrong": "9" },
        setup: { install: "install.sh", uses: ["setup-base"] },
        runtime: { env: { lower: env.string({ text: "t" }) } },
      },
    );
    for (const part of [
      "expected a name of lower case words with hyphens",
      "expected a summary",
      "option one: expected an ARG name",
      "option two: its default is wrong",
      "ARG SAME is option two's already",
      "outside of its own folder",
      "modes names /etc/absent",
      "setup.install names install.sh",
      'add "setup-base" to dependsOn',
      "variable lower:",
      "expected four octal digits, found 9",
    ])
      expect(text).toContain(part);
  });

  it.each(["Upper", "a--b", "-a", "a-", "1a", "a b", "a_b", "", "a/b", "@strata/a"])(
    "is refused for the name %j",
    async (name) => {
      expect(await problems({}, { name })).toContain("lower case words with hyphens");
    },
  );

  it.each(["final", "scratch", "context"])("is refused for the name %s, which a stage cannot have", async (name) => {
    expect(await problems({ "etc/x": "" }, { name })).toContain(`fragment ${name}`);
  });

  it("is told the folder a setup file belongs to", async () => {
    expect(await problems({ "mnt/setup/other/x.sh": "" }, {})).toContain("move it to rootfs/mnt/setup/sample/");
  });

  it("is told the file that setup.install needs", async () => {
    expect(await problems({}, { setup: { install: "go.sh" } })).toContain("add rootfs/mnt/setup/sample/go.sh");
  });

  it.each<[string, Given[2]]>([
    ["a port beyond 65535", { runtime: { expose: [70_000] } }],
    ["a relative volume", { runtime: { volumes: ["data"] } }],
    ["a dependency that is no fragment's name", { dependsOn: ["@strata/setup-base"] }],
    [
      "a health check that never retries",
      {
        runtime: { healthcheck: { command: ["x"], interval: "1s", timeout: "1s", startPeriod: "1s", retries: 0 } },
      },
    ],
  ])("is refused at emit, not when it is read back: %s", async (_, more) => {
    expect(await problems({}, more)).toContain("fragment sample");
  });

  it.each<[string, Given[2]]>([
    ["a label", { runtime: { labels: { a: "b\nRUN evil" } } }],
    ["a label's name", { runtime: { labels: { "a\nRUN evil": "b" } } }],
    ["the summary", { summary: "one\nRUN evil" }],
    ["the stop signal", { runtime: { stopSignal: "SIGINT\nRUN evil" } }],
    [
      "a health check's timing",
      {
        runtime: {
          healthcheck: { command: ["x"], interval: "1s\nRUN evil", timeout: "1s", startPeriod: "1s", retries: 1 },
        },
      },
    ],
  ])("is refused for a line break in %s, which would become an instruction", async (_, more) => {
    expect(await problems({}, more)).toContain("fragment sample");
  });

  it("is refused for a line break or a quote in imageEnv, which would become an instruction", async () => {
    const files = { "mnt/setup/sample/install.sh": "" };
    for (const value of ["a\nRUN evil", 'a" B="c'])
      expect(await problems(files, { setup: { install: "install.sh", imageEnv: { A: value } } })).toContain(
        "fragment sample",
      );
  });

  it("is refused for its own contract file in rootfs, which is generated", async () => {
    expect(
      await problems(
        { "opt/container/environment.d/sample.contract": "mine" },
        { runtime: { env: { A: env.string({ text: "t" }) } } },
      ),
    ).toContain("/opt/container/environment.d/sample.contract");
  });
});

describe("a definition that is right", () => {
  it("may be no more than a name and a summary", async () => {
    const { manifest, files } = await emission(await fragmentIn(await scratch()), "1.0.0");
    expect(manifest.files).toEqual([]);
    expect([...files.keys()]).toEqual(["fragment.json"]);
  });
});

it.each(["bin/tool", "lib/x.so", "var/run/x", "tmp/x"])(
  "a file at %s is refused, with a better place",
  async (path) => {
    expect(await problems({ [path]: "" }, {})).toMatch(
      /expected no file in \/\S+, which COPY would break\n.*write to \//,
    );
  },
);
