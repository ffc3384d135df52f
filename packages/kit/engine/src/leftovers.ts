import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "./run.js";

/** Where Docker keeps the network namespaces of its containers, as bind mounts that outlive the processes. */
const NAMESPACES = "/run/docker/netns";

/** Which file it is, whatever its path: two paths of one namespace give the same. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/**
 * Takes away network namespaces in a folder that no process is in, and gives how many. A daemon that was killed
 * together with its containers leaves theirs, still joined to its bridge: the next daemon, one with another data
 * folder above all, gives the same addresses to new containers, and then no connection reaches those.
 * Only while no daemon runs; raises nothing.
 */
export async function dropLeftovers(folder = NAMESPACES): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return 0;
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const used = new Set(await Promise.all(processes.map((pid) => identityOf(`/proc/${pid}/ns/net`))));
  let dropped = 0;
  for (const path of names.map((name) => join(folder, name))) {
    const identity = await identityOf(path);
    if (identity === undefined || used.has(identity)) continue;
    // One that is no mount any more is an empty file.
    await attempt("umount", [path]);
    const removed = await rm(path).then(
      () => true,
      () => false,
    );
    if (removed) dropped++;
  }
  return dropped;
}
