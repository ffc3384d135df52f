// deploy/compose/ha.yaml as a user runs it: one command, then one leader, two replicas that stream, all healthy.
import { describe, expect, it } from "vitest";
import { Deployment, withoutCompose } from "./deployment.js";

describe("deploy/compose/ha.yaml", () => {
  it("gives one leader and two replicas that stream, all healthy, with one address for writes and one for reads", async ({
    skip,
  }) => {
    skip(withoutCompose !== "", withoutCompose);
    await using ha = await Deployment.of("ha.yaml");
    const began = Date.now();
    await ha.run("up", "--detach");
    await ha.healthy(7);
    const seconds = ((Date.now() - began) / 1_000).toFixed(0);
    process.stderr.write(`deploy/compose/ha.yaml: all seven healthy after ${seconds} s\n`);
    const members = JSON.parse(await ha.run("exec", "-T", "pg1", "patronictl", "list", "--format", "json"));
    expect(members.map(({ Role }: { Role: string }) => Role).sort()).toEqual(["Leader", "Replica", "Sync Standby"]);
    expect(members.filter(({ State }: { State: string }) => State === "streaming")).toHaveLength(2);

    const { write, read, stats } = ha.ports;
    const password = await ha.run("exec", "-T", "pg1", "cat", "/secrets/postgres_password");
    await ha.ask(write, password, "create table seen as select 7 as n");
    expect(await ha.ask(write, password, "select pg_is_in_recovery()")).toBe(false);
    expect(await ha.ask(read, password, "select pg_is_in_recovery()")).toBe(true);
    expect(await ha.ask(read, password, "select n from seen")).toBe(7);
    const metrics = await fetch(`http://127.0.0.1:${stats}/metrics`);
    expect(metrics.status).toBe(200);
  });
});
