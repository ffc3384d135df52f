// @ts-check
import { describe, expect, it } from "vitest";
import { environmentPage } from "../docs.mjs";

/**
 * @param {string} variant
 * @param {Record<string, object>} environment
 */
const plan = (variant, environment) =>
  /** @type {import("../../packages/kit/assembler/dist/index.js").Plan} */ (
    /** @type {unknown} */ ({ variant, environment, fragments: [{ name: "a", summary: "Sample" }] })
  );
const variable = { fragment: "a", type: "string", text: "Something." };

describe("environmentPage", () => {
  it("has the tables, the families, the exit codes and the state folder", () => {
    const page = environmentPage([plan("one", { NAME: variable }), plan("two", { NAME: variable })]);
    for (const text of ["| `NAME` |", "POSTGRESQL_<PARAMETER>", "## Exit codes", "## State folder"])
      expect(page).toContain(text);
    expect(page).toContain("The same in all variants: `one` and `two`.");
  });

  it("says where the variants differ", () => {
    const page = environmentPage([plan("one", { NAME: variable }), plan("two", {})]);
    expect(page).toContain("- `NAME` is not in `two`.");
  });
});
