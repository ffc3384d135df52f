import { describe, expect, it } from "vitest";
import { plan } from "../src/plan.js";
import { type Contract, environmentDifferences, environmentReference, environmentSections } from "../src/reference.js";
import { about, sampleFragments, sampleImage } from "./helpers.js";

const samplePlan = async (variant = "17-trixie") => plan(sampleImage(), variant, await sampleFragments(), about);

const variable = { fragment: "a", type: "string", text: "Something." } as const;
const contract = (environment: Contract["environment"], variant = "one"): Contract => ({
  variant,
  environment,
  fragments: [{ name: "a", version: "1.0.0", summary: "Sample a", options: {} }],
});

describe("environmentReference", () => {
  it("is by fragment, each variable once, with _FILE, range, values and a bar escaped", async () => {
    const text = environmentReference(await samplePlan());
    expect(text).toContain("| `SERVER_PASSWORD` | text | | `_FILE`, secret | Password of the superuser. |");
    expect(text).toContain("| `TIMEOUT` | whole number, 1 to 3600 | `30` |");
    expect(text).toContain("| `LOG_LEVEL` | `debug`, `info` | `info` |");
    expect(text).toContain("Where \\| the data lies.");
    expect(text).not.toContain("## setup-server");
  });

  it("has a title and says how to read the tables", async () => {
    const text = environmentReference(await samplePlan());
    expect(text).toMatch(/^# Environment of strata\/sample:17-trixie\n/);
    expect(text).toContain("How to read the tables");
  });
});

describe("environmentSections", () => {
  it.each([
    [{ ...variable, type: "integer", min: 1 }, "whole number, at least 1"],
    [{ ...variable, type: "integer", max: 9 }, "whole number, at most 9"],
    [{ ...variable, type: "boolean" }, "`true` or `false`"],
    [{ ...variable, type: "path" }, "absolute path"],
    [{ ...variable, type: "port" }, "TCP port"],
  ] as const)("says in words what a value has to be: %o", (given, words) => {
    expect(environmentSections(contract({ X: given }))).toContain(`| \`X\` | ${words} |`);
  });

  it("marks what may come from a file and is no secret", () => {
    expect(environmentSections(contract({ X: { ...variable, file: true } }))).toContain("| `_FILE` | Something. |");
  });

  it("shows names as code, and a text as it is written", () => {
    const text = "As POSTGRES_DB, or PG_*: $DIR/*.conf, <name>.";
    expect(environmentSections(contract({ X: { ...variable, text } }))).toContain(
      "| As `POSTGRES_DB`, or `PG_*`: $DIR/\\*.conf, \\<name>. |",
    );
  });

  it("is empty without variables", () => {
    expect(environmentSections(contract({}))).toBe("");
  });
});

describe("environmentDifferences", () => {
  it("finds none between the variants of one image, nor where there is one variant or none", async () => {
    expect(environmentDifferences([await samplePlan(), await samplePlan("15-bookworm")])).toEqual([]);
    expect(environmentDifferences([contract({ X: variable })])).toEqual([]);
    expect(environmentDifferences([])).toEqual([]);
  });

  it("names what is missing, what is more, and what is declared in another way", () => {
    const first = contract({ GONE: variable, SAME: variable, OTHER: variable });
    const second = contract({ NEW: variable, SAME: variable, OTHER: { ...variable, default: "x" } }, "two");
    expect(environmentDifferences([first, second])).toEqual([
      "`GONE` is not in `two`.",
      "`NEW` is in `two` alone: Something.",
      "`OTHER` in `two`: text, default `x`. Something.",
    ]);
  });
});
