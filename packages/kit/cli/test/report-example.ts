import type { BuildRecord, PartRecord } from "../src/report/record.js";

const DIGEST = `sha256:${"4f2a91c07be3".repeat(6).slice(0, 64)}`;

/** What a part needs beside its id; the rest is worked out. */
type Row = [id: string, kind: PartRecord["kind"], from: number, to: number, bytes?: number, ...stages: string[]];

const ROWS: readonly Row[] = [
  ["base", "base", 0, 0, 78_214_300],
  ["stage/setup-toolchain", "toolchain", 0.4, 55.2],
  ["stage/setup-citus", "build", 55.3, 131.4],
  ["stage/setup-pg-stat-monitor", "build", 55.3, 61.7],
  ["setup/setup-base", "setup", 0.4, 13.9, 20_104_881],
  ["setup/setup-postgresql", "setup", 14, 62.3, 300_441_020],
  ["setup/setup-pgbackrest", "setup", 62.4, 70.8, 10_320_114],
  ["setup/setup-patroni", "setup", 70.9, 92.5, 45_091_337],
  ["component/setup-citus", "component", 131.5, 132.1, 12_406_918, "stage/setup-citus"],
  ["component/setup-pg-stat-monitor", "component", 132.1, 132.3, 1_048_201, "stage/setup-pg-stat-monitor"],
  ["runtime/entrypoint", "runtime", 132.3, 132.6, 41_230],
  ["runtime/healthcheck", "runtime", 132.6, 132.8, 12_944],
  ["runtime/postgresql", "runtime", 132.8, 133, 58_102],
  ["runtime/pgbackrest", "runtime", 133, 133.2, 17_385],
  ["metadata", "metadata", 133.2, 133.3, 0],
];

function parts(rows: readonly Row[]): PartRecord[] {
  const all: PartRecord[] = [];
  let layer: string[] = [];
  for (const [id, kind, from, to, bytes, ...stages] of rows) {
    const fragment = id.includes("/") ? id.slice(id.indexOf("/") + 1) : null;
    const cached = id === "base";
    const needs =
      kind === "toolchain" ? ["base"] : kind === "build" ? ["stage/setup-toolchain"] : [...layer, ...stages];
    all.push({
      id,
      kind,
      fragment,
      state: cached ? "cached" : "built",
      seconds: cached ? 0 : Math.round((to - from) * 10) / 10,
      ...(cached ? {} : { from, to, reason: "the engine had no layer of this name" }),
      ...(bytes === undefined ? {} : { bytes }),
      needs,
    });
    if (bytes !== undefined) layer = [id];
  }
  return all;
}

/** A build on an empty engine: all of 17-trixie but its base. */
export const COLD: BuildRecord = {
  schema: 1,
  image: "postgresql",
  variant: "17-trixie",
  tags: ["strata/postgresql:17-trixie", "strata/postgresql:17", "strata/postgresql:latest"],
  id: DIGEST,
  size: 467_756_432,
  began: "2026-11-21T16:02:11.000Z",
  seconds: 136.4,
  engine: { client: "docker 20.10.24", server: "Docker Engine 20.10.24", dialect: "portable" },
  base: { reference: "strata/base:trixie-slim", origin: "bootstrap", digest: DIGEST },
  without: [{ fragment: "setup-decoderbufs", reason: "its sources are not on this machine and no server answers" }],
  artifacts: [
    { fragment: "setup-citus", origin: "built", bytes: 12_406_918 },
    { fragment: "setup-pg-stat-monitor", origin: "built", bytes: 1_048_201 },
  ],
  parts: parts(ROWS),
};

/** The same, with other values in some of its parts. */
export function change(record: BuildRecord, by: (part: PartRecord) => Partial<PartRecord> | undefined): PartRecord[] {
  return record.parts.map((part) => ({ ...part, ...by(part) }));
}

/** What a part is when it comes from the cache. */
export function asCached({ from: _from, to: _to, reason: _reason, ...part }: PartRecord): PartRecord {
  return { ...part, state: "cached", seconds: 0 };
}

/** Nothing was edited. */
export const WARM: BuildRecord = {
  ...COLD,
  began: "2026-11-21T16:09:40.000Z",
  seconds: 0.9,
  parts: COLD.parts.map(asCached),
};

// A new version of Citus: its stage, and what lies on its layer.
const CITUS: Readonly<Record<string, Partial<PartRecord>>> = {
  "stage/setup-citus": { seconds: 74.2, from: 0.4, to: 74.6, reason: "option version 13.2.1 → 13.2.2" },
  "component/setup-citus": {
    seconds: 0.6,
    from: 74.6,
    to: 75.2,
    bytes: 12_611_406,
    reason: "option version 13.2.1 → 13.2.2",
  },
  "component/setup-pg-stat-monitor": { seconds: 0.2, from: 75.2, to: 75.4 },
  "runtime/entrypoint": { seconds: 0.3, from: 75.4, to: 75.7, bytes: 41_502 },
  "runtime/healthcheck": { seconds: 0.2, from: 75.7, to: 75.9 },
  "runtime/postgresql": { seconds: 0.2, from: 75.9, to: 76.1 },
  "runtime/pgbackrest": { seconds: 0.2, from: 76.1, to: 76.3 },
  metadata: { seconds: 0.1, from: 76.3, to: 76.4 },
};

/** A build after an edit. */
export const EDIT: BuildRecord = {
  ...COLD,
  id: DIGEST.replace("4f2a", "77d0"),
  size: 467_961_192,
  began: "2026-11-21T16:21:05.000Z",
  seconds: 77.8,
  parts: WARM.parts.map((part) => {
    const edit = CITUS[part.id];
    const reason = "a layer before it changed: component/setup-citus";
    return edit ? { ...part, state: "built", reason, ...edit } : part;
  }),
};

/** A build in which the compiler failed, while another stage was running. */
export const FAILED: BuildRecord = {
  ...COLD,
  id: "",
  size: 0,
  seconds: 71.2,
  parts: COLD.parts.map(({ bytes: _bytes, ...part }): PartRecord => {
    if (part.id === "stage/setup-citus")
      return { ...part, state: "failed", seconds: 15.4, to: 70.8, reason: "build.sh ended with 2: icu.h not found" };
    if ((part.from ?? 0) < 70) return part;
    return { ...asCached(part), state: "not reached" };
  }),
};

/** A record in which nothing is known yet. */
export const EMPTY: BuildRecord = {
  ...COLD,
  id: "",
  size: 0,
  tags: [],
  seconds: 0,
  without: [],
  artifacts: [],
  parts: [],
};

const COMPILED = "stage/setup-postgresql";

/** PostgreSQL is compiled too, the components against it, and layers do not build on one another. */
export const SOURCE: BuildRecord = {
  ...COLD,
  engine: { ...COLD.engine, dialect: "buildkit" },
  artifacts: [{ fragment: "setup-citus", origin: "turbo", bytes: 12_406_918 }],
  parts: COLD.parts.flatMap((part): PartRecord[] => {
    if (part.kind === "build") return [{ ...part, needs: [...part.needs, COMPILED] }];
    if (part.kind === "runtime") return [{ ...part, needs: ["setup/setup-patroni"] }];
    if (part.id !== "setup/setup-postgresql") return [part];
    const stage: PartRecord = {
      id: COMPILED,
      kind: "build",
      fragment: part.fragment,
      state: "built",
      seconds: 1.2,
      from: 54,
      to: 55.2,
      needs: ["stage/setup-toolchain"],
    };
    return [stage, { ...part, kind: "component", needs: [...part.needs, COMPILED] }];
  }),
};

/** Text that would break out of HTML or steer a terminal, wherever a record holds free text. */
export const NASTY = `<img src=x onerror="alert('1')"> & \u001b[31mred\u001b[0m\nnext\u202eline`;

/** A record with such a text in every field that can hold one. */
export const HOSTILE: BuildRecord = {
  ...EDIT,
  image: NASTY,
  variant: NASTY,
  tags: [NASTY, NASTY],
  id: NASTY,
  began: NASTY,
  engine: { client: NASTY, server: NASTY, dialect: "portable" },
  base: { reference: NASTY, origin: "given", digest: NASTY },
  without: [{ fragment: NASTY, reason: NASTY }],
  artifacts: [{ fragment: NASTY, origin: "built", bytes: 1 }],
  parts: EDIT.parts.map((part) => ({
    ...part,
    id: `${part.id}${NASTY}`,
    fragment: `${part.fragment}${NASTY}`,
    needs: part.needs.map((id) => `${id}${NASTY}`),
    reason: NASTY,
  })),
};

/** Builds of every kind, each with the one before it. */
export const BUILDS: Readonly<Record<string, readonly [BuildRecord, BuildRecord?]>> = {
  first: [COLD],
  edit: [EDIT, COLD],
  warm: [WARM, COLD],
  failed: [FAILED, COLD],
  empty: [EMPTY],
  "empty after another": [EMPTY, COLD],
  source: [SOURCE, COLD],
  hostile: [HOSTILE, EDIT],
};
