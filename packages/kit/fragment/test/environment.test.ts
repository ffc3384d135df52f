import { describe, expect, it } from "vitest";
import { contractText, env, variableProblems } from "../src/environment.js";

describe("env", () => {
  it("keeps every default as text, as a container sees it", () => {
    expect(env.integer({ text: "t", default: 30, min: 1 })).toEqual({
      type: "integer",
      text: "t",
      default: "30",
      min: 1,
    });
    expect(env.boolean({ text: "t", default: false }).default).toBe("false");
    expect(env.port({ text: "t", default: 5432 }).default).toBe("5432");
    expect(env.string({ text: "t" })).not.toHaveProperty("default");
  });

  it("refuses a default of another type in the editor", () => {
    // @ts-expect-error a text is no whole number
    env.integer({ text: "t", default: "30" });
    // @ts-expect-error trace is not among the values
    env.enum(["debug", "info"], { text: "t", default: "trace" });
    // @ts-expect-error a variable has a text
    env.string({});
  });
});

describe("variableProblems", () => {
  it("finds nothing wrong with variables and families as we use them", () => {
    expect(variableProblems("PGDATA", env.path({ text: "t", default: "/data" }))).toEqual([]);
    expect(variableProblems("POSTGRESQL_*", env.string({ text: "t" }))).toEqual([]);
    expect(variableProblems("LOG_LEVEL", env.enum(["a", "b"], { text: "t", default: "a" }))).toEqual([]);
  });

  it.each(["lower", "WITH-HYPHEN", "1ST", "A*B", "", "*", "A B"])("refuses the name %j", (name) => {
    expect(variableProblems(name, env.string({ text: "t" }))).toEqual([
      "expected a name of capitals, digits and _, with at most a * at its end",
    ]);
  });

  it("refuses what would break a line of the contract", () => {
    for (const value of ["a|b", "a\nb", "a\rb"])
      expect(variableProblems("A", env.string({ text: "t", default: value }))).toHaveLength(1);
    expect(variableProblems("A", env.enum(["a,b"], { text: "t" }))).toEqual(["a value may hold no comma"]);
  });

  it("refuses a secret with a default, which would be no secret", () => {
    expect(variableProblems("A", env.string({ text: "t", secret: true, default: "x" }))).toEqual([
      "a secret has no default",
    ]);
  });

  it("refuses a default that its own type or range refuses", () => {
    expect(variableProblems("A", env.integer({ text: "t", default: 0, min: 1 }))).toHaveLength(1);
    expect(variableProblems("A", env.integer({ text: "t", default: 1.5 }))).toHaveLength(1);
    expect(variableProblems("A", env.port({ text: "t", default: 70_000 }))).toHaveLength(1);
    expect(variableProblems("A", env.path({ text: "t", default: "relative" }))).toHaveLength(1);
    expect(variableProblems("A", { type: "boolean", text: "t", default: "maybe" })).toHaveLength(1);
    expect(variableProblems("A", { type: "enum", text: "t", default: "c", values: ["a"] })).toHaveLength(1);
  });

  it("tells everything that is wrong with one variable", () => {
    const bad = env.string({ text: "t", secret: true, default: "a|b" });
    expect(variableProblems("bad", bad)).toHaveLength(3);
  });
});

describe("contractText", () => {
  it("is one line a variable and a prefix, sorted, whatever order they are declared in", () => {
    const level = env.enum(["debug", "info"], { text: "t", default: "info" });
    const timeout = env.integer({ text: "t", default: 30, min: 1, max: 3600 });
    const password = env.string({ text: "t", secret: true });
    const user = env.string({ text: "t", file: true });
    const expected = [
      "var|LOG_LEVEL|enum|info||debug,info",
      "var|PASSWORD|string||secret,file|",
      "var|TIMEOUT|integer|30||1..3600",
      "var|USER|string||file|",
      "prefix|LOG_",
      "prefix|POSTGRES_",
      "",
    ].join("\n");
    const all = { TIMEOUT: timeout, USER: user, LOG_LEVEL: level, PASSWORD: password };
    const reversed = { PASSWORD: password, LOG_LEVEL: level, USER: user, TIMEOUT: timeout };
    expect(contractText(all, ["POSTGRES_", "LOG_"])).toBe(expected);
    expect(contractText(reversed, ["LOG_", "POSTGRES_"])).toBe(expected);
  });

  it("writes a range that is open at one end", () => {
    expect(contractText({ A: env.integer({ text: "t", min: 1 }) }, [])).toBe("var|A|integer|||1..\n");
    expect(contractText({ A: env.integer({ text: "t", max: 9 }) }, [])).toBe("var|A|integer|||..9\n");
  });

  it("holds no text of the reference and is one line however long that is", () => {
    expect(contractText({ A: env.string({ text: "a|b\nc" }) }, [])).toBe("var|A|string|||\n");
  });
});
