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

/**
 * The rules of address translation, as `iptables -S` writes them, that name a network's bridge which is there no more,
 * each as the words that take it away. Docker names a bridge after its network: `br-` and twelve hexadecimal digits.
 */
export function staleRules(rules: string, interfaces: ReadonlySet<string>): string[][] {
  return rules.split("\n").flatMap((rule) => {
    const bridge = /^-A .*-[io] (br-[0-9a-f]{12})(?: |$)/.exec(rule)?.[1];
    // The arguments of Docker's rules have no spaces.
    return bridge === undefined || interfaces.has(bridge) ? [] : [["-D", ...rule.split(" ").slice(1)]];
  });
}

/**
 * Takes away the rules of address translation of a killed daemon's networks, and gives how many. A new network that
 * gets the addresses of such a one would hide its containers from one another behind the bridge's address: a server
 * that looks at who asks, as etcd does with certificates, refuses them all.
 * Safe beside a running daemon, whose bridges are there before their rules are. Raises nothing, and does nothing where
 * there is no iptables.
 */
export async function dropRules(): Promise<number> {
  const listed = await attempt("iptables", ["--wait", "-t", "nat", "-S"]);
  if (!listed.ok) return 0;
  const interfaces = new Set(await readdir("/sys/class/net").catch(() => []));
  // A folder that is not there, or another namespace's, would make every bridge look gone.
  if (!interfaces.has("lo")) return 0;
  let dropped = 0;
  for (const words of staleRules(listed.stdout, interfaces))
    if ((await attempt("iptables", ["--wait", "-t", "nat", ...words])).ok) dropped++;
  return dropped;
}
