import { describe, expect, it } from "vitest";
import { defineFragment } from "../src/definition.js";
import { option } from "../src/option.js";

const about = { module: import.meta.url, summary: "A sample" };

describe("defineFragment", () => {
  it("gives back the very definition it is given", () => {
    const definition = { name: "sample", ...about };
    expect(defineFragment(definition)).toBe(definition);
  });

  it("keeps the name and the options as types", () => {
    const sample = defineFragment({
      name: "sample",
      ...about,
      options: { channel: option.enum(["debian", "pgdg"], { arg: "CHANNEL", default: "debian" }) },
    });
    const name: "sample" = sample.name;
    const channel: "debian" | "pgdg" | undefined = sample.options?.channel.default;
    expect([name, channel]).toEqual(["sample", "debian"]);
  });

  it("refuses what a fragment does not have, in the editor", () => {
    // @ts-expect-error there is no such property
    defineFragment({ name: "sample", ...about, dependson: [] });
    // @ts-expect-error a fragment has a summary
    defineFragment({ name: "sample", module: import.meta.url });
    // @ts-expect-error what is compiled has sources
    defineFragment({ name: "sample", ...about, setup: { build: { script: "build.sh" } } });
    // @ts-expect-error a port is a number
    defineFragment({ name: "sample", ...about, runtime: { expose: ["5432"] } });
    // @ts-expect-error an option comes from one of the makers
    defineFragment({ name: "sample", ...about, options: { major: "17" } });
    // @ts-expect-error a health check has all four timings
    defineFragment({ name: "sample", ...about, runtime: { healthcheck: { command: ["x"], interval: "30s" } } });
  });
});
