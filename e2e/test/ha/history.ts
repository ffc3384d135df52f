/** Milliseconds since the run began. */
export type Moment = number;

/**
 * What a client knows of a write. `unknown`: it was sent and no answer came, or the server itself said that only its own
 * disk has it; such a row may be there and may not.
 */
export type Fate = "acknowledged" | "refused" | "unknown";

/** One row that a writer tried to commit. */
export interface Write {
  readonly writer: string;
  readonly sequence: number;
  readonly began: Moment;
  readonly ended: Moment;
  readonly fate: Fate;
  /** The node that the writer was connected to, as far as it knows. */
  readonly server?: string;
  /** The timeline that the server said the row is on. */
  readonly timeline?: number;
  /** Why it was not acknowledged. */
  readonly reason?: string;
}

/** What a node said it is; `none` where it said nothing. */
export type Role = "leader" | "follower" | "none";

/** One look at a node. */
export interface Look {
  readonly node: string;
  readonly asked: Moment;
  readonly answered: Moment;
  readonly role: Role;
  /** The timeline that it writes, or that it receives; a node of etcd has none. */
  readonly timeline?: number;
}

/** Something that was done to the cluster. */
export interface Mark {
  readonly at: Moment;
  readonly kind: "failure" | "heal" | "note";
  readonly label: string;
}

/** What is recorded of a run, as plain data. */
export interface Recorded {
  readonly writes: readonly Write[];
  readonly looks: readonly Look[];
  readonly marks: readonly Mark[];
}

/** Records a run. */
export class History implements Recorded {
  readonly writes: Write[] = [];
  readonly looks: Look[] = [];
  readonly marks: Mark[] = [];
  readonly #began = performance.now();

  /** Milliseconds since the run began. */
  now(): Moment {
    return performance.now() - this.#began;
  }

  /** Notes what was done, and gives the moment. */
  mark(kind: Mark["kind"], label: string): Moment {
    const at = this.now();
    this.marks.push({ at, kind, label });
    return at;
  }
}

/** The part of a record that lies between two moments. */
export function between({ writes, looks, marks }: Recorded, from: Moment, to: Moment): Recorded {
  return {
    writes: writes.filter(({ ended }) => ended >= from && ended < to),
    looks: looks.filter(({ answered }) => answered >= from && answered < to),
    marks: marks.filter(({ at }) => at >= from && at < to),
  };
}
