import pc from "picocolors";
import { table } from "../output.js";
import { type Change, changesSince, nothingChanged, type SizeChange } from "./changes.js";
import { isStage, lanes, lastMoment, ORIGINS, outcome, parallel, ran, sizesByFragment, wholeSize } from "./figures.js";
import {
  bytesText,
  count,
  differenceText,
  oneLine,
  shareText,
  shortDigest,
  shorten,
  spanText,
  timeText,
} from "./format.js";
import type { BuildRecord, PartRecord } from "./record.js";

const WIDTH = 98;
const NAME = 40;
const BAR = 36;

const PAINT: Readonly<Record<PartRecord["state"], (text: string) => string>> = {
  cached: pc.dim,
  built: pc.green,
  failed: pc.red,
  "not reached": pc.yellow,
};

/** Text as lines no wider than the report, by words; a word that is wider is cut in pieces. */
export function wrap(text: string, indent: string): string[] {
  const room = WIDTH - indent.length;
  const lines: string[] = [];
  let line = "";
  for (const word of oneLine(text).split(" ").filter(Boolean)) {
    if (line && line.length + 1 + word.length > room) {
      lines.push(line);
      line = "";
    }
    line = line ? `${line} ${word}` : word;
    for (; line.length > room; line = line.slice(room)) lines.push(line.slice(0, room));
  }
  return [...lines, line].filter(Boolean).map((each) => indent + each);
}

const name = (text: string, width = NAME): string => shorten(oneLine(text), width);

const section = (title: string, lines: readonly string[]): string[] => ["", pc.bold(title), ...lines];

function head(record: BuildRecord): string[] {
  const { engine, base, tags, without, artifacts } = record;
  const end = outcome(record);
  const [first = `${record.image}:${record.variant}`, ...others] = tags;
  const facts = [
    `${record.size > 0 ? `${bytesText(record.size)}, ` : "no image, "}${spanText(record.seconds)}, ${timeText(record.began)}`,
    ...(others.length > 0 ? [`also ${others.join(" ")}`] : []),
    ...(record.id ? [`image ${record.id}`] : []),
    `engine: client ${engine.client}, server ${engine.server}, dialect ${engine.dialect}`,
    `base ${base.reference} (${base.origin}) ${shortDigest(base.digest)}`,
    ...artifacts.map((each) => `artifact ${each.fragment}: ${bytesText(each.bytes)}, ${ORIGINS[each.origin]}`),
    ...without.map(({ fragment, reason }) => `without ${fragment}: ${reason}`),
  ];
  return [
    pc.bold(wrap(first, "").join("\n")),
    ...wrap(end.text, "").map((line) => PAINT[end.state](line)),
    ...facts.flatMap((fact) => wrap(fact, "  ")),
  ];
}

const sizeRow = ({ name: of, before, now }: SizeChange): string[] => [
  `  ${name(of)}`,
  (before > 0 ? bytesText(before) : "-").padStart(8),
  "→",
  (now > 0 ? bytesText(now) : "-").padStart(8),
  differenceText(now - before).replace("−", "-"),
];

function changeLines({ what, names, reason }: Change): string[] {
  const [first = "", ...others] = wrap(names.join(", "), " ".repeat(11));
  return [
    `  ${what.padEnd(9)}${first.trimStart()}`,
    ...others,
    ...(reason ? wrap(reason, " ".repeat(11)).map(pc.dim) : []),
  ];
}

function changes(record: BuildRecord, previous?: BuildRecord): string[] {
  if (!previous) return ["  No build before this one is on record."];
  const found = changesSince(record, previous);
  if (nothingChanged(found)) return ["  Nothing changed."];
  const { image } = found;
  const sizes = image ? table([...found.sizes, { ...image, name: "in all" }].map(sizeRow)).split("\n") : [];
  return [...found.changes.flatMap(changeLines), ...sizes];
}

/** A part and, below it, the stages that flow into it; each stage is told once. */
function tree(record: BuildRecord): { part: PartRecord; label: string }[] {
  const byId = new Map(record.parts.map((part) => [part.id, part]));
  const told = new Set<string>();
  const rows: { part: PartRecord; label: string }[] = [];
  const tell = (part: PartRecord, depth: number): void => {
    told.add(part.id);
    rows.push({ part, label: depth === 0 ? part.id : `${"  ".repeat(Math.min(depth, 6) - 1)}└ ${part.id}` });
    for (const id of part.needs) {
      const need = byId.get(id);
      if (need && isStage(need) && !told.has(id)) tell(need, depth + 1);
    }
  };
  for (const part of record.parts) if (!isStage(part)) tell(part, 0);
  // A stage that nothing asked for, as in a build that failed early.
  for (const part of record.parts) if (!told.has(part.id)) tell(part, 0);
  return rows;
}

function parts(record: BuildRecord): string[] {
  const rows = tree(record);
  if (rows.length === 0) return ["  The engine told of no part."];
  const cells = rows.map(({ part, label }) => [
    `  ${name(label)}`,
    part.state,
    (ran(part) ? spanText(part.seconds) : "").padStart(12),
    part.bytes === undefined ? "" : bytesText(part.bytes).padStart(8),
  ]);
  return table(cells)
    .split("\n")
    .map((line, index) => PAINT[rows[index]!.part.state](line));
}

function bar(from: number | undefined, to: number | undefined, end: number): string {
  if (from === undefined || to === undefined || end <= 0) return " ".repeat(BAR);
  const start = Math.min(Math.floor((from / end) * BAR), BAR - 1);
  const length = Math.max(1, Math.round((to / end) * BAR) - start);
  return `${" ".repeat(start)}${"█".repeat(length)}`.padEnd(BAR);
}

function timeline(record: BuildRecord): string[] {
  const all = lanes(record);
  const cached = record.parts.filter(({ state }) => state === "cached").length;
  const rest = cached > 0 ? [`  ${count(cached, "part")} came from the cache.`] : [];
  if (all.length === 0) return ["  No part ran.", ...rest];
  const end = lastMoment(record);
  const lines = all.map(({ part, from, to }) => {
    const label = name(part.id).padEnd(NAME);
    return `  ${label}  ${PAINT[part.state](bar(from, to, end))}  ${spanText(part.seconds).padStart(12)}`;
  });
  const { work, span, most } = parallel(record);
  const axis = `  ${" ".repeat(NAME)}  ${"0 s".padEnd(BAR - spanText(end).length)}${spanText(end)}`;
  const side =
    most > 1 ? [`  Up to ${most} parts ran at one time: ${spanText(work)} of work in ${spanText(span)}.`] : [];
  return [pc.dim(axis), ...lines, ...side, ...rest];
}

function sizes(record: BuildRecord): string[] {
  const all = sizesByFragment(record);
  if (all.length === 0) return ["  No layer has a known size."];
  const whole = wholeSize(record);
  const largest = Math.max(...all.map(({ bytes }) => bytes));
  return table(
    all.map(({ name: of, bytes }) => [
      `  ${name(of)}`,
      "█".repeat(Math.max(1, Math.round((bytes / largest) * BAR))),
      bytesText(bytes).padStart(8),
      shareText(bytes, whole).padStart(5),
    ]),
  ).split("\n");
}

/** The report of a build as text, under 100 columns wide. Pure but for colours, which picocolors decides on. */
export function reportText(record: BuildRecord, previous?: BuildRecord): string {
  return [
    ...head(record),
    ...section("Since the last build", changes(record, previous)),
    ...section("Stages and layers", parts(record)),
    ...section("Timeline", timeline(record)),
    ...section("Sizes by fragment", sizes(record)),
  ].join("\n");
}
