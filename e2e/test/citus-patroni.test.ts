// Citus with Patroni where a cluster is not new; that primaries may be killed is the matter of compose-citus.test.ts.
import { Container } from "@strata/image-postgresql/test/container.js";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { SITES } from "./citus/grid.js";
import { newScope, PASSWORD, Site } from "./patroni/site.js";

const site = await Site.make();
afterEach(() => site.clear());
afterAll(() => site[Symbol.asyncDispose]());

describe.each(SITES)("Citus with Patroni in $variant", ({ variant, without, reason }) => {
  it("turns a plain server's volume into a coordinator of a cluster, to which a group of workers comes", async ({
    skip,
  }) => {
    skip(without, reason);
    const scope = newScope();
    const volume = await site.volume();
    {
      await using plain = await Container.start(variant, {
        env: { POSTGRES_PASSWORD: PASSWORD },
        options: volume.at(),
      });
      await plain.version(PASSWORD);
      await plain.sql("create table mine as select 42 as answer");
      await plain.docker("stop", "--time", "40");
    }
    const env = { CITUS_ENABLE: "true" };
    const coordinator = await site.node(variant, "c1", scope, { env, options: volume.at() });
    await coordinator.healthy();
    const worker = await site.node(variant, "w1", scope, { env: { ...env, CITUS_ROLE: "worker", CITUS_GROUP: "1" } });
    await worker.healthy();
    const groups = "select string_agg(groupid::text, ' ' order by groupid) from pg_dist_node where isactive";
    await coordinator.until("both groups", async () => (await coordinator.sql(groups)) === "0 1" || undefined);
    await coordinator.sql("select create_distributed_table('mine', 'answer')");
    expect(await coordinator.sql("select answer from mine")).toBe("42");
    expect(await worker.sql("select answer from mine")).toBe("42");
  });

  it("is refused where group and role do not fit", async ({ skip }) => {
    skip(without, reason);
    const env = { CITUS_ENABLE: "true", CITUS_ROLE: "worker" };
    const node = await site.node(variant, "w1", newScope(), { env });
    expect(await node.exitCode()).toBe(2);
    expect(await node.logs()).toContain("CITUS_GROUP: expected the number of this worker's group");
  });
});
