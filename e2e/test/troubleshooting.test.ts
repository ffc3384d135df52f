// The guide quotes what our scripts say, literally; and whatever a script can end or warn with stands in the guide.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./scratch.js";

/** Stands for what a script puts in while it runs. */
const HOLE = "\0";

/** Messages in the guide that are PostgreSQL's own. */
const OF_THE_SERVER = [
  'no pg_hba.conf entry for host "<10.0.0.7>", user "<app>", database "<app>"',
  'password authentication failed for user "<postgres>"',
  'data directory "<folder>" has invalid permissions',
  'database "<app>" has a collation version mismatch',
  "could not resize shared memory segment",
  "sorry, too many clients already",
  "archive command failed with exit code <…>",
];

/** The messages of the guide: paragraphs of block quotes, and code in the first column of tables of messages. */
function quotedIn(guide: string): string[] {
  const quotes = guide.match(/(?:^>.*\n)+/gm) ?? [];
  const paragraphs = quotes.flatMap((quote) => quote.replace(/^> ?/gm, "").trim().split(/\n\n+/));
  const tables = guide.match(/^\| (?:message|answer) \|.*\n\|.*\n(?:\|.*\n)+/gm) ?? [];
  const cells = tables.flatMap((table) => [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code!));
  return [...paragraphs.map((text) => text.replace(/\n/g, " ")), ...cells];
}

/** A script with every message in one piece and a hole for every value. */
function flattened(script: string): string {
  let text = script
    .replace(/^\s*#.*$/gm, "")
    .replace(/"\s*\\\n\s*"/g, " ")
    .replace(/"\$'\\x20'"/g, " ");
  // From the inside to the outside: one expansion may hold another.
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\$\{[^{}\n]*\}/g, HOLE);
  }
  return text
    .replace(/\$(?:\w+|[?$#!@*])/g, HOLE)
    .replace(/%[sdq]/g, HOLE)
    .replaceAll("%%", "%")
    .replaceAll('\\"', "“");
}

/** The same of a program in Python: pieces of a text that stand in a row are one, what is put in is a hole. */
function flattenedPython(program: string): string {
  let text = program.replace(/^\s*#.*$/gm, "").replace(/"\s*\n\s*f?"/g, "");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\{[^{}\n]*\}/g, HOLE);
  }
  return text.replaceAll('\\"', "“");
}

/** What finds a message in flattened scripts; what stands in <…> may be anything, and nothing else may. */
function pattern(message: string): RegExp {
  const parts = message.replaceAll('"', "“").split(/ ?<[^<>]*> ?/);
  const literal = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("“", '["“]'));
  return new RegExp(literal.join("[^\\n]{0,300}?"));
}

/** The text of every script that is in an image. */
async function scripts(): Promise<string> {
  const folder = join(ROOT, "packages", "runtime");
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile() && /\/rootfs\//.test(`${entry.parentPath}/`))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("/node_modules/") && !file.includes("/dist/"));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return texts.map((text, at) => (files[at]!.endsWith(".py") ? flattenedPython(text) : flattened(text))).join("\n");
}

/** Every message with which a script ends, complains or warns. */
function messagesIn(text: string): string[] {
  // In Python: faults.append(…), raise Refused(…), say("warn", …).
  const calls = String.raw`\b(?:faults\.append\(\s*f?|raise Refused\(\s*f?|say\(\s*"warn",\s*f?|die \d+|database_give_up \d+|log_error|log_warn|(?:ERRORS|WARNINGS|FAULTS)\+=\()`;
  const found = [...text.matchAll(new RegExp(`${calls.replace("(?:ERR", "\\w*(?:ERR")} ?"([^"\\n]*)"`, "g"))];
  // One that only hands on what another place says has no words of its own.
  return found.map(([, message]) => message!).filter((message) => /\w/.test(message.replaceAll(HOLE, "")));
}

describe("docs/troubleshooting.md", async () => {
  const quoted = quotedIn(await readFile(join(ROOT, "docs", "troubleshooting.md"), "utf8"));
  const text = await scripts();

  it("quotes only what a script or PostgreSQL says", () => {
    expect(quoted.length).toBeGreaterThan(80);
    // A quote of holes would stand for every message.
    expect(quoted.filter((message) => message.replace(/<[^<>]*>/g, "").trim().length < 10)).toEqual([]);
    const unknown = quoted.filter((message) => !OF_THE_SERVER.includes(message) && !pattern(message).test(text));
    expect(unknown).toEqual([]);
  });

  it("lists no message of PostgreSQL that the guide does not quote", () => {
    expect(OF_THE_SERVER.filter((message) => !quoted.includes(message))).toEqual([]);
  });

  it("has every message with which a script ends, complains or warns", () => {
    const messages = messagesIn(text);
    expect(messages.length).toBeGreaterThan(70);
    const patterns = quoted.map(pattern);
    expect(messages.filter((message) => !patterns.some((one) => one.test(message)))).toEqual([]);
  });
});
