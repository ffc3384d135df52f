import { describe, expect, it } from "vitest";
import { fail, formatProblem, Problems, StrataError } from "../src/errors.js";

describe("StrataError", () => {
  it("says every problem, each with what to do on a line of its own", () => {
    const error = new StrataError([
      { subject: "fragment a", message: "expected x, found y", fix: "do z" },
      { subject: "fragment b", message: "is wrong" },
    ]);
    expect(error.message).toBe("fragment a: expected x, found y\n  → do z\nfragment b: is wrong");
    expect(error.exitCode).toBe(1);
    expect(error).toBeInstanceOf(Error);
  });

  it("carries the exit code it is given", () => {
    expect(new StrataError([], 3).exitCode).toBe(3);
  });
});

describe("Problems", () => {
  it("raises nothing while nothing was noted", () => {
    expect(() => new Problems().throwIfAny()).not.toThrow();
  });

  it("raises all that was noted at once", () => {
    const problems = new Problems();
    problems.add("a", "one");
    problems.add("b", "two", "fix it");
    expect(() => problems.throwIfAny()).toThrow("a: one\nb: two\n  → fix it");
  });
});

describe("fail", () => {
  it("raises one problem, with its fix where there is one", () => {
    expect(() => fail("a", "b", "c")).toThrow("a: b\n  → c");
    expect(() => fail("a", "b")).toThrow(/^a: b$/);
    expect(formatProblem({ subject: "a", message: "b" })).toBe("a: b");
  });
});
