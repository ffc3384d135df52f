// What a run promised its clients against what the nodes have in the end. Pure: from records and rows to a verdict.
import type { Look, Moment, Write } from "./history.js";

/** A row as it lies in the table: its writer and its number. */
export type Row = readonly [writer: string, sequence: number];

/** An acknowledged row that is missing somewhere. */
export interface Lost {
  readonly write: Write;
  readonly missingOn: readonly string[];
}

/** What became of the rows. */
export interface Fates {
  readonly acknowledged: number;
  readonly refused: number;
  /** Rows whose writer never got an answer, by whether they are there. */
  readonly unknown: { readonly present: number; readonly absent: number };
  readonly lost: readonly Lost[];
  /** Rows that are there more than once, and those that nobody wrote or that the server had refused. */
  readonly strange: readonly string[];
}

const keyOf = (writer: string, sequence: number): string => `${writer}#${sequence}`;

/** The rows of a node, and what is strange about them. */
function keysOf(node: string, rows: readonly Row[], known: ReadonlyMap<string, Write>, strange: string[]): Set<string> {
  const keys = new Set<string>();
  for (const [writer, sequence] of rows) {
    const key = keyOf(writer, sequence);
    if (keys.has(key)) strange.push(`${key} is on ${node} more than once`);
    keys.add(key);
    const write = known.get(key);
    if (!write) strange.push(`${key} is on ${node}, and nobody wrote it`);
    else if (write.fate === "refused") strange.push(`${key} is on ${node}, and was refused: ${write.reason ?? "why?"}`);
  }
  return keys;
}

/** Compares what was written with the rows of every node. */
export function compare(writes: readonly Write[], rows: ReadonlyMap<string, readonly Row[]>): Fates {
  if (rows.size === 0) throw new Error("the checker: expected the rows of one node at least, found those of none");
  const known = new Map(writes.map((write) => [keyOf(write.writer, write.sequence), write]));
  const strange: string[] = [];
  const nodes = [...rows].map(([node, list]) => ({ node, keys: keysOf(node, list, known, strange) }));
  const lost: Lost[] = [];
  const count = { acknowledged: 0, refused: 0, unknown: { present: 0, absent: 0 } };
  for (const write of writes) {
    const key = keyOf(write.writer, write.sequence);
    const missingOn = nodes.filter(({ keys }) => !keys.has(key)).map(({ node }) => node);
    if (write.fate === "unknown") {
      count.unknown[missingOn.length === 0 ? "present" : "absent"]++;
      if (missingOn.length > 0 && missingOn.length < nodes.length)
        strange.push(`${key}, of unknown fate, is missing on ${missingOn.join(", ")} alone`);
      continue;
    }
    count[write.fate]++;
    if (write.fate === "acknowledged" && missingOn.length > 0) lost.push({ write, missingOn });
  }
  return { ...count, lost, strange };
}

/** A commit that was begun on an old timeline after another had been acknowledged on a newer one. */
export interface Stale {
  readonly old: Write;
  readonly newer: Write;
}

/** How the timelines of acknowledged commits follow one another. */
export interface Succession {
  /** What must not be: two primaries acknowledged at the same time. */
  readonly stale: readonly Stale[];
  /**
   * Acknowledgements of an old timeline that arrived after the first of a newer one, and were begun before it: an answer
   * may travel for as long as it likes, for instance out of a container that was paused after it had committed.
   */
  readonly late: number;
}

/**
 * Looks for two writable primaries. A commit takes place somewhere between the moments it was begun and answered. So one
 * that was begun on an old timeline when a newer one had already answered shows two servers that both acknowledged.
 */
export function succession(writes: readonly Write[]): Succession {
  const first = new Map<number, Write>();
  const acknowledged = writes.filter(({ fate, timeline }) => fate === "acknowledged" && timeline !== undefined);
  for (const write of acknowledged) {
    const before = first.get(write.timeline!);
    if (!before || write.ended < before.ended) first.set(write.timeline!, write);
  }
  const stale: Stale[] = [];
  let late = 0;
  for (const write of acknowledged) {
    let newer: Write | undefined;
    for (const [timeline, other] of first)
      if (timeline > write.timeline! && (!newer || other.ended < newer.ended)) newer = other;
    if (!newer) continue;
    if (write.began > newer.ended) stale.push({ old: write, newer });
    else if (write.ended > newer.ended) late++;
  }
  return { stale, late };
}

/** A time during which a node certainly was a primary: it said so at both ends, and nothing else between. */
interface Reign {
  readonly node: string;
  readonly timeline: number | undefined;
  readonly from: Moment;
  to: Moment;
}

/** When each node was a primary. A look without an answer ends it: a paused server is none. */
function reigns(looks: readonly Look[]): Reign[] {
  const done: Reign[] = [];
  const open = new Map<string, Reign>();
  for (const { node, asked, answered, role, timeline } of looks) {
    const current = open.get(node);
    if (role !== "leader") open.delete(node);
    else if (current && current.timeline === timeline) current.to = asked;
    else {
      const reign = { node, timeline, from: answered, to: answered };
      open.set(node, reign);
      done.push(reign);
    }
  }
  return done;
}

/** A time during which two nodes both said that they are not in recovery. */
export interface Overlap {
  readonly nodes: readonly [string, string];
  readonly from: Moment;
  readonly milliseconds: number;
}

/**
 * Times during which two servers certainly were out of recovery. With synchronous replication that is no harm as long as
 * one of them can acknowledge nothing; `succession` says whether it did.
 */
export function overlaps(looks: readonly Look[]): Overlap[] {
  const all = reigns(looks.filter(({ role, timeline }) => role !== "leader" || timeline !== undefined));
  const found: Overlap[] = [];
  for (const [at, one] of all.entries())
    for (const other of all.slice(at + 1)) {
      const [from, to] = [Math.max(one.from, other.from), Math.min(one.to, other.to)];
      if (one.node !== other.node && to > from)
        found.push({ nodes: [one.node, other.node], from, milliseconds: to - from });
    }
  return found;
}

/** How often another server took over: timelines that were not begun by the server of the one before. */
export function takeovers(looks: readonly Look[]): number {
  const first = new Map<number, string>();
  for (const { role, timeline, node } of looks)
    if (role === "leader" && timeline !== undefined && !first.has(timeline)) first.set(timeline, node);
  const nodes = [...first].sort(([a], [b]) => a - b).map(([, node]) => node);
  return nodes.filter((node, index) => index > 0 && node !== nodes[index - 1]).length;
}

/** The longest time without an acknowledged write between two moments, in seconds. */
export function longestSilence(writes: readonly Write[], from: Moment, to: Moment): number {
  const moments = writes
    .filter(({ fate, ended }) => fate === "acknowledged" && ended >= from && ended <= to)
    .map(({ ended }) => ended)
    .sort((a, b) => a - b);
  let longest = 0;
  let last = from;
  for (const at of [...moments, to]) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return longest / 1_000;
}
