import type { BuildRecord, PartRecord } from "./record.js";

/** Is it a stage of its own, that is, not a layer of the image? */
export const isStage = ({ kind }: PartRecord): boolean => kind === "toolchain" || kind === "build";

/** Did it run in this build? */
export const ran = ({ state }: PartRecord): boolean => state === "built" || state === "failed";

/** Where the files of a compiled component came from, in words. */
export const ORIGINS = { turbo: "from Turbo's cache", built: "from its own stage" } as const;

/** How a build ended. */
export interface Outcome {
  readonly state: PartRecord["state"];
  readonly text: string;
}

/** How the build ended, in one sentence. */
export function outcome({ parts }: BuildRecord): Outcome {
  const failed = parts.find(({ state }) => state === "failed");
  if (failed) return { state: "failed", text: `Failed at ${failed.id}${failed.reason ? `: ${failed.reason}` : ""}` };
  const open = parts.find(({ state }) => state === "not reached");
  if (open) return { state: "not reached", text: `Stopped before ${open.id}` };
  if (parts.length === 0) return { state: "cached", text: "The engine told of no part" };
  const built = parts.filter(ran).length;
  if (built === 0) return { state: "cached", text: "Nothing had to be built" };
  const all = built === parts.length;
  return { state: "built", text: all ? "Every part was built" : `Built ${built} of ${parts.length} parts` };
}

/** What a fragment adds to the image. */
export interface FragmentSize {
  readonly name: string;
  readonly kind: PartRecord["kind"];
  readonly bytes: number;
}

/** Layer sizes by fragment, in the order of the layers. A layer of no fragment stands under its own name. */
export function sizesByFragment({ parts }: BuildRecord): FragmentSize[] {
  const sizes = new Map<string, FragmentSize>();
  for (const { id, fragment, kind, bytes } of parts) {
    if (!bytes) continue;
    const name = fragment ?? id;
    const before = sizes.get(name);
    sizes.set(name, { name, kind: before?.kind ?? kind, bytes: (before?.bytes ?? 0) + bytes });
  }
  return [...sizes.values()];
}

/** What the shares are of: the image, or its layers where these are more than the engine says. */
export const wholeSize = (record: BuildRecord): number =>
  Math.max(
    record.size,
    sizesByFragment(record).reduce((sum, { bytes }) => sum + bytes, 0),
  );

/** A part that ran, and when. */
export interface Lane {
  readonly part: PartRecord;
  readonly from?: number;
  readonly to?: number;
}

/** The parts that ran, in the order in which they began; those with an unknown time last. */
export function lanes({ parts }: BuildRecord): Lane[] {
  const all = parts.filter(ran).map((part): Lane => {
    const { from, to } = part;
    return from !== undefined && to !== undefined && to >= from ? { part, from, to } : { part };
  });
  return all.sort((a, b) => (a.from ?? Number.POSITIVE_INFINITY) - (b.from ?? Number.POSITIVE_INFINITY) || 0);
}

/** The end of the timeline. */
export const lastMoment = (record: BuildRecord): number =>
  Math.max(record.seconds, ...lanes(record).map(({ to }) => to ?? 0));

/** What running side by side gave: all work, the time in which it was done, the most parts at one moment. */
export function parallel(record: BuildRecord): { work: number; span: number; most: number } {
  const placed = lanes(record).filter((lane): lane is Required<Lane> => lane.from !== undefined);
  const at = (moment: number) => placed.filter(({ from, to }) => from <= moment && moment < to).length;
  const first = Math.min(...placed.map(({ from }) => from));
  return {
    work: placed.reduce((sum, { from, to }) => sum + to - from, 0),
    span: placed.length > 0 ? Math.max(...placed.map(({ to }) => to)) - first : 0,
    most: Math.max(0, ...placed.map(({ from }) => at(from))),
  };
}

/** Round moments for the axis of a timeline, at most six, the first of them 0. */
export function ticks(end: number): number[] {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const step = steps.find((size) => end / size <= 5) ?? Math.ceil(end / 5 / 3600) * 3600;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}
