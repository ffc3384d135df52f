import { describe, expect, it } from "vitest";
import { option, optionProblem } from "../src/option.js";

describe("option makers", () => {
  it("give plain data that says its type", () => {
    expect(option.string({ arg: "A", default: "x", pattern: "[a-z]" })).toEqual({
      type: "string",
      arg: "A",
      default: "x",
      pattern: "[a-z]",
    });
    expect(option.enum(["a", "b"], { arg: "A", default: "b" })).toEqual({
      type: "enum",
      values: ["a", "b"],
      arg: "A",
      default: "b",
    });
    expect(option.boolean({ arg: "A", default: false, text: "t" })).toEqual({
      type: "boolean",
      arg: "A",
      default: false,
      text: "t",
    });
  });

  it("refuse a default of another type in the editor", () => {
    // @ts-expect-error a boolean is no text
    option.string({ arg: "A", default: true });
    // @ts-expect-error a text is no boolean
    option.boolean({ arg: "A", default: "true" });
    // @ts-expect-error c is not among the values
    option.enum(["a", "b"], { arg: "A", default: "c" });
    // @ts-expect-error an option has an ARG
    option.string({ default: "x" });
  });
});

describe("optionProblem", () => {
  const text = option.string({ arg: "A", default: "" });
  const numbered = option.string({ arg: "A", default: "17", pattern: "[1-9][0-9]" });
  const choice = option.enum(["debian", "pgdg"], { arg: "A", default: "debian" });
  const flag = option.boolean({ arg: "A", default: true });

  it.each([
    [text, ""],
    [text, 'quotes " and $dollars and spaces'],
    [numbered, "17"],
    [choice, "pgdg"],
    [flag, true],
    [flag, false],
  ])("finds nothing wrong with a value that fits (%#)", (given, value) => {
    expect(optionProblem(given, value)).toBeUndefined();
  });

  it("asks a pattern of the whole value, not of a part", () => {
    for (const value of ["117", "17 ", "x17", "1"])
      expect(optionProblem(numbered, value)).toBe(
        `expected text that matches [1-9][0-9], found ${JSON.stringify(value)}`,
      );
    const either = option.string({ arg: "A", default: "a", pattern: "a|b" });
    expect(optionProblem(either, "ab")).toMatch(/matches a\|b/);
  });

  it("refuses a line break, with which a value would become an instruction", () => {
    for (const value of ["a\nRUN evil", "a\r", "a\0b"]) expect(optionProblem(text, value)).toMatch(/one line of text/);
  });

  it("says what was expected and what was found", () => {
    expect(optionProblem(choice, "source")).toBe('expected one of debian, pgdg, found "source"');
    expect(optionProblem(flag, "true")).toBe('expected true or false, found "true"');
    expect(optionProblem(text, 17)).toBe("expected text, found 17");
    expect(optionProblem(text, undefined)).toBe("expected text, found undefined");
  });

  it("tells of a pattern that is no regular expression instead of breaking down", () => {
    const broken = option.string({ arg: "A", default: "x", pattern: "[" });
    expect(optionProblem(broken, "x")).toMatch(/\[/);
  });
});
