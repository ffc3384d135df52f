// From records to what a picture shows: segments of a node's life, writes by time, room for labels. Pure.
import type { Look, Moment, Role, Write } from "./history.js";

/** A time during which a node said the same of itself. */
export interface Segment {
  readonly from: Moment;
  readonly to: Moment;
  readonly role: Role;
  readonly timeline: number | undefined;
}

/** The life of each node in segments without gaps, in the order in which the nodes were named. */
export function segments(
  looks: readonly Look[],
  nodes: readonly string[],
  from: Moment,
  to: Moment,
): Map<string, Segment[]> {
  return new Map(
    nodes.map((node) => {
      const list: { from: Moment; to: Moment; role: Role; timeline: number | undefined }[] = [];
      for (const look of looks) {
        if (look.node !== node) continue;
        // Silence began when the question was asked; an answer counts from the moment it came.
        const at = Math.min(to, Math.max(from, look.role === "none" ? look.asked : look.answered));
        const last = list.at(-1);
        if (last && last.role === look.role && last.timeline === look.timeline) continue;
        if (last) last.to = at;
        list.push({ from: last ? at : from, to, role: look.role, timeline: look.timeline });
      }
      return [node, list.filter((segment) => segment.to > segment.from)];
    }),
  );
}

/** How many writes of each fate ended within a stretch of time. */
export interface Bin {
  acknowledged: number;
  refused: number;
  unknown: number;
}

/** The writes, counted by stretches of time. */
export function bins(writes: readonly Write[], from: Moment, to: Moment, width: number): Bin[] {
  const all = Array.from({ length: Math.max(1, Math.ceil((to - from) / width)) }, () => ({
    acknowledged: 0,
    refused: 0,
    unknown: 0,
  }));
  for (const { ended, fate } of writes) {
    const bin = all[Math.floor((ended - from) / width)];
    if (bin) bin[fate]++;
  }
  return all;
}

/** The step between two ticks of an axis, in seconds: a round one, and at least `pixels` wide. */
export function tickStep(pixelsPerSecond: number, pixels: number): number {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800];
  return steps.find((step) => step * pixelsPerSecond >= pixels) ?? 3_600;
}

/** A label that found its place. */
export interface Placed {
  readonly x: number;
  readonly row: number;
}

/** Gives every label, sorted by its left end, the first row in which it touches no other. */
export function place(labels: readonly { readonly x: number; readonly width: number }[], gap = 8): Placed[] {
  const ends: number[] = [];
  return labels.map(({ x, width }) => {
    const free = ends.findIndex((end) => end + gap <= x);
    const row = free < 0 ? ends.length : free;
    ends[row] = x + width;
    return { x, row };
  });
}
