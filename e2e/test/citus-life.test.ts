// Citus where something is missing, and after a restore: what a node says, and what is still there.
import { Container } from "@strata/image-postgresql/test/container.js";
import { describe, expect, it } from "vitest";
import { addressOf, Grid, known, SITES } from "./citus/grid.js";

const REPOSITORY = "/var/lib/pgbackrest";

describe.each(SITES)("Citus in $variant", ({ variant, without, reason }) => {
  const real = (name: string, test: () => Promise<void>) =>
    it(name, async ({ skip }) => {
      if (without) skip(reason);
      await test();
    });

  real("names the node that does not answer, and goes on where it is not needed", async () => {
    await using grid = await Grid.make(variant);
    const env = { POSTGRESQL_CITUS__NODE_CONNECTION_TIMEOUT: "3s", POSTGRESQL_CITUS__SHARD_COUNT: "4" };
    const [coordinator, , two] = await grid.cluster(2, { env });
    const sql = (text: string) => coordinator.sql(text);
    await sql("create table t (id int primary key, v int)");
    await sql("select create_distributed_table('t', 'id')");
    await sql("create table codes (code int primary key)");
    await sql("select create_reference_table('codes')");
    await sql("insert into t select g, 0 from generate_series(1, 100) g");
    await sql("insert into codes select generate_series(1, 10)");
    const address = await addressOf(two!);
    const placed = (id: number) =>
      sql(`select nodename from citus_shards where shardid = get_shard_id_for_distribution_column('t', ${id})`);
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    const places = await Promise.all(ids.map(placed));
    const [here, there] = [places.findIndex((name) => name !== address) + 1, places.indexOf(address) + 1];
    await two!.docker("stop", "--time", "40");
    const unreachable = new RegExp(`(connection to the remote node|any connections to the node) .*${address}:5432`);
    await expect(sql("select count(*) from t")).rejects.toThrow(unreachable);
    await expect(sql(`update t set v = 1 where id = ${there}`)).rejects.toThrow(unreachable);
    await expect(sql("alter table t add column w int")).rejects.toThrow(unreachable);
    // What was refused has not happened in part.
    expect(await sql("select count(*) from information_schema.columns where table_name = 't'")).toBe("2");
    // Shards of the others, and reference tables, are read and written as before.
    await sql(`update t set v = 1 where id = ${here}`);
    expect(await sql("select count(*) from codes")).toBe("10");
    await two!.docker("start");
    await two!.healthy();
    expect(await sql("select count(*) from t")).toBe("100");
    await expect(sql("select citus_add_node('nobody.invalid', 5432)")).rejects.toThrow(/nobody\.invalid:5432/);
    expect(await known(coordinator)).toHaveLength(3);
  });

  real("says what is missing where a node, a database or a server has no extension", async () => {
    await using grid = await Grid.make(variant);
    const coordinator = await grid.node("c", { env: { CITUS_DATABASE: "app" } });
    // Without CITUS_ENABLE the same image is a plain server; the other one has Citus in another database.
    const plain = await grid.node("plain", { env: { CITUS_ENABLE: "" } });
    const bare = await grid.node("bare", { env: { CITUS_DATABASE: "other", POSTGRES_DB: "app" } });
    for (const node of [coordinator, plain, bare]) await node.healthy();
    const app = (text: string) => coordinator.sql(text, "postgres", "app");
    await expect(plain.sql("create extension citus")).rejects.toThrow(/shared_preload_libraries/);
    await expect(plain.sql("select citus_version()")).rejects.toThrow(/function citus_version\(\) does not exist/);
    await expect(app("select citus_add_node('bare', 5432)")).rejects.toThrow(/does not exist/);
    expect((await known(coordinator, "app")).map(({ name }) => name)).toEqual([await addressOf(coordinator)]);
    // Loaded, but not in this database.
    await expect(coordinator.sql("select create_distributed_table('t', 'id')")).rejects.toThrow(
      /function create_distributed_table\(.*\) does not exist/,
    );
    const check = () => coordinator.exec("bash", "-c", "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh");
    expect((await check()).stdout).toMatch(/50-citus: Citus \S+, coordinator, in its place/);
    await app("drop extension citus cascade");
    await coordinator.until("red", async () => ((await check()).ok ? undefined : true));
    expect((await check()).stdout).toContain("the database app has no extension citus");
    // A start makes it anew.
    await coordinator.docker("restart", "--time", "40");
    await coordinator.healthy();
    expect((await known(coordinator, "app")).map(({ group }) => group)).toEqual([0]);
  });

  real("is there after a restore with pgBackRest, with its tables and its nodes", async () => {
    await using grid = await Grid.make(variant);
    const [repository, data, restored] = [await grid.volume(), await grid.volume(), await grid.volume()];
    const env = { PGBACKREST_ENABLE: "yes", PGBACKREST_START_FAST: "y", POSTGRESQL_CITUS__SHARD_COUNT: "4" };
    const kept = repository.at(REPOSITORY);
    const coordinator = await grid.node("c", { env, options: [...kept, ...data.at()] });
    const worker = await grid.worker("w1");
    await coordinator.healthy();
    await worker.healthy();
    await coordinator.logged(/archiving works:/);
    const rows = "select generate_series(1, 100)";
    await coordinator.sql("create table sharded (id int primary key)");
    await coordinator.sql("select create_distributed_table('sharded', 'id')");
    await coordinator.sql(`insert into sharded ${rows}`);
    await coordinator.sql(`create table mine as ${rows} as id`);
    const backup = await coordinator.exec("pgbackrest", "backup");
    expect(backup.ok, backup.stdout + backup.stderr).toBe(true);
    const before = await known(coordinator);
    await coordinator[Symbol.asyncDispose]();
    const options = [...kept, ...restored.at()];
    const done = await Container.run(
      variant,
      { env: { POSTGRES_PASSWORD: "x", ...env }, options, command: ["pgbackrest", "restore"] },
      120,
    );
    expect(done.code, done.logs).toBe(0);
    const again = await grid.node("c", { env, options });
    await again.healthy(120);
    // It answers before its recovery is over.
    await again.until("the end of its recovery", async () =>
      (await again.sql("select pg_is_in_recovery()")) === "f" ? true : undefined,
    );
    expect(await again.sql("select count(*) from pg_extension where extname = 'citus'")).toBe("1");
    expect(await again.sql("select count(*) from sharded")).toBe("100");
    expect(await again.sql("select count(*) from mine")).toBe("100");
    const after = await again.until("its own address", async () => {
      const nodes = await known(again);
      return nodes[0]!.name === (await addressOf(again)) ? nodes : undefined;
    });
    expect(after.map(({ group, active }) => [group, active])).toEqual(
      before.map(({ group, active }) => [group, active]),
    );
    await again.sql("insert into sharded values (101)");
    expect(await worker.sql("select count(*) from sharded")).toBe("101");
  });
});
