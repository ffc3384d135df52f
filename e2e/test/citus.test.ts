// Citus by variables: one node, a coordinator with workers, and what can go wrong with either. The extension is the real one;
// where the images were built without it, all but the refusal is skipped.
import { Container } from "@strata/image-postgresql/test/container.js";
import { describe, expect, it } from "vitest";
import { addressOf, Grid, known, PASSWORD, RELEASES, SITES, together } from "./citus/grid.js";

describe.each(SITES)("a node of Citus in $variant", ({ variant, without, reason }) => {
  const real = (name: string, test: () => Promise<void>) =>
    it(name, async ({ skip }) => {
      if (without) skip(reason);
      await test();
    });

  it("is refused by an image without Citus, in one sentence, before anything is made", async ({ skip }) => {
    if (!without) skip("this image has Citus");
    const { code, logs } = await Container.run(variant, { env: { CITUS_ENABLE: "true", POSTGRES_PASSWORD: "x" } });
    expect(code).toBe(4);
    expect(logs).toContain("CITUS_ENABLE: expected an image with Citus, found one that was built without it");
    expect(logs).not.toContain("making a new database");
  });

  real("shards on itself, has the extension before the init scripts run, and after a restart", async () => {
    await using grid = await Grid.make(variant);
    const node = await grid.node("one", {
      env: {
        CITUS_DATABASE: "app",
        POSTGRESQL_SHARED_PRELOAD_LIBRARIES: "auto_explain",
        POSTGRESQL_CITUS__SHARD_COUNT: "8",
      },
    });
    await node.healthy();
    expect(await node.sql("show shared_preload_libraries")).toBe("citus, auto_explain");
    const sql = (text: string) => node.sql(text, "postgres", "app");
    expect(await sql("select extversion from pg_extension where extname = 'citus'")).toBe(RELEASES[variant]!.extension);
    expect(await sql("select citus_version()")).toContain(`Citus ${RELEASES[variant]!.library}`);
    await sql("create table t (id int primary key, v text)");
    await sql("select create_distributed_table('t', 'id')");
    await sql("insert into t select g, 'v' || g from generate_series(1, 100) g");
    expect(await sql("select count(*) from t")).toBe("100");
    expect(await sql("select count(*) from citus_shards where table_name = 't'::regclass")).toBe("8");
    expect(await known(node, "app")).toEqual([
      { name: await addressOf(node), group: 0, active: true, synced: true, shards: true },
    ]);
    const proof =
      "openssl x509 -in $PGDATA/server.crt -noout -text | grep -o prime256v1; stat -c %a $PGDATA/server.key";
    expect((await node.exec("bash", "-c", proof)).stdout).toBe("prime256v1\n600");
    expect(await node.sql("show ssl")).toBe("on");
    // Splitting without keeping writers waiting takes Citus' own output plugin, which the server has to be told of.
    const first = "(select min(shardid) from citus_shards where table_name = 't'::regclass)";
    const middle = `(select array[((shardminvalue::bigint + shardmaxvalue::bigint) / 2)::text] from pg_dist_shard where shardid = ${first})`;
    const nodes = "(select array[nodeid, nodeid] from pg_dist_node)";
    await sql(`select citus_split_shard_by_split_points(${first}, ${middle}, ${nodes}, 'force_logical')`);
    expect(await sql("select count(*) from citus_shards where table_name = 't'::regclass")).toBe("9");
    expect(await sql("select count(*) from t")).toBe("100");
    await node.docker("restart", "--time", "40");
    await node.healthy();
    expect(await sql("select count(*) from t")).toBe("100");
    const { stdout } = await node.exec("bash", "-c", "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh");
    expect(stdout).toMatch(/50-citus: Citus \S+, coordinator, in its place/);
  });

  real("keeps the libraries that the command names, behind Citus", async () => {
    await using grid = await Grid.make(variant);
    const command = ["postgres", "-c", "shared_preload_libraries=auto_explain"];
    const node = await grid.node("one", { command });
    await node.healthy();
    expect(await node.sql("show shared_preload_libraries")).toBe("citus, auto_explain");
  });

  real("is a coordinator whose workers register by themselves, with passwords alone", async () => {
    await using grid = await Grid.make(variant);
    const [coordinator, one, two] = await grid.cluster(2);
    const nodes = await known(coordinator);
    expect(nodes.map(({ name }) => name).sort()).toEqual(
      (await Promise.all([coordinator, one!, two!].map(addressOf))).sort(),
    );
    expect(nodes.map(({ group, active, synced, shards }) => [group > 0, active, synced, shards])).toEqual([
      [false, true, true, false],
      [true, true, true, true],
      [true, true, true, true],
    ]);
    expect(await known(one!)).toEqual(nodes);
    const trusted =
      "select count(*) from pg_hba_file_rules where auth_method = 'trust' and address not in ('127.0.0.1', '::1')";
    for (const node of [coordinator, one!, two!]) {
      expect(await node.sql(trusted)).toBe("0");
      const { stdout } = await node.exec("bash", "-c", "cat /proc/1/environ; cat /proc/*/cmdline");
      expect(
        stdout.split("\0").filter((text) => text.includes(PASSWORD) && !text.startsWith("POSTGRES_PASSWORD=")),
      ).toEqual([]);
      expect(await node.logs()).not.toContain(PASSWORD);
    }
  });

  real(
    "has tables of every kind, joins, transactions, DDL, and moves shards to a worker that comes and from one that goes",
    async () => {
      await using grid = await Grid.make(variant);
      const [coordinator, one] = await grid.cluster(2, { env: { POSTGRESQL_CITUS__SHARD_COUNT: "6" } });
      const sql = (text: string) => coordinator.sql(text);
      await sql("create table users (id int primary key, name text)");
      await sql("create table orders (id int, user_id int, cents int, country text, primary key (id, user_id))");
      await sql("create table countries (code text primary key, name text)");
      await sql("create table notes (text text)");
      await sql("select create_distributed_table('users', 'id')");
      await sql("select create_distributed_table('orders', 'user_id', colocate_with => 'users')");
      await sql("select create_reference_table('countries')");
      await sql("insert into countries values ('de', 'Germany'), ('nz', 'New Zealand')");
      await sql("insert into users select g, 'user ' || g from generate_series(1, 200) g");
      await sql(
        "insert into orders select g, 1 + g % 200, g, case g % 2 when 0 then 'de' else 'nz' end from generate_series(1, 1000) g",
      );
      await sql("insert into notes values ('local')");
      const join =
        "select sum(cents) from users u join orders o on o.user_id = u.id join countries c on c.code = o.country where c.name = 'Germany'";
      expect(await sql(join)).toBe("250500");
      // A worker answers the same.
      expect(await one!.sql(join)).toBe("250500");
      await together(
        coordinator,
        "begin",
        "update users set name = 'x' where id in (1, 2, 3)",
        "insert into notes values ('both')",
        "commit",
      );
      expect(await sql("select count(*) from users where name = 'x'")).toBe("3");
      await together(coordinator, "begin", "update users set name = 'y'", "rollback");
      expect(await sql("select count(*) from users where name = 'y'")).toBe("0");
      await sql("alter table users add column email text");
      await sql("create index on users (email)");
      expect(
        await sql("select bool_and(success) from run_command_on_shards('users', 'select count(email) from %s')"),
      ).toBe("t");

      const third = await grid.worker("w3");
      await third.healthy();
      await sql("select citus_rebalance_start()");
      await sql("select citus_rebalance_wait()");
      const spread =
        "select string_agg(c::text, ' ') from (select count(*) c from citus_shards where table_name = 'users'::regclass group by nodename) s";
      expect((await sql(spread)).split(" ").map(Number).sort()).toEqual([2, 2, 2]);
      expect(await sql(join)).toBe("250500");

      const address = await addressOf(one!);
      await sql(`select citus_drain_node('${address}', 5432)`);
      await sql(`select citus_remove_node('${address}', 5432)`);
      expect((await known(coordinator)).map(({ name }) => name)).not.toContain(address);
      expect(await sql(join)).toBe("250500");
      // One that was removed on purpose does not come back by itself.
      await one!.docker("restart", "--time", "40");
      await one!.logged(/found that it does not: it was removed/);
      expect(await known(coordinator)).toHaveLength(3);
    },
  );

  real("keeps its workers when coordinator or worker start anew, elsewhere, and registers none twice", async () => {
    await using grid = await Grid.make(variant);
    const volume = await grid.volume();
    const data = await grid.volume();
    const env = { POSTGRESQL_CITUS__NODE_CONNECTION_TIMEOUT: "3s" };
    const coordinator = await grid.node("c", { env, options: data.at() });
    // Without a coordinator that answers, a worker waits and lives.
    const worker = await grid.worker("w1", { options: volume.at() });
    await coordinator.healthy();
    await worker.healthy();
    await coordinator.sql("create table t (id int primary key)");
    await coordinator.sql("select create_distributed_table('t', 'id')");
    await coordinator.sql("insert into t select generate_series(1, 100)");
    const before = await known(coordinator);
    await worker[Symbol.asyncDispose]();
    await expect(coordinator.sql("select count(*) from t")).rejects.toThrow(
      /could not establish any connections to the node|connection to the remote node .* failed/,
    );
    // Somebody else has its address now.
    const squatter = await grid.node("x", { env: { CITUS_ENABLE: "" } });
    await squatter.healthy();
    const again = await grid.worker("w1", { options: volume.at() });
    await again.healthy();
    const after = await known(coordinator);
    expect(after).toHaveLength(2);
    expect(after.map(({ group }) => group)).toEqual(before.map(({ group }) => group));
    expect(after[1]!.name).toBe(await addressOf(again));
    expect(await coordinator.sql("select count(*) from t")).toBe("100");
    await coordinator.docker("stop", "--time", "40");
    const { stdout } = await again.until("the warning", async () => {
      const found = await again.exec("bash", "-c", "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh");
      return found.stdout.includes("does not answer") ? found : undefined;
    });
    expect(stdout).toMatch(/^healthy: .*its coordinator at c:5432 does not answer/);
    await coordinator.docker("start");
    await coordinator.healthy();
    await again.healthy();
    expect(await coordinator.sql("select count(*) from t")).toBe("100");
    expect(await known(coordinator)).toHaveLength(2);
    // Who starts first gets the first address that is free: they change places.
    const places = await Promise.all([coordinator, again].map(addressOf));
    await Promise.all([coordinator, again].map((node) => node.docker("stop", "--time", "40")));
    await again.docker("start");
    await coordinator.docker("start");
    await coordinator.healthy();
    await again.healthy();
    const places2 = await Promise.all([coordinator, again].map(addressOf));
    console.info(`coordinator and worker were at ${places.join(" and ")}, are at ${places2.join(" and ")}`);
    await coordinator.until("both where they are", async () =>
      (await known(coordinator)).map(({ name }) => name).join() === places2.join() ? true : undefined,
    );
    expect(await coordinator.sql("select count(*) from t")).toBe("100");
  });

  real("turns a plain volume into a coordinator, and back", async () => {
    await using grid = await Grid.make(variant);
    const volume = await grid.volume();
    const plain = await grid.node("one", { env: { CITUS_ENABLE: "" }, options: volume.at() });
    await plain.healthy();
    await plain.sql("create table mine as select 42 as answer");
    await plain[Symbol.asyncDispose]();
    const node = await grid.node("one", { options: volume.at() });
    await node.healthy();
    expect(await node.sql("select extversion from pg_extension where extname = 'citus'")).toBe(
      RELEASES[variant]!.extension,
    );
    await node.sql("select create_distributed_table('mine', 'answer')");
    expect(await node.sql("select answer from mine")).toBe("42");
  });

  real("is refused where its variables do not fit, or the data are of another role", async () => {
    await using grid = await Grid.make(variant);
    const env = { CITUS_ENABLE: "true", POSTGRES_PASSWORD: "x" };
    const lonely = await Container.run(variant, { env: { ...env, CITUS_ROLE: "worker" } });
    expect(lonely.code).toBe(2);
    expect(lonely.logs).toContain(
      "CITUS_COORDINATOR_HOST: expected the coordinator that this worker (CITUS_ROLE) registers with",
    );
    expect(lonely.logs).not.toContain("making a new database");
    const [volume, data] = [await grid.volume(), await grid.volume()];
    const coordinator = await grid.node("c", { options: data.at() });
    const worker = await grid.worker("w1", { options: volume.at() });
    await coordinator.healthy();
    await worker.healthy();
    await worker.docker("stop", "--time", "40");
    const swapped = await grid.node("w1", { options: volume.at() });
    expect(await swapped.exitCode()).toBe(2);
    expect(await swapped.logs()).toContain("CITUS_ROLE: expected worker, which the data in PGDATA belong to");
    await coordinator.docker("stop", "--time", "40");
    const other = await grid.worker("w9", { options: data.at() });
    expect(await other.exitCode()).toBe(2);
    expect(await other.logs()).toContain("CITUS_ROLE: expected coordinator, which the data in PGDATA belong to");
    await worker.docker("start");
    await coordinator.docker("start");
    await worker.healthy();
  });
});
