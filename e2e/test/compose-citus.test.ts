// deploy/compose/citus.yaml and citus-ha.yaml as a user runs them. With the second, each primary is killed in turn under writes, and a
// group of workers is cut off: what was acknowledged is there, and the metadata name whoever leads.
import { setTimeout as sleep } from "node:timers/promises";
import { imageOf } from "@strata/image-postgresql/test/container.js";
import { describe, expect, it } from "vitest";
import { SITES } from "./citus/grid.js";
import { SERVICES, Sharded } from "./citus/sharded.js";
import { Deployment, withoutCompose } from "./deployment.js";
import { cut, mend, whyNoPartition } from "./ha/partition.js";

const LIMIT = 600_000;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

describe.each(SITES)("compose files of Citus with $variant", ({ variant, without, reason }) => {
  const missing = withoutCompose || (without ? reason : "");
  const image = imageOf(variant);

  it("citus.yaml gives a coordinator and two workers that hold its shards", { timeout: LIMIT }, async ({ skip }) => {
    skip(missing !== "", missing);
    await using site = await Deployment.of("citus.yaml", { POSTGRESQL_IMAGE: image });
    await site.run("up", "--detach");
    const seconds = await site.healthy(3);
    say(`deploy/compose/citus.yaml, ${variant}: all healthy after ${seconds.toFixed(0)} s`);
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
    await using cluster = await Sharded.start(image);
    say(`deploy/compose/citus-ha.yaml, ${variant}: all healthy after ${cluster.started.toFixed(0)} s`);
    const took: string[] = [];
    const writer = await cluster.write("kept");
    for (const group of [1, 2, 0]) {
      await writer.more(50);
      const killed = await cluster.leader(group);
      await cluster.site.run("kill", killed.name);
      took.push(`group ${group} ${(await cluster.replaced(group, killed.host)).toFixed(0)} s`);
      await writer.more(50);
      if (group !== 0) expect((await cluster.leader(group)).host).toBe((await cluster.primaries())[group]);
      await cluster.site.run("start", killed.name);
      await cluster.healthy();
    }
    await writer.stop();
    await cluster.settled();
    expect(await cluster.ask(writer.lost)).toBeNull();
    // The extension came along to whoever took over, in every group.
    for (const name of ["c1", "c2", "w1a", "w1b", "w2a", "w2b"]) {
      const query = "select count(*) from pg_extension where extname = 'citus'";
      expect(await cluster.site.run("exec", "-T", name, "psql", "-XAtqU", "postgres", "-c", query), name).toBe("1");
    }
    say(
      `citus-ha.yaml, ${variant}: ${writer.acknowledged.length} acknowledged, 0 lost; new primaries known after ${took.join(", ")}`,
    );
  });

  it("citus-ha.yaml has right metadata after a group of workers was cut off, in part and whole", {
    timeout: LIMIT,
  }, async ({ skip }) => {
    skip(missing !== "", missing);
    const no = whyNoPartition();
    skip(no !== undefined, no);
    await using cluster = await Sharded.start(image);
    const writer = await cluster.write("kept");
    const others = (...names: string[]): string[] => SERVICES.filter((name) => !names.includes(name));

    // A primary that reaches nobody: its standby takes over, and the old one, which is still alive, is not asked any more.
    await writer.more(50);
    const alone = await cluster.leader(1);
    await cut(cluster.site, alone.name, others(alone.name));
    const seconds = await cluster.replaced(1, alone.host);
    await writer.more(50);
    const leads = await cluster.leader(1);
    expect(leads.name).not.toBe(alone.name);
    expect((await cluster.primaries())[1]).toBe(leads.host);
    await mend(cluster.site, alone.name);
    await cluster.settled();
    expect((await cluster.primaries())[1]).toBe(leads.host);

    // Both nodes of a group without all others: nobody may lead there, so none of its rows is written.
    await writer.more(50);
    for (const name of ["w2a", "w2b"]) await cut(cluster.site, name, others("w2a", "w2b"));
    await sleep(45_000);
    for (const name of ["w2a", "w2b"]) {
      const query = "select pg_is_in_recovery()";
      expect(await cluster.site.run("exec", "-T", name, "psql", "-XAtqU", "postgres", "-c", query), name).toBe("t");
    }
    // Nobody took over, so the metadata name who led before; other groups serve on.
    await expect(cluster.ask("select count(*) from kept", 0)).rejects.toThrow();
    expect(await cluster.primaries()).toHaveLength(3);
    for (const name of ["w2a", "w2b"]) await mend(cluster.site, name);
    await cluster.settled();
    await writer.more(50);
    await writer.stop();
    expect(await cluster.ask(writer.lost)).toBeNull();
    expect(await cluster.ask("select bool_and(result) from citus_check_cluster_node_health()")).toBe(true);
    say(
      `citus-ha.yaml, ${variant}: ${writer.acknowledged.length} acknowledged, 0 lost over two partitions; the primary that was cut` +
        ` off was replaced in the metadata after ${seconds.toFixed(0)} s`,
    );
  });

  it("citus-ha.yaml takes reads on standbys", { timeout: LIMIT }, async ({ skip }) => {
    skip(missing !== "", missing);
    await using cluster = await Sharded.start(image);
    await cluster.ask("create table kept (id int primary key)");
    await cluster.ask("select create_distributed_table('kept', 'id')");
    await cluster.ask("insert into kept select generate_series(1, 1000)");
    await cluster.settled();
    const read = async (options: string): Promise<unknown> =>
      (await cluster.column("select count(*) from kept", "read", options))[0];
    // The port of reads leads to the coordinator's standby; shards are asked of the workers' primaries.
    expect(await cluster.column("select pg_is_in_recovery()", "read")).toEqual([true]);
    expect(await read("")).toBe("1000");
    // Patroni tells Citus of standbys from release 4 on.
    const secondaries = "select count(*) from pg_dist_node where noderole = 'secondary' and groupid > 0";
    if (variant === "15-bookworm") return expect(await cluster.ask(secondaries)).toBe("0");
    expect(await cluster.ask(secondaries)).toBe("2");
    const always = "-c citus.use_secondary_nodes=always";
    const plan = await cluster.column(
      "explain (costs off) select count(*) from kept",
      "read",
      `${always} -c citus.explain_all_tasks=on`,
    );
    const asked = new Set(plan.map((line) => /Node: host=(\S+)/.exec(String(line))?.[1]).filter(Boolean));
    const standbys = await Promise.all([1, 2].map((group) => cluster.members(group, /Standby|Replica/)));
    expect([...asked].sort()).toEqual(
      standbys
        .flat()
        .map(({ host }) => host)
        .sort(),
    );
    for (const end = Date.now() + 30_000; Date.now() < end && (await read(always)) !== "1000"; ) await sleep(200);
    expect(await read(always)).toBe("1000");
  });
});
