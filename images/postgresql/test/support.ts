import { attempt } from "@strata/engine";
import { insideImage, Volume as TestVolume } from "@strata/testing";
import { type Container, engine, imageOf } from "./container.js";

export { type File, Folder } from "@strata/testing";

/** Where a new cluster is. */
export const DATA = "/var/lib/postgresql/data";
/**
 * Options of `docker run` that keep the data in memory, the user's own: a first start takes about half as long then. For containers that
 * are not started twice, as their end takes it away.
 */
export const IN_MEMORY = ["--tmpfs", `${DATA}:uid=999,gid=999,mode=0700`];
/** Where init scripts are. */
export const SCRIPTS = "/docker-entrypoint-initdb.d";
/** Where the user's configuration is. */
export const CONFIG = "/usr/local/pgsql/config";

/** A named volume that is gone when the test is. */
export class Volume extends TestVolume {
  /** Options of `docker run` that mount it. */
  override at(path = DATA): string[] {
    return super.at(path);
  }
}

/** Runs a script in a fresh container without the entrypoint, as root unless options say otherwise. */
export const inside = (variant: string, script: string, options: readonly string[] = []): Promise<string> =>
  insideImage(imageOf(variant), script, options);

/** Every file below a folder of a container, stopped or not: mode, owner, size, time, path. */
export async function listing(container: Container, path = DATA): Promise<string> {
  const copy = 'set -o pipefail; "$0" cp "$1:$2" - | tar -tv --full-time --numeric-owner -f -';
  const answer = await attempt("bash", ["-c", copy, engine.client, container.name, path], { timeout: 60_000 });
  if (!answer.ok) throw new Error(answer.stderr);
  return answer.stdout;
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Works on every item, `width` at a time; gives the results in the items' order. */
export async function inTurns<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  const ended = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  return results;
}
