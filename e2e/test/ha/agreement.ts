// Whether everybody agrees about who leads: the servers, Patroni, and etcd.
import { type Cluster, SERVERS, STORES } from "./cluster.js";
import { askOnce } from "./line.js";

/** A member as Patroni's REST interface tells of it. */
export interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

/** Whether commits wait for a member of this role. */
export const waitedFor = (role: string): boolean => role === "sync_standby" || role === "quorum_standby";

/**
 * The leader of a cluster that is whole: one primary with two streaming replicas on its timeline, one of them synchronous
 * where that is wanted, Patroni of the same opinion, etcd complete. Else why it is not.
 */
export async function judge(cluster: Cluster): Promise<{ readonly leader: string } | { readonly why: string }> {
  const latest = new Map(cluster.history.looks.slice(-300).map((look) => [look.node, look]));
  const leaders = SERVERS.filter((node) => latest.get(node)?.role === "leader");
  const leader = leaders[0];
  if (!leader || leaders.length > 1) return { why: `expected one primary, found ${leaders.join(", ") || "none"}` };
  const timeline = latest.get(leader)?.timeline;
  const behind = SERVERS.filter((node) => latest.get(node)?.timeline !== timeline);
  if (behind.length > 0) return { why: `${behind.join(", ")} not on timeline ${timeline}` };
  const stores = STORES.filter((node) => (latest.get(node)?.role ?? "none") === "none");
  if (stores.length > 0) return { why: `${stores.join(", ")} without a leader` };

  const synchronous = cluster.wanted.mode !== "off";
  const members = await cluster.members(leader);
  const named = members.filter(({ role }) => role === "leader").map(({ name }) => name);
  if (named.join() !== leader) return { why: `Patroni says the leader is ${named.join(", ") || "nobody"}` };
  if (synchronous && !members.some(({ role }) => waitedFor(role))) return { why: "no synchronous standby" };
  const streams = await askOnce<{ sync: string }>(
    cluster.direct(leader),
    "select sync_state as sync from pg_stat_replication where state = 'streaming'",
  );
  if (streams.length < SERVERS.length - 1) return { why: `${streams.length} replicas stream` };
  if (synchronous && !streams.some(({ sync }) => sync === "sync" || sync === "quorum"))
    return { why: "the server waits for no standby" };
  return { leader };
}
