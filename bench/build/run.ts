import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A line of a program's output, and when it came, by `Date.now()`. */
export interface Line {
  readonly at: number;
  readonly text: string;
}

/** How a program ended. */
export interface Ended {
  readonly seconds: number;
  readonly stdout: string;
  /** What it said on stderr, line by line. */
  readonly said: readonly Line[];
}

/** Aborted when this run is interrupted: no further program is started. */
export const interruption = new AbortController();
const running = new Set<ChildProcess>();

/** Sends a signal to a program and to all that it started, which are one group. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, name);
  } catch {
    // It has ended in between.
  }
}

/** Ends every program that runs, and waits until it has; one that does not listen is killed. */
export async function interrupt(): Promise<void> {
  interruption.abort(new Error("interrupted"));
  const ends = [...running].map((child) => new Promise((resolve) => child.once("close", resolve)));
  for (const child of running) signal(child, "SIGTERM");
  const patience = setTimeout(() => {
    for (const child of running) signal(child, "SIGKILL");
  }, 15_000);
  await Promise.all(ends);
  clearTimeout(patience);
}

/**
 * Runs a program to its end, in a group of its own. Raises an error with the end of its output when it fails, and when
 * this run is interrupted.
 */
export async function run(
  cwd: string,
  env: NodeJS.ProcessEnv,
  command: string,
  ...args: readonly string[]
): Promise<Ended> {
  interruption.signal.throwIfAborted();
  const began = performance.now();
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const out: string[] = [];
  const said: Line[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  createInterface({ input: child.stderr }).on("line", (text) => said.push({ at: Date.now(), text }));
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (number, name) => resolve(number ?? name));
  }).finally(() => running.delete(child));
  const seconds = (performance.now() - began) / 1_000;
  interruption.signal.throwIfAborted();
  const stdout = out.join("");
  if (code === 0) return { seconds, stdout, said };
  const end = [...stdout.split("\n"), ...said.map(({ text }) => text)].filter((line) => line.trim()).slice(-20);
  throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n    ${end.join("\n    ")}`);
}
