// @ts-check
// Line coverage of our shell: what kcov saw in many copies of a file, put together by the file that they are copies of.

/** Executable lines of a file, and how often each ran. @typedef {Map<number, number>} Lines */
/** @typedef {{ file: string, lines: Lines }} Covered */
/** @typedef {{ file: string, lines: number, covered: number, missed: number[] }} Result */

/**
 * The files in a Cobertura report as kcov writes it, each with its whole path.
 * @param {string} xml
 * @returns {Covered[]}
 */
export function readCobertura(xml) {
  const source = /<source>([^<]*)<\/source>/.exec(xml)?.[1] ?? "";
  const classes = xml.split("<class ").slice(1);
  return classes.map((text) => {
    const lines = [...text.matchAll(/<line number="(\d+)" hits="(\d+)"/g)];
    return {
      file: source + /filename="([^"]*)"/.exec(text)?.[1],
      lines: new Map(lines.map(([, number, hits]) => [Number(number), Number(hits)])),
    };
  });
}

/** The path of a file in its package, or undefined for one that is a test's own. @param {string} path */
const sourceOf = (path) => /(?:^|\/)packages\/([^/]+\/[^/]+\/rootfs\/.+)$/.exec(path)?.[1];

/**
 * How many of their last parts two paths have in common.
 * @param {string} a
 * @param {string} b
 */
function commonEnd(a, b) {
  const [left, right] = [a.split("/").reverse(), b.split("/").reverse()];
  const differs = left.findIndex((part, index) => part !== right[index]);
  return differs < 0 ? left.length : differs;
}

/** @param {Lines} a @param {Lines} b */
const sameLines = (a, b) => a.size === b.size && [...a.keys()].every((line) => b.has(line));

/**
 * The file that another one is a copy of: the longest common end, at least its folder and its name, and the very same
 * executable lines. Where a test wrote something else to that path, it is a copy of none.
 * @param {Covered} copy
 * @param {ReadonlyMap<string, Lines>} sources
 */
function originalOf(copy, sources) {
  const candidates = [...sources].filter(([, lines]) => sameLines(copy.lines, lines));
  const ranked = candidates.map(([file]) => ({ file, common: commonEnd(copy.file, file) }));
  return ranked.sort((a, b) => b.common - a.common).find(({ common }) => common >= 2)?.file;
}

/**
 * What kcov takes for executable and bash never traces, so that no test could cover it: the end of a block with a
 * redirection, and a branch of `case` that does nothing.
 */
const NEVER_TRACED = /^\s*(?:(?:done|fi|esac|[)}])\s*\d?[<>|&].*|[^\s()]+(?: \| [^\s()]+)*\)\s*;;)$/;

/**
 * Adds up what many runs saw. A source file is one below `packages/<kind>/<name>/rootfs`; all else is looked at as a
 * copy of one.
 * @param {readonly Covered[]} seen
 * @param {(file: string) => string} textOf text of a source file, by its path below packages/
 * @returns {Result[]}
 */
export function mergeCoverage(seen, textOf) {
  /** @type {Map<string, Lines>} */
  const sources = new Map();
  for (const { file, lines } of seen) {
    const source = sourceOf(file);
    if (source && !sources.has(source)) sources.set(source, new Map([...lines.keys()].map((line) => [line, 0])));
  }
  for (const one of seen) {
    const total = sources.get(sourceOf(one.file) ?? originalOf(one, sources) ?? "");
    if (total) for (const [line, hits] of one.lines) total.set(line, (total.get(line) ?? 0) + hits);
  }
  for (const [file, lines] of sources) {
    const text = textOf(file).split("\n");
    for (const line of lines.keys()) if (NEVER_TRACED.test(text[line - 1] ?? "")) lines.delete(line);
  }
  return [...sources]
    .filter(([, lines]) => lines.size > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, lines]) => {
      const missed = [...lines].filter(([, hits]) => hits === 0).map(([line]) => line);
      return { file, lines: lines.size, covered: lines.size - missed.length, missed: missed.sort((a, b) => a - b) };
    });
}

/**
 * Percent with one digit, rounded down: 89.99 does not pass for 90.
 * @param {{ lines: number, covered: number }} count
 */
export const percent = ({ lines, covered }) => (lines === 0 ? 100 : Math.floor((covered / lines) * 1_000) / 10);

/**
 * The sum of all files.
 * @param {readonly Result[]} results
 */
export function totalOf(results) {
  const sum = (/** @type {"lines" | "covered"} */ key) => results.reduce((total, result) => total + result[key], 0);
  return { lines: sum("lines"), covered: sum("covered") };
}

/**
 * Numbers in a row as ranges: 3-5, 9.
 * @param {readonly number[]} numbers
 */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  const shown = found.slice(0, 12).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return shown.join(" ") + (found.length > 12 ? " …" : "");
}

/**
 * The table for people: a line per file, the total last.
 * @param {readonly Result[]} results
 */
export function coverageTable(results) {
  const total = totalOf(results);
  const row = (/** @type {{ lines: number, covered: number }} */ count, /** @type {string[]} */ ...words) =>
    [percent(count).toFixed(1).padStart(6), `${count.covered}/${count.lines}`.padStart(10), ...words].join("  ");
  return [
    " cover       lines  file (lines that no test runs)",
    ...results.map((result) =>
      row(result, result.file + (result.missed.length > 0 ? `  (${ranges(result.missed)})` : "")),
    ),
    row(total, "total"),
  ].join("\n");
}
