import { inspectImage } from "@strata/engine";
import { describe, expect, it } from "vitest";
import { Container, engine, imageOf, VARIANTS } from "./container.js";

/** Releases of components by variant, as the servers name them. */
const RELEASES = {
  "17-trixie": { citus: "13.2-1", citusVersion: "13.2.2", monitor: "2.3", monitorVersion: "2.3.2" },
  "15-bookworm": { citus: "11.3-2", citusVersion: "11.3.1", monitor: "2.0", monitorVersion: "2.2.0" },
} as const;

/** What the images were built without, by variant: sources that this machine does not have. */
const WITHOUT = Object.fromEntries(
  await Promise.all(
    VARIANTS.map(async ({ variant }) => {
      const labels = (await inspectImage(engine, imageOf(variant)))?.labels ?? {};
      return [variant, (labels["dev.strata.without"] ?? "").split(" ")] as const;
    }),
  ),
);

const env = {
  POSTGRES_PASSWORD: "x",
  POSTGRESQL_SHARED_PRELOAD_LIBRARIES: "citus,pg_stat_monitor",
  POSTGRESQL_WAL_LEVEL: "logical",
};

describe.each(VARIANTS)("components of $variant", ({ variant }) => {
  const without = (fragment: string): boolean => WITHOUT[variant]!.includes(fragment);
  const compiled = it.skipIf(without("setup-citus") || without("setup-pg-stat-monitor"));

  compiled("distribute a table with Citus, and count queries with pg_stat_monitor", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    await container.sql("create extension citus");
    await container.sql("create extension pg_stat_monitor");
    expect(await container.sql("select extversion from pg_extension where extname = 'citus'")).toBe(
      RELEASES[variant].citus,
    );
    expect(await container.sql("select citus_version()")).toContain(`Citus ${RELEASES[variant].citusVersion}`);
    for (const statement of [
      "select citus_set_coordinator_host('localhost', 5432)",
      "select citus_set_node_property('localhost', 5432, 'shouldhaveshards', true)",
      "create table t (id int primary key, v text)",
      "select create_distributed_table('t', 'id')",
      "insert into t select g, 'v' || g from generate_series(1, 100) g",
    ])
      await container.sql(statement);
    expect(await container.sql("select count(*) from t")).toBe("100");
    expect(await container.sql("select count(*) from pg_dist_shard where logicalrelid = 't'::regclass")).toBe("32");
    expect(await container.sql("select pg_stat_monitor_version()")).toBe(RELEASES[variant].monitorVersion);
    expect(
      Number(await container.sql("select count(*) from pg_stat_monitor where query like '%distributed%'")),
    ).toBeGreaterThan(0);
  });

  it("decode a change with decoderbufs", async () => {
    const { POSTGRESQL_SHARED_PRELOAD_LIBRARIES: _, ...plain } = env;
    await using container = await Container.start(variant, { env: plain });
    await container.version("x");
    expect(await container.sql("show output_plugin_libraries")).toContain("decoderbufs");
    await container.sql("create table t (id int primary key, v text)");
    await container.sql("select pg_create_logical_replication_slot('s', 'decoderbufs')");
    await container.sql("insert into t values (1, 'a change')");
    const decoded = await container.sql(
      "select bool_or(position('a change'::bytea in data) > 0) from pg_logical_slot_peek_binary_changes('s', null, null)",
    );
    // It tells on stderr what it does; the answer is the last line.
    expect(decoded.split("\n").at(-1)).toBe("t");
  });
});
