// @ts-check
// What both commands of the README need first. Runs before any dependency is there, so it uses Node alone.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The workspace's root. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} line */
export const say = (line) => process.stderr.write(`strata: ${line}\n`);

/**
 * Ends this process with a sentence that says what was expected, what was found and what to do.
 * @param {string} message
 * @param {string} fix
 * @returns {never}
 */
export function stop(message, fix) {
  process.stderr.write(`strata: ${message}\n  → ${fix}\n`);
  process.exit(1);
}

/**
 * Runs a command in the workspace with this terminal, and gives its exit code.
 * @param {readonly string[]} command
 * @param {Record<string, string>} [env]
 * @returns {number}
 */
export function run(command, env = {}) {
  const [file, ...args] = command;
  const result = spawnSync(/** @type {string} */ (file), args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { TURBO_TELEMETRY_DISABLED: "1", ...process.env, ...env },
  });
  if (result.signal) process.exit(130);
  return result.status ?? 127;
}

/** Ends this process unless Node is new enough. */
function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  if (Number.parseInt(process.versions.node, 10) < 20)
    stop(`expected Node.js ${engines.node}, found ${process.versions.node}`, "install Node.js 20 or later");
}

/** @param {readonly string[]} command */
function output(command) {
  const [file, ...args] = command;
  // Outside of the workspace: there, a pnpm of another version would try to fetch the pinned one.
  const result = spawnSync(/** @type {string} */ (file), args, {
    cwd: "/",
    encoding: "utf8",
  });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * The command that runs the pinned pnpm. Where no pnpm is there at all it is installed for good, if this user may;
 * a pnpm of another version is left alone.
 * @returns {string[]}
 */
function findPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const pinned = String(packageManager).split("@")[1];
  const found = output(["pnpm", "--version"]);
  if (found === pinned) return ["pnpm"];
  if (found === undefined) {
    say(`installing pnpm ${pinned} (npm install --global)`);
    output(["npm", "install", "--global", `pnpm@${pinned}`]);
    if (output(["pnpm", "--version"]) === pinned) return ["pnpm"];
  } else say(`found pnpm ${found}, using ${pinned} through npx`);
  return ["npx", "--yes", `pnpm@${pinned}`];
}

/**
 * Sets up everything but the image: pnpm, the dependencies, the kit and the rendered images, an engine.
 * Gives the command that runs the pinned pnpm.
 * @returns {string[]}
 */
export function bootstrap() {
  checkNode();
  const pnpm = findPnpm();
  say("installing the dependencies");
  if (run([...pnpm, "install", "--frozen-lockfile", "--prefer-offline"]) !== 0)
    stop("expected the dependencies to install, found the error above", "check the network and npm's registry setting");
  say("building the kit, the fragments and the rendered images (cached by Turbo)");
  if (run([...pnpm, "turbo", "run", "build", "--output-logs=errors-only", "--log-order=grouped"]) !== 0)
    stop("expected every package to build, found the error above", "correct it and run this again");
  say("looking for a container engine");
  const code = run([...pnpm, "--silent", "strata", "doctor", "--install"]);
  if (code !== 0) process.exit(code);
  return pnpm;
}
