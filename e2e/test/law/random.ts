import { randomInt } from "node:crypto";

/** Random choices that a seed repeats. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed;
  }

  /** The seed of STRATA_TEST_SEED, or a new one. */
  static seed(environment: NodeJS.ProcessEnv = process.env): number {
    const given = environment.STRATA_TEST_SEED;
    if (given && !/^\d{1,9}$/.test(given))
      throw new Error(`STRATA_TEST_SEED: expected a whole number below 1000000000, found ${given}`);
    return given ? Number(given) : randomInt(1_000_000_000);
  }

  /** A number from 0 up to, and without, 1. The generator is mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** True as often as that. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }

  /** The list in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.map(() => left.splice(Math.floor(this.next() * left.length), 1)[0]!);
  }
}
