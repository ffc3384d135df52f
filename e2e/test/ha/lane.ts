import { Random } from "../law/random.js";
import { Cluster, type Wanted } from "./cluster.js";
import { complaints, draw, keepLogs, summary, suspicions } from "./report.js";
import { scenarioOf } from "./scenarios.js";
import { type Outcome, Session } from "./session.js";

/** What a lane says of one failure, or of all rows at the end. */
export interface Judged {
  /** Undefined where it cannot be done on this machine. */
  readonly outcome?: Outcome;
  readonly skipped?: string;
  readonly complaints: readonly string[];
}

/** The name under which the comparison of all rows stands at the end of a lane. */
export const WHOLE = "whole";

/**
 * A cluster on which failures are tried one after the other. Lanes run beside one another, because most of a failure is
 * waiting; whoever asks for a result waits for it.
 */
export class Lane {
  readonly #results = new Map<string, Promise<Judged>>();
  #cluster: Cluster | undefined;
  #session: Session | undefined;

  constructor(
    readonly name: string,
    private readonly wanted: Wanted,
    readonly failures: readonly string[],
    private readonly seed: number,
  ) {}

  /** Begins, after another lane where one is given; gives the moment when it is over. */
  start(after: Promise<unknown> = Promise.resolve()): Promise<void> {
    let last: Promise<unknown> = after.then(async () => {
      this.#cluster = await Cluster.start(this.wanted);
      this.#session = new Session(this.#cluster, new Random(this.seed), { writers: 3, rate: 25 });
    });
    for (const failure of [...this.failures, WHOLE]) {
      // After one that broke down, the next would judge a cluster in an unknown state.
      const result = last.then(() => (failure === WHOLE ? this.#whole() : this.#round(failure)));
      // Whoever asks for it gets the error; nobody may ask before it is raised.
      result.catch(() => undefined);
      this.#results.set(failure, result);
      last = result;
    }
    return last.then(
      () => this.#end(),
      () => this.#end(),
    );
  }

  /** What came of a failure. */
  async judged(failure: string): Promise<Judged> {
    const result = this.#results.get(failure);
    if (!result) throw new Error(`lane ${this.name}: expected it to try ${failure}, found that it does not`);
    return result;
  }

  async #round(failure: string): Promise<Judged> {
    const scenario = scenarioOf(failure);
    const skipped = scenario.skipped?.();
    if (skipped) return { skipped, complaints: [] };
    const [cluster, session] = [this.#cluster!, this.#session!];
    const from = cluster.history.now();
    try {
      const outcome = await session.round(scenario);
      console.info(`${this.name}: ${summary(outcome)}`);
      const wrong = [...outcome.faults, ...complaints(outcome.fates, outcome.succession)];
      if (wrong.length > 0) await keepLogs(cluster, `${this.name}-${failure}`);
      return { outcome, complaints: wrong };
    } catch (error) {
      const logs = await keepLogs(cluster, `${this.name}-${failure}`);
      const what = [(error as Error).message, ...suspicions(cluster.history.writes)].join("; ");
      throw new Error(`${this.name}: ${scenario.title}: ${what}; logs are in ${logs}`);
    } finally {
      const about = `${this.name}, seed ${this.seed}`;
      await draw(cluster, `${this.name}-${failure}`, scenario.title, about, [from, cluster.history.now()]);
    }
  }

  async #whole(): Promise<Judged> {
    const { fates, succession } = await this.#session!.whole();
    return { complaints: complaints(fates, succession) };
  }

  async #end(): Promise<void> {
    if (this.#cluster) await draw(this.#cluster, this.name, this.name, `seed ${this.seed}`);
    await this.#cluster?.[Symbol.asyncDispose]();
  }
}
