import { Container, VARIANTS } from "@strata/image-postgresql/test/container.js";
import { CONFIG, Folder } from "@strata/image-postgresql/test/support.js";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { converged, members, newScope, PASSWORD, Site } from "./patroni/site.js";

const site = await Site.make();
afterEach(() => site.clear());
afterAll(() => site[Symbol.asyncDispose]());

describe.each(VARIANTS)("the life of a Patroni node in $variant", ({ variant }) => {
  it("answers signals: HUP reads the configuration again, INT hands over, QUIT stops at once", async () => {
    const scope = newScope();
    await using config = await Folder.with({ "my.conf": "work_mem = '5MB'" });
    const options = config.at(CONFIG);
    const one = await site.node(variant, "one", scope, { options });
    await one.healthy();
    const two = await site.node(variant, "two", scope, { options });
    await converged(one, 1);
    await config.write("my.conf", "work_mem = '6MB'");
    await one.docker("kill", "--signal", "HUP");
    await one.until("the new value", async () => (await one.sql("show work_mem")) === "6MB" || undefined);
    await one.docker("stop", "--time", "40");
    expect(await one.exitCode()).toBe(0);
    await two.until(
      "the hand-over",
      async () => (await members(two)).some(({ name, role }) => name === "two" && role === "leader") || undefined,
    );
    await two.sql("create table written_after as select 1");
    await one.docker("start");
    await converged(two, 1);
    const again = (await one.logs()).split("received SIGINT").at(-1);
    expect(again).not.toMatch(/not properly shut down/);
    await two.docker("kill", "--signal", "QUIT");
    expect([0, 131]).toContain(await two.exitCode(20));
    expect(await two.logs()).toMatch(/immediate shutdown/);
  });

  it("stops its server well though Patroni is paused, and goes on after it", async () => {
    const node = await site.node(variant, "one", newScope());
    await node.healthy();
    expect((await node.exec("patronictl", "pause", "--wait")).ok).toBe(true);
    await node.docker("stop", "--time", "40");
    expect(await node.exitCode()).toBe(0);
    expect(await node.logs()).toMatch(/received fast shutdown request[\s\S]*database system is shut down/);
    await node.docker("start");
    await node.until("Patroni", async () => ((await node.exec("patronictl", "resume")).ok ? true : undefined));
    await node.healthy();
    expect((await node.logs()).split("received SIGINT").at(-1)).not.toMatch(/not properly shut down/);
  });

  it("keeps a second container out of data that Patroni copied anew, also in a folder that it made itself", async () => {
    const scope = newScope();
    const volume = await site.volume();
    const PGDATA = "/var/lib/postgresql/data/inside";
    const one = await site.node(variant, "one", scope);
    await one.healthy();
    const two = await site.node(variant, "two", scope, { env: { PGDATA }, options: volume.at() });
    await converged(one, 1);
    await two.exec("patronictl", "reinit", scope, "two", "--force", "--wait");
    await converged(one, 1);
    await using other = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: PASSWORD, PGDATA },
      options: volume.at(),
    });
    expect(await other.exitCode()).toBe(1);
    expect(await other.logs()).toContain("another container uses the cluster");
  });

  it("adopts a single server's volume as the first member, with its data, and copies it", async () => {
    const scope = newScope();
    const volume = await site.volume();
    {
      await using alone = await Container.start(variant, {
        env: { POSTGRES_PASSWORD: PASSWORD },
        options: volume.at(),
      });
      await alone.version(PASSWORD);
      await alone.sql("create table mine as select 42 as answer");
      await alone.docker("stop");
    }
    const first = await site.node(variant, "one", scope, { options: volume.at() });
    await first.healthy();
    const second = await site.node(variant, "two", scope);
    await converged(first, 1);
    expect(await second.sql("select answer from mine")).toBe("42");
    expect(await first.sql("select rolname from pg_roles where rolname in ('replicator', 'rewind') order by 1")).toBe(
      "replicator\nrewind",
    );
    await first.docker("stop");
    await second.docker("stop");
    // And back: nothing of the cluster stays in the way of a single server.
    await using alone = await Container.start(variant, { env: { POSTGRES_PASSWORD: PASSWORD }, options: volume.at() });
    await alone.healthy();
    expect(await alone.sql("select answer from mine")).toBe("42");
  });

  it("rewinds a replica that got further than the new leader, though its last checkpoint does not show it", async () => {
    const scope = newScope();
    const one = await site.node(variant, "one", scope);
    await one.healthy();
    const [two, three] = [await site.node(variant, "two", scope), await site.node(variant, "three", scope)];
    await converged(one, 2);
    await one.sql("create table kept as select 1 as n");
    const sender = await one.until("replicas that have all", async () => {
      const caught = "select count(*) from pg_stat_replication where replay_lsn = pg_current_wal_lsn()";
      if ((await one.sql(caught)) !== "2") return undefined;
      return one.sql("select pid from pg_stat_replication where application_name = 'three'");
    });
    // The third has it from nobody: what sends to it stands still.
    expect((await one.exec("bash", "-c", `kill -STOP ${sender}`)).ok).toBe(true);
    await one.sql("create table lost as select generate_series(1, 100) as n");
    await two.until("what the third does not get", async () =>
      (await two.sql("select count(*) from lost").catch(() => "")) === "100" ? true : undefined,
    );
    // Both at once, and the replica before it writes down how far it got.
    await Promise.all([one, two].map((node) => node.docker("kill")));
    const leads = async () =>
      (await members(three)).some(({ name, role }) => name === "three" && role === "leader") || undefined;
    await three.until("the new leader", leads);
    expect(await three.sql("select to_regclass('lost') is null")).toBe("t");
    await three.sql("insert into kept values (2)");
    await two.docker("start");
    await two.until("what the new leader has", async () =>
      (await two.sql("select sum(n) from kept").catch(() => "")) === "3" ? true : undefined,
    );
    await two.healthy();
    expect(await two.sql("select to_regclass('lost') is null")).toBe("t");
    expect(await two.sql("select status from pg_stat_wal_receiver")).toBe("streaming");
  });
});
