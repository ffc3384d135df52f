// @ts-check
import { describe, expect, it } from "vitest";
import { environmentPage, pageFile } from "../docs.mjs";

/**
 * @param {string} variant
 * @param {Record<string, object>} environment
 * @param {string} image
 */
const plan = (variant, environment, image = "postgresql") =>
  /** @type {import("../../packages/kit/assembler/dist/index.js").Plan} */ (
    /** @type {unknown} */ ({
      image,
      variant,
      environment,
      labels: { "org.opencontainers.image.title": image },
      fragments: [{ name: "a", summary: "Sample" }],
    })
  );
const variable = { fragment: "a", type: "string", text: "Something." };

describe("environmentPage", () => {
  it("has the tables, the families, the exit codes and the state folder", () => {
    const page = environmentPage([plan("one", { NAME: variable }), plan("two", { NAME: variable })]);
    for (const text of ["| `NAME` |", "POSTGRESQL_<PARAMETER>", "## Exit codes", "## State folder"])
      expect(page).toContain(text);
    expect(page).toContain("The same in all variants: `one` and `two`.");
  });

  it("has of any other image the tables, and where the rest is said", () => {
    const page = environmentPage([plan("one", { NAME: variable }, "other")]);
    expect(page).toMatch(/^# Environment of the other image\n/);
    for (const text of ["| `NAME` |", "(environment.md#exit-codes)", "(environment.md#state-folder)"])
      expect(page).toContain(text);
    for (const text of ["POSTGRESQL_<PARAMETER>", "## Exit codes"]) expect(page).not.toContain(text);
    expect([pageFile("postgresql"), pageFile("other")]).toEqual(["docs/environment.md", "docs/environment-other.md"]);
  });

  it("says where the variants differ", () => {
    const page = environmentPage([plan("one", { NAME: variable }), plan("two", {})]);
    expect(page).toContain("- `NAME` is not in `two`.");
  });
});
