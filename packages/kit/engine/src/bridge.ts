import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRoot } from "./install.js";
import { attempt } from "./run.js";

/** The kernel's word for an address that somebody has set (NET_ADDR_SET in linux/netdevice.h). */
const SET = "3";

/**
 * Gives the engine's bridge an address that stays, where it has none and this is root. A bridge without one takes the
 * lowest of its containers' addresses, so it changes with each that comes or goes, and what others send to the old one is
 * lost until they notice: a download breaks off, a connection stalls. Without root, without `ip` or without that bridge
 * nothing happens.
 * @param folder where the kernel tells of its network devices
 */
export async function steadyBridge(
  say: (line: string) => void,
  name = "docker0",
  folder = "/sys/class/net",
): Promise<void> {
  const read = async (file: string): Promise<string> =>
    (await readFile(join(folder, name, file), "utf8").catch(() => "")).trim();
  const [address, how] = [await read("address"), await read("addr_assign_type")];
  if (!isRoot() || address === "" || how === "" || how === SET) return;
  const done = await attempt("ip", ["link", "set", "dev", name, "address", address]);
  if (done.ok) say(`the engine's network ${name} keeps its address ${address} from now on`);
}
