import { defineFragment, option } from "@strata/fragment";
import { describe, expect, it } from "vitest";
import { defineImage } from "../src/definition.js";

const server = defineFragment({
  name: "setup-server",
  module: import.meta.url,
  summary: "A sample",
  options: {
    major: option.string({ arg: "MAJOR", default: "17" }),
    channel: option.enum(["debian", "source"], { arg: "CHANNEL", default: "debian" }),
    jit: option.boolean({ arg: "JIT", default: true }),
  },
});
const plain = defineFragment({ name: "plain", module: import.meta.url, summary: "A sample" });

const base = { name: "debian:trixie-slim", digest: `sha256:${"a".repeat(64)}`, suite: "trixie" };
const about = {
  name: "sample",
  module: import.meta.url,
  title: "Sample",
  description: "A sample",
  user: "999:999",
  fragments: [server, plain],
} as const;

describe("defineImage", () => {
  it("gives back the very definition it is given, right options included", () => {
    const definition = {
      ...about,
      variants: { v: { base, options: { "setup-server": { major: "15", channel: "source", jit: false } } } },
    } as const;
    expect(defineImage(definition)).toBe(definition);
  });

  it("refuses, in the editor, an option that the fragment does not have", () => {
    // @ts-expect-error it is called major
    defineImage({ ...about, variants: { v: { base, options: { "setup-server": { majr: "15" } } } } });
  });

  it("refuses, in the editor, a value that the option does not have", () => {
    // @ts-expect-error there is no such channel
    defineImage({ ...about, variants: { v: { base, options: { "setup-server": { channel: "pgdg" } } } } });
    // @ts-expect-error a boolean is no text
    defineImage({ ...about, variants: { v: { base, options: { "setup-server": { jit: "false" } } } } });
    // @ts-expect-error a text is no number
    defineImage({ ...about, variants: { v: { base, options: { "setup-server": { major: 15 } } } } });
  });

  it("refuses, in the editor, options for a fragment that is not in the image", () => {
    // @ts-expect-error there is no such fragment
    defineImage({ ...about, variants: { v: { base, options: { "setup-servr": { major: "15" } } } } });
  });

  it("refuses, in the editor, an option for a fragment that has none", () => {
    // @ts-expect-error it has no options
    defineImage({ ...about, variants: { v: { base, options: { plain: { major: "15" } } } } });
  });

  it("refuses, in the editor, a variant without a base and an image without a user", () => {
    // @ts-expect-error a variant has a base
    defineImage({ ...about, variants: { v: {} } });
    const { user: _user, ...rest } = about;
    // @ts-expect-error an image has a user
    defineImage({ ...rest, variants: { v: { base } } });
  });
});
