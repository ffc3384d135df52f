import type { Cluster } from "./cluster.ts";
import type { Fleet } from "./fleet.ts";
import { longestGap, type Round } from "./results.ts";
import { Writer } from "./writer.ts";

/** Seconds that a cluster may take to be whole, or to have a new leader. */
const PATIENCE = 180;
/** Switchovers of a round: one takes little time, and tenths of a second count. */
const SWITCHOVERS = 3;

/** Measures one cluster, step by step; each step ends with a whole cluster. */
export class Measurement {
  constructor(
    private readonly fleet: Fleet,
    private readonly cluster: Cluster,
    private readonly say: (what: string, seconds: number) => void,
  ) {}

  /** Measures everything; the cluster is there afterwards. */
  async all(): Promise<Round> {
    const start = await this.start();
    const { kill, back } = await this.kill();
    const switchovers: number[] = [];
    while (switchovers.length < SWITCHOVERS) switchovers.push(await this.switchOver());
    return {
      start,
      kill,
      back,
      switchovers,
      stop: await this.stop(),
      replica: await this.replica(),
      more: await this.more(),
    };
  }

  /** Tells how long something took; gives it in seconds. */
  #took(what: string, milliseconds: number): number {
    this.say(what, milliseconds / 1_000);
    return milliseconds / 1_000;
  }

  /** From the engine's commands that start three empty nodes to a primary with two streaming replicas. */
  async start(): Promise<number> {
    const { cluster } = this;
    await cluster.prepare();
    const began = performance.now();
    await cluster.runAll();
    const { found, at } = await cluster.streamed(PATIENCE, cluster.others);
    await cluster.makeTable(found);
    return this.#took("cold start", at - began);
  }

  /** From the command that kills the leader's container to the next write, and from its start to its streaming. */
  async kill(): Promise<{ kill: number; back: number }> {
    const { fleet, cluster } = this;
    const { leader } = await cluster.settled();
    let next = Number.NaN;
    await this.#written(async (writer) => {
      const began = performance.now();
      await fleet.docker("kill", fleet.container(leader));
      next = (await this.#next(writer, began, (node) => node !== leader)) - began;
    });
    const kill = this.#took("write after a kill", next);
    const began = performance.now();
    await fleet.docker("start", fleet.container(leader));
    const { at } = await cluster.streamed(PATIENCE, cluster.others);
    return { kill, back: this.#took("killed node back", at - began) };
  }

  /** The gap in accepted writes while the lead is handed over. */
  async switchOver(): Promise<number> {
    const { leader } = await this.cluster.settled();
    const gap = await this.#written(async (writer) => {
      const began = performance.now();
      await this.cluster.switchOver(leader);
      await this.#next(writer, began, (node) => node !== leader);
    });
    return this.#took("gap of a switchover", gap);
  }

  /** The gap in accepted writes while the leader's container is stopped, which is started again. */
  async stop(): Promise<number> {
    const { fleet, cluster } = this;
    const { leader } = await cluster.settled();
    const gap = await this.#written(async (writer) => {
      const began = performance.now();
      await fleet.docker("stop", fleet.container(leader));
      await this.#next(writer, began, (node) => node !== leader);
    });
    await fleet.docker("start", fleet.container(leader));
    return this.#took("gap of a stop", gap);
  }

  /** From the command that starts an empty node to its streaming. */
  async replica(): Promise<number> {
    const { fleet, cluster } = this;
    const { leader } = await cluster.settled();
    const node = cluster.others(leader)[0]!;
    await fleet.remove(node);
    await cluster.forgotten(leader, node);
    const began = performance.now();
    await cluster.run(node);
    const { at } = await cluster.streamed(PATIENCE, () => [node]);
    return this.#took("new replica", at - began);
  }

  /** From the command that starts a node that the cluster has never heard of to its streaming. */
  async more(): Promise<number> {
    const { cluster } = this;
    await cluster.settled();
    const node = await cluster.another();
    const began = performance.now();
    await cluster.run(node);
    const { at } = await cluster.streamed(PATIENCE, () => [node]);
    return this.#took("one more node", at - began);
  }

  /** Does something while a writer writes; gives the longest gap between two writes that were accepted. */
  async #written(what: (writer: Writer) => Promise<void>): Promise<number> {
    const writer = new Writer(this.cluster.addresses);
    try {
      await this.#next(writer, 0);
      await this.fleet.pause(1_000);
      const began = performance.now();
      await what(writer);
      await this.fleet.pause(1_000);
      return longestGap(writer.accepted, began);
    } finally {
      await writer.stop();
    }
  }

  /** Waits for a write that one of the nodes meant accepts after a moment, and gives when that was. */
  async #next(writer: Writer, since: number, meant?: (node: string) => boolean): Promise<number> {
    const { found } = await this.cluster.until("an accepted write", PATIENCE, async () => writer.first(since, meant));
    return found.at;
  }
}
