// @ts-check
// The pure part of modern-engine.mjs: paths, arguments and sentences.
import { createHash } from "node:crypto";
import { join } from "node:path";

/** What the engine's own Debian is made of; another list makes it anew. */
export const PACKAGES = ["docker.io", "docker-buildx", "docker-cli", "iptables", "iproute2", "ca-certificates", "git"];
export const SUITE = "trixie";
/** Its daemon has it in its environment, with a value of its own, and so has all that it starts but containers. */
export const MARK = "STRATA_MODERN_ENGINE";

/** Where it cannot be done, and not for a mistake of ours: tests that need it are skipped with this reason. */
export class Refusal extends Error {}

/**
 * The paths and names of the engine whose files lie below a cache folder. Names of the network come from the path:
 * two caches give two engines that do not meet.
 * @param {string} cache such as ~/.cache
 */
export function layout(cache) {
  const folder = join(cache, "strata", "modern-engine");
  const id = createHash("sha256").update(folder).digest("hex").slice(0, 6);
  const file = (/** @type {string} */ name) => join(folder, name);
  return {
    folder,
    root: file("rootfs"),
    data: file("data"),
    state: file("state.json"),
    socket: file("docker.sock"),
    pidFile: file("docker.pid"),
    log: file("dockerd.log"),
    client: file("docker"),
    config: file("config"),
    link: `strata-${id}`,
    chain: `STRATA-${id}`,
    lock: `\0strata-modern-engine-${id}`,
  };
}

/** @typedef {ReturnType<typeof layout>} Layout */

/**
 * Why no engine can be started here, or undefined.
 * @param {{ platform: string, uid: number | undefined, missing: readonly string[], mounts: boolean, socket: string }} found
 */
export function refusal({ platform, uid, missing, mounts, socket }) {
  const expected = "modern engine: expected";
  if (platform !== "linux") return `${expected} Linux, found ${platform}`;
  if (uid !== 0) return `${expected} root, found user ${uid}: run it as root`;
  if (missing.length > 0)
    return `${expected} the program${missing.length > 1 ? "s" : ""} ${missing.join(", ")}, found none: install ${missing.length > 1 ? "them" : "it"} with apt-get`;
  if (!mounts)
    return `${expected} that root may mount in a namespace of its own (unshare --mount), found that this machine forbids it: give it the capability SYS_ADMIN`;
  if (Buffer.byteLength(socket) > 107)
    return `${expected} a path of at most 107 bytes for its socket, found ${socket}: set XDG_CACHE_HOME to a shorter one`;
  return undefined;
}

/** Top-level folders that the bootstrapped Debian has itself. */
const OWN = "bin boot dev etc lib lib32 lib64 libx32 lost+found proc run sbin sys usr var".split(" ");

/**
 * The folders of the machine that are seen inside: every top-level folder that is none of the system's own, and of
 * the others (such as /var/tmp) those that are asked for.
 * @param {readonly string[]} top names of the machine's top-level folders
 * @param {readonly string[]} wanted absolute paths, without symbolic links
 */
export function sharedFolders(top, wanted) {
  const folders = top.filter((name) => !OWN.includes(name)).map((name) => `/${name}`);
  for (const path of [...wanted].sort())
    if (path !== "/" && !folders.some((folder) => `${path}/`.startsWith(`${folder}/`))) folders.push(path);
  return folders;
}

/** @param {string} text a number as the kernel writes an address, such as 000011AC for 172.17.0.0 */
const fromHex = (text) => Buffer.from(text, "hex").reverse().readUInt32BE();

/**
 * The first two numbers of a /16 that no route of this machine meets.
 * @param {string} routes text of /proc/net/route
 */
export function freeSubnet(routes) {
  const taken = routes
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length > 7 && words[7] !== "00000000")
    .map((words) => ({ to: fromHex(words[1] ?? ""), mask: fromHex(words[7] ?? "") }));
  // Private ones that seldom anybody uses; then those that are kept for benchmarks (RFC 2544).
  const numbers = Array.from({ length: 40 }, (_, index) => [10, 213 + index]);
  for (const [first = 0, second = 0] of [...numbers, [198, 18], [198, 19]]) {
    const start = first * 2 ** 24 + second * 2 ** 16;
    const meets = (/** @type {{ to: number, mask: number }} */ { to, mask }) =>
      ((to ^ start) & mask & 0xffff0000) === 0;
    if (!taken.some(meets)) return `${first}.${second}`;
  }
  throw new Refusal("modern engine: expected a free network from 10.213.0.0/16 on or in 198.18.0.0/15, found none");
}

/**
 * What joins the engine's own network namespace to the machine, and what takes that away. A second daemon in the
 * machine's namespace would take the first one's bridge and iptables chains away when it starts; in one of its own it
 * does as it likes. The machine passes on what comes from there, and nothing else is let in.
 * @param {Pick<Layout, "link" | "chain">} names
 * @param {string} subnet as freeSubnet gives it
 * @param {number} pid a process in the namespace
 */
export function networkCommands({ link, chain }, subnet, pid) {
  const net = `${subnet}.0.0/16`;
  const replies = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
  const filter = ["iptables", "-w", "-t", "filter"];
  const nat = ["iptables", "-w", "-t", "nat"];
  const inside = ["nsenter", `--net=/proc/${pid}/ns/net`, "ip"];
  return {
    up: [
      ["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"],
      ["ip", "link", "add", "name", link, "type", "veth", "peer", "name", "eth0", "netns", String(pid)],
      ["ip", "address", "add", `${subnet}.255.1/30`, "dev", link],
      ["ip", "link", "set", link, "up"],
      [...inside, "link", "set", "lo", "up"],
      [...inside, "address", "add", `${subnet}.255.2/30`, "dev", "eth0"],
      [...inside, "link", "set", "eth0", "up"],
      [...inside, "route", "add", "default", "via", `${subnet}.255.1`],
      [...filter, "-N", chain],
      [...filter, "-A", chain, "-s", net, "-j", "ACCEPT"],
      [...filter, "-A", chain, "-d", net, ...replies, "-j", "ACCEPT"],
      [...filter, "-I", "FORWARD", "-j", chain],
      [...nat, "-N", chain],
      [...nat, "-A", chain, "-s", net, "!", "-d", net, "-j", "MASQUERADE"],
      [...nat, "-A", "POSTROUTING", "-j", chain],
    ],
    down: [
      [...filter, "-D", "FORWARD", "-j", chain],
      [...nat, "-D", "POSTROUTING", "-j", chain],
      ...[filter, nat].flatMap((table) => ["-F", "-X"].map((flag) => [...table, flag, chain])),
      ["ip", "link", "delete", link],
    ],
  };
}

/**
 * The daemon's command, run inside.
 * @param {Layout} paths
 * @param {string} subnet
 */
export function daemonCommand(paths, subnet) {
  return [
    "dockerd",
    `--host=unix://${paths.socket}`,
    // The socket is seen by the machine, where a group's number of the Debian inside may be anybody's.
    "--group=root",
    `--data-root=${paths.data}`,
    "--exec-root=/run/docker",
    `--pidfile=${paths.pidFile}`,
    `--bip=${subnet}.0.1/24`,
    `--default-address-pool=base=${subnet}.128.0/18,size=24`,
  ];
}

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Settings of the machine's own client that would lead this one to another engine or builder. */
const UNSET = ["DOCKER_CONTEXT", "DOCKER_API_VERSION", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "BUILDX_BUILDER"];

/**
 * The wrapper: Docker's client inside of the namespace. Every step is an exec, so signals reach the client.
 * @param {Layout} paths
 * @param {{ pid: number, namespace: string }} daemon
 */
export function clientScript(paths, { pid, namespace }) {
  const link = `/proc/${pid}/ns/mnt`;
  const command = [
    `exec nsenter --mount=${link} -- /usr/bin/env --chdir="$PWD"`,
    ...UNSET.map((name) => `-u ${name}`),
    quoted(`DOCKER_HOST=unix://${paths.socket}`),
    quoted(`DOCKER_CONFIG=${paths.config}`),
    '/usr/bin/docker "$@"',
  ].join(" ");
  return `#!/bin/sh
# Docker's client beside the modern engine. Made by scripts/modern-engine.mjs at each start of it.
if [ "$(readlink ${link} 2>/dev/null)" != '${namespace}' ]; then
  echo 'Cannot connect to the modern engine: its daemon ended, start it by node scripts/modern-engine.mjs start' >&2
  exit 1
fi
${command}
`;
}

/**
 * Those of the processes to end: the marked ones with all that descends from them (containers are not marked).
 * @param {readonly { pid: number, parent: number, marked: boolean }[]} processes
 */
export function familyOf(processes) {
  const family = new Set(processes.filter(({ marked }) => marked).map(({ pid }) => pid));
  for (let before = -1; before !== family.size; ) {
    before = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}
