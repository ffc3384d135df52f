// deploy/compose/citus.yaml and citus-ha.yaml as a user runs them. With the second, each primary is killed in turn under writes: what
// was acknowledged is there, and the metadata name whoever took over.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SITES } from "./citus/grid.js";
import { Deployment, withoutCompose } from "./deployment.js";

const LIMIT = 600_000;

/** Writes one row after the other through a port, with a new connection after each failure, and keeps what was acknowledged. */
class Writer {
  readonly acknowledged: number[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(
    private readonly site: Deployment,
    private readonly password: string,
  ) {
    this.#done = this.#write();
  }

  async #write(): Promise<void> {
    let client = this.site.client(this.site.ports.write, this.password);
    let connected = false;
    for (let id = 1; !this.#stopped; id++) {
      try {
        if (!connected) await client.connect();
        connected = true;
        await client.query("insert into kept values ($1)", [id]);
        this.acknowledged.push(id);
      } catch {
        await client.end().catch(() => undefined);
        client = this.site.client(this.site.ports.write, this.password);
        connected = false;
        await sleep(100);
      }
    }
    await client.end().catch(() => undefined);
  }

  /** Waits until so many more rows were acknowledged. */
  async more(rows: number, seconds = 60): Promise<void> {
    const wanted = this.acknowledged.length + rows;
    for (const end = Date.now() + seconds * 1_000; this.acknowledged.length < wanted; await sleep(50))
      if (Date.now() > end) throw new Error(`expected ${rows} more rows within ${seconds} s, found fewer`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

describe.each(SITES)("compose files of Citus with $variant", ({ variant, without, reason }) => {
  const images = { POSTGRESQL_IMAGE: `strata/postgresql:${variant}` };
  const missing = withoutCompose || (without ? reason : "");

  it("citus.yaml gives a coordinator and two workers that hold its shards", { timeout: LIMIT }, async ({ skip }) => {
    skip(missing !== "", missing);
    await using site = await Deployment.of("citus.yaml", images);
    await site.run("up", "--detach");
    const seconds = await site.healthy(3);
    process.stderr.write(`deploy/compose/citus.yaml, ${variant}: all healthy after ${seconds.toFixed(0)} s\n`);
    const password = await site.run("exec", "-T", "coordinator", "cat", "/secrets/postgres_password");
    const ask = (query: string) => site.ask(site.ports.write, password, query);
    await ask("create table t (id int primary key)");
    await ask("select create_distributed_table('t', 'id')");
    expect(await ask("select string_agg(distinct nodename, ' ') from citus_shards")).toBe("worker1 worker2");
  });

  it("citus-ha.yaml loses nothing when each primary is killed, and knows who took over", { timeout: LIMIT }, async ({
    skip,
  }) => {
    skip(missing !== "", missing);
    await using site = await Deployment.of("citus-ha.yaml", images);
    await site.run("up", "--detach");
    const seconds = await site.healthy(10);
    process.stderr.write(`deploy/compose/citus-ha.yaml, ${variant}: all healthy after ${seconds.toFixed(0)} s\n`);
    const password = await site.run("exec", "-T", "c1", "cat", "/secrets/postgres_password");
    const ask = (query: string) => site.ask(site.ports.write, password, query);
    const took: string[] = [];
    const primaries = async (): Promise<string[]> => {
      const text = "select string_agg(nodename, ' ' order by groupid) from pg_dist_node where noderole = 'primary'";
      for (const end = Date.now() + 60_000; ; await sleep(200))
        try {
          return String(await ask(text)).split(" ");
        } catch (error) {
          // Nobody leads the coordinator just now.
          if (Date.now() > end) throw error;
        }
    };
    /** The name of the service that leads a group, as Patroni has it. */
    const leader = async (group: number): Promise<{ name: string; host: string }> => {
      const asked = group === 0 ? "w1a" : "c1";
      const members = JSON.parse(await site.run("exec", "-T", asked, "patronictl", "list", "--format", "json"));
      type Member = { Group: number; Role: string; Member: string; Host: string };
      const found = (members as Member[]).find(({ Group, Role }) => Group === group && Role === "Leader");
      return { name: found?.Member ?? "", host: found?.Host ?? "" };
    };
    await ask("create table kept (id int primary key)");
    await ask("select create_distributed_table('kept', 'id')");
    const writer = new Writer(site, password);
    for (const group of [1, 2, 0]) {
      await writer.more(50);
      const killed = await leader(group);
      await site.run("kill", killed.name);
      const began = Date.now();
      let now = await primaries();
      while (now[group] === killed.host) {
        if (Date.now() - began > 60_000) throw new Error(`group ${group}: its metadata still name ${killed.name}`);
        await sleep(200);
        now = await primaries();
      }
      took.push(`group ${group} ${((Date.now() - began) / 1_000).toFixed(0)} s`);
      expect(now).toHaveLength(3);
      await writer.more(50);
      if (group !== 0) expect((await leader(group)).host).toBe((await primaries())[group]);
      await site.run("start", killed.name);
      await site.healthy(10);
    }
    await writer.stop();
    const lost = `select string_agg(id::text, ' ') from unnest('{${writer.acknowledged.join()}}'::int[]) as id
      where id not in (select id from kept)`;
    expect(await ask(lost)).toBeNull();
    process.stderr.write(
      `citus-ha.yaml, ${variant}: ${writer.acknowledged.length} acknowledged, 0 lost; new primaries known after ${took.join(", ")}\n`,
    );
  });
});
