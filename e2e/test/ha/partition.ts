// Real loss of packets between containers: rules in a container's own network, set from outside. Traffic from here, through
// the published ports, is not touched.
import { existsSync } from "node:fs";
import { attempt, isRoot } from "@strata/engine";

/** What is asked of whoever started the containers. */
interface Site {
  state(node: string): Promise<{ running: boolean; pid: number; address: string }>;
}

const FOLDERS = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
const whereIs = (program: string): string | undefined =>
  FOLDERS.map((folder) => `${folder}/${program}`).find((path) => existsSync(path));

/** Why packets cannot be dropped on this machine; undefined where they can. */
export function whyNoPartition(): string | undefined {
  if (!isRoot()) return "dropping packets takes root";
  const missing = ["nsenter", "iptables", "iptables-restore"].filter((program) => whereIs(program) === undefined);
  return missing.length > 0 ? `dropping packets takes ${missing.join(" and ")}, which is not here` : undefined;
}

/** Runs a program of iptables in the network of a container. */
async function inNetwork(pid: number, input: string, name: string, ...words: string[]): Promise<void> {
  const [nsenter, program] = [whereIs("nsenter") ?? "nsenter", whereIs(name) ?? name];
  const options = { timeout: 10_000, ...(input ? { input, stdin: "pipe" as const } : {}) };
  const done = await attempt(nsenter, [`--net=/proc/${pid}/ns/net`, program, ...words], options);
  if (!done.ok) throw new Error(`${name} in the network of process ${pid}: ${done.reason}`);
}

/** Drops every packet between a container and others, in both directions, from one moment on. */
export async function cut(site: Site, node: string, others: readonly string[]): Promise<void> {
  const { pid } = await site.state(node);
  const states = await Promise.all(others.map((other) => site.state(other)));
  // One that is down has no address, and nothing to say.
  const rules = states
    .filter(({ address }) => address)
    .flatMap(({ address }) => [`-A INPUT -s ${address} -j DROP`, `-A OUTPUT -d ${address} -j DROP`]);
  const all = ["*filter", ...rules, "COMMIT", ""].join("\n");
  await inNetwork(pid, all, "iptables-restore", "--noflush", "--wait");
}

/** Lets everything through again. */
export async function mend(site: Site, node: string): Promise<void> {
  const { running, pid } = await site.state(node);
  if (!running) return;
  await inNetwork(pid, "", "iptables", "--wait", "--flush").catch(async (error) => {
    // The rules are gone with the network of a container that has ended since it was asked.
    if ((await site.state(node)).pid === pid) throw error;
  });
}
