// @ts-check
// Processes for modern-engine.mjs: running commands, and finding those that an engine started.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { familyOf, MARK } from "./plan.mjs";

/**
 * Runs a command to its end.
 * @param {readonly string[]} command
 * @param {number} [timeout] milliseconds
 */
export function call([file = "", ...args], timeout = 60_000) {
  const done = spawnSync(file, args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", timeout });
  return {
    ok: done.status === 0,
    stdout: done.stdout ?? "",
    stderr: (done.stderr ?? "").trim() || (done.error?.message ?? ""),
  };
}

/**
 * Whether a program is there. The folders of root's programs are looked at too: a PATH may lack them.
 * @param {string} name
 */
export const isThere = (name) =>
  `${process.env.PATH}:/usr/sbin:/sbin`.split(":").some((folder) => existsSync(join(folder, name)));

/**
 * Whether a process was started by the engine with this mark.
 * @param {number} pid
 * @param {string} mark
 */
export function isMarked(pid, mark) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${MARK}=${mark}`);
  } catch {
    return false;
  }
}

/**
 * The processes of the engine with this mark, its containers' among them.
 * @param {string} mark
 */
export function ownProcesses(mark) {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const pid = Number(name);
      try {
        const status = readFileSync(`/proc/${name}/status`, "utf8");
        // One that ended, and that nobody waited for yet, is nothing to end.
        if (/^State:\s*Z/m.test(status)) return [];
        return [{ pid, parent: Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]), marked: isMarked(pid, mark) }];
      } catch {
        return [];
      }
    });
  return familyOf(processes);
}

/**
 * Ends processes at once.
 * @param {readonly number[]} pids
 */
export function kill(pids) {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
}

/**
 * Waits until a condition holds; gives whether it did.
 * @param {() => boolean} holds
 * @param {number} limit milliseconds
 */
export async function until(holds, limit) {
  for (const end = Date.now() + limit; Date.now() < end; await sleep(100)) if (holds()) return true;
  return holds();
}
