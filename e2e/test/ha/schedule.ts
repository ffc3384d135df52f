import type { Random } from "../law/random.js";

/** Things without an end in random order: all of them once, then all of them again, so none is missed for long. */
export function* endless<T>(random: Random, kinds: readonly T[]): Generator<T, never> {
  if (kinds.length === 0) throw new Error("the schedule: expected kinds of failure, found none");
  for (;;) yield* random.shuffle(kinds);
}

/** A node that is broken for a while, in seconds after the beginning. */
export interface Blow {
  readonly at: number;
  readonly until: number;
  readonly kind: string;
  readonly node: string;
}

/** A way to break nodes, and the nodes that it can break. */
export interface Target {
  readonly kind: string;
  readonly nodes: readonly string[];
}

/**
 * Blows within a bounded time that do not wait for one another, so that several nodes are broken at once. None is hit
 * again before it was healed.
 */
export function storm(random: Random, targets: readonly Target[], seconds: number): Blow[] {
  const blows: Blow[] = [];
  const whole = new Map<string, number>();
  for (let at = 1; at < seconds; at += random.between(1, 4)) {
    const { kind, nodes } = random.pick(targets);
    const free = nodes.filter((node) => (whole.get(node) ?? 0) <= at);
    if (free.length === 0) continue;
    const node = random.pick(free);
    const until = Math.min(seconds, at + random.between(2, 14));
    whole.set(node, until + 1);
    blows.push({ at, until, kind, node });
  }
  return blows;
}
