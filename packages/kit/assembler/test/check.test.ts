import { env, option } from "@strata/fragment";
import { describe, expect, it } from "vitest";
import type { ImageDefinition, Variant } from "../src/definition.js";
import { plan } from "../src/plan.js";
import { about, emitted, problemsOf, sampleFragments, sampleImage } from "./helpers.js";

const base = { name: "debian:trixie-slim", digest: `sha256:${"a".repeat(64)}`, suite: "trixie" };

/** An image of one variant, v. */
const image = (variant: Partial<Variant> = {}, more: Partial<ImageDefinition> = {}): ImageDefinition =>
  sampleImage({ variants: { v: { base, ...variant } }, ...more });

/** What planning the variant raises. */
const problems = async (
  given: ImageDefinition,
  fragments: Awaited<ReturnType<typeof emitted>>[],
  variant = "v",
): Promise<string> => problemsOf(() => plan(given, variant, fragments, about));

describe("fragments that do not go together", () => {
  it("are both named with the path that both write", async () => {
    const both = await Promise.all([emitted("b", {}, { "etc/x": "1" }), emitted("a", {}, { "etc/x": "2" })]);
    expect(await problems(image(), both)).toBe(
      "fragments a and b: both write /etc/x, expected one owner\n  → take rootfs/etc/x out of one of them",
    );
  });

  it("are named when one writes a file where the other has a folder", async () => {
    const both = await Promise.all([emitted("a", {}, { "etc/x": "1" }), emitted("b", {}, { "etc/x/y": "2" })]);
    expect(await problems(image(), both)).toMatch(/fragments a and b: .*\/etc\/x/);
  });

  it("are both named with the variable that they declare differently, and how", async () => {
    const both = await Promise.all([
      emitted("a", { runtime: { env: { LEVEL: env.string({ text: "t", default: "1" }) } } }),
      emitted("b", { runtime: { env: { LEVEL: env.string({ text: "t", default: "2" }) } } }),
    ]);
    const text = await problems(image(), both);
    expect(text).toContain("fragments a and b: declare LEVEL differently: expected");
    expect(text).toContain('"default":"1"');
    expect(text).toContain('"default":"2"');
  });

  it("may declare a variable alike", async () => {
    const level = env.string({ text: "t", default: "1" });
    const both = await Promise.all(["a", "b"].map((name) => emitted(name, { runtime: { env: { LEVEL: level } } })));
    expect(() => plan(image(), "v", both, about)).not.toThrow();
  });

  it("are both named when they set one ENV or label differently", async () => {
    const script = (name: string) => ({ [`mnt/setup/${name}/i.sh`]: "" });
    const env = await Promise.all(
      ["a", "b"].map((name) => emitted(name, { setup: { install: "i.sh", imageEnv: { LANG: name } } }, script(name))),
    );
    expect(await problems(image(), env)).toMatch(/fragments a and b: .*LANG/);
    const labels = await Promise.all(["a", "b"].map((name) => emitted(name, { runtime: { labels: { note: name } } })));
    expect(await problems(image(), labels)).toMatch(/fragments a and b: .*note/);
  });

  it.each([
    ["entrypoint", { entrypoint: ["x"] }],
    ["cmd", { cmd: ["x"] }],
    ["stopSignal", { stopSignal: "SIGINT" }],
    ["healthcheck", { healthcheck: { command: ["x"], interval: "1s", timeout: "1s", startPeriod: "1s", retries: 1 } }],
  ])("are both named when each sets %s", async (key, runtime) => {
    const both = await Promise.all([emitted("a", { runtime }), emitted("b", { runtime })]);
    expect(await problems(image(), both)).toContain(`fragments a and b: each set ${key}, of which an image has one`);
  });

  it("are both named when their options have one ARG", async () => {
    const options = { version: option.string({ arg: "VERSION", default: "1" }) };
    const both = await Promise.all([emitted("a", { options }), emitted("b", { options })]);
    expect(await problems(image(), both)).toContain("fragments a and b: both have an option with ARG VERSION");
  });

  it.each(["BASE_IMAGE", "PATH"])("are told that the ARG %s is not theirs to have", async (arg) => {
    const text = await problemsOf(async () => {
      const fragment = await emitted("a", { options: { x: option.string({ arg, default: "1" }) } });
      plan(image(), "v", [fragment], about);
    });
    expect(text).toContain(arg);
  });

  it("are named when one uses setup files that the other does not have", async () => {
    const both = await Promise.all([
      emitted("a", {}, { "etc/x": "1" }),
      emitted("b", { dependsOn: ["a"], setup: { install: "i.sh", uses: ["a"] } }, { "mnt/setup/b/i.sh": "" }),
    ]);
    expect(await problems(image(), both)).toContain("fragment b: uses the setup files a, of which there are none");
  });
});

describe("options of a variant", () => {
  const given = (options: unknown): ImageDefinition => image({ options: options as NonNullable<Variant["options"]> });

  it("name the variant, the fragment and the nearest option", async () => {
    const text = await problems(given({ "setup-server": { majr: "17" } }), await sampleFragments());
    expect(text).toBe(
      'variant v, fragment setup-server, option majr: there is no such option\n  → did you mean "major"?',
    );
  });

  it("name the nearest fragment", async () => {
    const text = await problems(given({ "setup-servr": { major: "17" } }), await sampleFragments());
    expect(text).toContain(
      "variant v, fragment setup-servr: options are given for a fragment that is not in the image",
    );
    expect(text).toContain('did you mean "setup-server"?');
  });

  it("say what was expected of a value, and tell all that is wrong at once", async () => {
    const text = await problems(
      given({ "setup-server": { major: "seventeen", channel: "pgdg", jit: "yes" } }),
      await sampleFragments(),
    );
    expect(text).toContain('option major: expected text that matches [1-9][0-9], found "seventeen"');
    expect(text).toContain('option channel: expected one of debian, source, found "pgdg"');
    expect(text).toContain('option jit: expected true or false, found "yes"');
  });

  it.each(["constructor", "toString", "__proto__x"])("do not know what every object has: %s", async (name) => {
    const text = await problems(given({ "setup-server": { [name]: "x" } }), await sampleFragments());
    expect(text).toContain(`option ${name}: there is no such option`);
  });

  it("are not called options of an absent fragment when the fragment is in a circle", async () => {
    const circle = await Promise.all([
      emitted("a", { dependsOn: ["b"], options: { x: option.string({ arg: "X", default: "1" }) } }),
      emitted("b", { dependsOn: ["a"] }),
    ]);
    const text = await problems(given({ a: { x: "2" } }), circle);
    expect(text).toContain("a → b → a");
    expect(text).not.toContain("not in the image");
  });
});

describe("an image's own definition", () => {
  it.each<[string, ImageDefinition, string]>([
    ["a name with capitals", image({}, { name: "Sample" }), "image Sample: expected a name of lower case words"],
    ["root as its user", image({}, { user: "0:0" }), "user: expected uid:gid"],
    ["root written otherwise as its user", image({}, { user: "00:999" }), "user: expected uid:gid"],
    ["a name as its user", image({}, { user: "postgres" }), "user: expected uid:gid"],
    ["a digest that is none", image({ base: { ...base, digest: "sha256:abc" } }), "base.digest: expected sha256:"],
    ["a suite that is none", image({ base: { ...base, suite: "13" } }), "base.suite: expected a code name"],
    ["a base's name that is none", image({ base: { ...base, name: "debian trixie\nRUN evil" } }), "base.name"],
    ["a tag that is none", image({ tags: ["no tag"] }), "no tag"],
    ["a repository that is none", image({}, { repository: "Strata/Sample" }), "Strata/Sample"],
    ["a title with a line break", image({}, { title: "a\nRUN evil" }), "image sample"],
  ])("is refused for %s", async (_, given, expected) => {
    expect(await problems(given, [])).toContain(expected);
  });

  it("is refused for a variant whose name is no tag", async () => {
    const given = sampleImage({ variants: { "a/../b": { base } } });
    expect(await problems(given, [], "a/../b")).toContain("variant a/../b: expected a name that can be a tag");
  });

  it("is refused for a tag that two variants claim, which one would take from the other", async () => {
    const given = sampleImage({ variants: { v: { base, tags: ["latest"] }, w: { base, tags: ["latest"] } } });
    expect(await problems(given, [])).toContain("latest");
  });

  it("is refused for a variant without a base, instead of breaking down", async () => {
    const given = sampleImage({ variants: { v: {} as Variant } });
    expect(await problems(given, [])).toContain("variant v");
  });

  it("is refused for a variant that it does not have, instead of breaking down", async () => {
    expect(await problems(image(), [], "absent")).toContain("absent");
  });
});
