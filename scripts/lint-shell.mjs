// @ts-check
// ShellCheck and shfmt over every shell file below the given folders (this one by default). --write formats.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { $, chalk } from "zx";

const write = process.argv.includes("--write");
const folders = process.argv.slice(2).filter((word) => !word.startsWith("--"));

/**
 * A program of the machine. pnpm puts node_modules/.bin first, where `shellcheck` is a wrapper that downloads.
 * @param {string} name
 */
function onMachine(name) {
  const places = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return places.map((folder) => join(folder, name)).find(existsSync);
}

/** @param {string} file */
function isShell(file) {
  if (/\.(sh|bash|bats)$/.test(file)) return true;
  return !/\.[a-z]+$/.test(file) && /^#!.*\b(ba)?sh\b/.test(readFileSync(file, "utf8").slice(0, 80));
}

const listed = await $({
  quiet: true,
})`git ls-files --cached --others --exclude-standard -- ${folders.length > 0 ? folders : ["."]}`;
const files = listed.stdout.split("\n").filter((file) => file && existsSync(file) && isShell(file));
if (files.length === 0) {
  console.log("no shell file here");
  process.exit(0);
}
const shfmt = onMachine("shfmt");
if (!shfmt) {
  console.error(
    "shfmt: expected it on the PATH, found none\n  → sudo apt-get install shfmt, or pnpm strata doctor --install",
  );
  process.exit(1);
}
const shellcheck = onMachine("shellcheck") ?? "shellcheck";
const run = $({ nothrow: true, verbose: false });
const results = await Promise.all([
  run`${shellcheck} --external-sources --source-path=SCRIPTDIR --severity=style ${files}`,
  run`${shfmt} ${write ? "-w" : "-d"} ${files}`,
]);
for (const { stdout, stderr } of results) process.stdout.write(stdout + stderr);
const failed = results.some(({ exitCode }) => exitCode !== 0);
console.log(`${failed ? chalk.red("failed") : "ok"}: ShellCheck and shfmt over ${files.length} shell files`);
process.exitCode = failed ? 1 : 0;
