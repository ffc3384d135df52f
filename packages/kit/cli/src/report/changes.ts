import { sizesByFragment } from "./figures.js";
import { shortDigest } from "./format.js";
import type { BuildRecord } from "./record.js";

/** What is different from the build before, for one reason. */
export interface Change {
  readonly what: "new" | "gone" | "rebuilt" | "failed" | "changed";
  readonly names: readonly string[];
  readonly reason?: string;
}

/** The same for one name. */
interface Single extends Omit<Change, "names"> {
  readonly name: string;
}

/** The size of a fragment or of the image, then and now. */
export interface SizeChange {
  readonly name: string;
  readonly before: number;
  readonly now: number;
}

/** What is different from the build before. */
export interface Changes {
  readonly changes: readonly Change[];
  /** Fragments whose size is another one. */
  readonly sizes: readonly SizeChange[];
  /** The whole image; absent where one of the builds made none. */
  readonly image?: SizeChange;
}

/** Is nothing different? */
export const nothingChanged = ({ changes, sizes, image }: Changes): boolean =>
  changes.length === 0 && sizes.length === 0 && (!image || image.now === image.before);

const because = (reason: string | undefined): Pick<Change, "reason"> => (reason ? { reason } : {});

/** One edit often has one effect on many parts: they are told together. */
function grouped(singles: readonly Single[]): Change[] {
  const groups = new Map<string, Change>();
  for (const { what, name, reason } of singles) {
    const key = JSON.stringify([what, reason]);
    groups.set(key, { what, names: [...(groups.get(key)?.names ?? []), name], ...because(reason) });
  }
  return [...groups.values()];
}

/** Engine and base: what is not a part and yet can change all of them. */
function surroundings(record: BuildRecord, previous: BuildRecord): Single[] {
  const compare = (name: string, before: string, now: string): Single[] =>
    before === now ? [] : [{ what: "changed", name, reason: `${before} → ${now}` }];
  const { base, engine } = record;
  return [
    ...compare("base image", previous.base.reference, base.reference),
    ...compare("digest of the base", shortDigest(previous.base.digest), shortDigest(base.digest)),
    ...compare("engine", previous.engine.server, engine.server),
    ...compare("dialect", previous.engine.dialect, engine.dialect),
  ];
}

function sizeChanges(record: BuildRecord, previous: BuildRecord): SizeChange[] {
  const before = new Map(sizesByFragment(previous).map(({ name, bytes }) => [name, bytes]));
  const now = new Map(sizesByFragment(record).map(({ name, bytes }) => [name, bytes]));
  return [...new Set([...now.keys(), ...before.keys()])]
    .map((name) => ({ name, before: before.get(name) ?? 0, now: now.get(name) ?? 0 }))
    .filter((size) => size.before !== size.now);
}

/** What changed since the build before: parts that are new, gone or were built again, and sizes. */
export function changesSince(record: BuildRecord, previous: BuildRecord): Changes {
  const before = new Set(previous.parts.map(({ id }) => id));
  const now = new Set(record.parts.map(({ id }) => id));
  const singles: Single[] = surroundings(record, previous);
  for (const { id, state, reason } of record.parts) {
    if (state === "failed") singles.push({ what: "failed", name: id, ...because(reason) });
    else if (!before.has(id)) singles.push({ what: "new", name: id, ...because(reason) });
    else if (state === "built") singles.push({ what: "rebuilt", name: id, ...because(reason) });
  }
  for (const { id, fragment } of previous.parts) {
    if (now.has(id)) continue;
    const left = record.without.find((without) => without.fragment === fragment);
    singles.push({ what: "gone", name: id, ...because(left && `left out: ${left.reason}`) });
  }
  const changes = grouped(singles);
  // A build that failed has no image whose size could be compared.
  if (record.size === 0 || previous.size === 0) return { changes, sizes: [] };
  const image = { name: "image", before: previous.size, now: record.size };
  return { changes, sizes: sizeChanges(record, previous), image };
}
