// One variable makes the image a node of a Patroni cluster, and everything that it is for a single server it stays.
import { attempt } from "@strata/engine";
import { type Container, engine, HEALTHCHECK, VARIANTS } from "@strata/image-postgresql/test/container.js";
import { CONFIG, Folder, SCRIPTS } from "@strata/image-postgresql/test/support.js";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { converged, newScope, PASSWORD, rest, Site } from "./patroni/site.js";

const site = await Site.make();
afterEach(() => site.clear());
afterAll(() => site[Symbol.asyncDispose]());

describe.each(VARIANTS)("Patroni in $variant", ({ variant, major }) => {
  it("makes a cluster of two nodes with init scripts, settings and hba lines of a single server, and health agrees with REST", async () => {
    const scope = newScope();
    await using folder = await Folder.with({
      "10-first.sql": "create table seen as select current_database() as base;",
      "20-second.sh": "docker_process_sql <<<\"insert into seen values ('from a script')\"\n",
    });
    await using config = await Folder.with({ "my.conf": "effective_cache_size = '123MB'" });
    const given = {
      env: {
        POSTGRES_USER: "boss",
        POSTGRES_DB: "shop",
        POSTGRESQL_WORK_MEM: "7MB",
        POSTGRESQL_MAX_CONNECTIONS: "77",
        POSTGRES_HBA: "host all nobody all reject",
        PATRONI_LOOP_WAIT: "1",
      },
      options: [...folder.at(SCRIPTS), ...config.at(CONFIG)],
      command: ["postgres", "-c", "maintenance_work_mem=33MB"],
    };
    const first = await site.node(variant, "one", scope, given);
    await first.healthy();
    const second = await site.node(variant, "two", scope, given);
    await second.healthy();
    await converged(first, 1);
    expect(await first.version(PASSWORD, "boss", "shop")).toContain(`PostgreSQL ${major}`);
    for (const node of [first, second]) {
      await node.until(
        "the script's row",
        async () =>
          (await node.sql("select string_agg(base, ', ') from seen", "boss", "shop")) === "shop, from a script" ||
          undefined,
      );
      const show = (name: string): Promise<string> => node.sql(`show ${name}`, "boss", "shop");
      expect(await show("work_mem")).toBe("7MB");
      expect(await show("max_connections")).toBe("77");
      expect(await show("maintenance_work_mem")).toBe("33MB");
      expect(await show("effective_cache_size")).toBe("123MB");
      expect(
        await node.sql("select count(*) from pg_hba_file_rules where 'nobody' = any (user_name)", "boss", "shop"),
      ).toBe("1");
    }
    const asked = async (node: Container, question: string): Promise<boolean> =>
      (await node.exec(HEALTHCHECK, question)).ok;
    for (const [node, primary] of [
      [first, true],
      [second, false],
    ] as const) {
      expect(await asked(node, "live")).toBe(true);
      expect(await asked(node, "ready")).toBe(true);
      expect(await asked(node, "primary")).toBe(primary);
      expect(await asked(node, "replica")).toBe(!primary);
      for (const path of ["/liveness", "/readiness", primary ? "/primary" : "/replica"])
        expect((await rest(node, path)).status, path).toBe(200);
      expect((await rest(node, primary ? "/replica" : "/primary")).status).toBe(503);
    }
  });

  it("keeps passwords out of logs, processes, environments and files of others, and derives the same on every node", async () => {
    const scope = newScope();
    const env = { LOG_LEVEL: "debug", POSTGRESQL_LOG_STATEMENT: "all", USE_PATRONI: "true", PATRONI_ENABLE: "" };
    const nodes = [await site.node(variant, "one", scope, { env })];
    await nodes[0]!.healthy();
    nodes.push(await site.node(variant, "two", scope, { env }));
    await converged(nodes[0]!, 1);
    const roles: string[] = [];
    for (const node of nodes) {
      const read = await node.exec("bash", "-c", "tr '\\0' '\\n' </run/container/patroni/roles");
      roles.push(read.stdout);
      const [, , , replication, , rewind] = read.stdout.split("\n");
      expect(replication).toMatch(/^[0-9a-f]{64}$/);
      expect(rewind).not.toBe(replication);
      const processes = (await attempt(engine.client, ["top", node.name, "-eo", "pid,args"])).stdout;
      const environments = await node.exec("bash", "-c", "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' || :");
      const server = await node.exec(
        "bash",
        "-c",
        "for p in /proc/[0-9]*; do case $(<$p/comm) in postgres | python3 | patroni) tr '\\0' '\\n' <$p/environ ;; esac; done 2>/dev/null || :",
      );
      for (const text of [await node.logs(), processes])
        for (const secret of [PASSWORD, replication!, rewind!]) expect(text).not.toContain(secret);
      expect(environments.stdout).not.toContain(replication);
      expect(server.stdout).toContain("PGDATA=");
      expect(server.stdout).not.toContain("p4tr0ni");
      const open = `find /run /tmp /var /etc /opt -type f -perm /go=r -exec grep -lF -e p4tr0ni -e ${replication} {} + 2>/dev/null || :`;
      expect((await node.execWith(["--user", "0"], "bash", "-c", open)).stdout).toBe("");
    }
    expect(roles[0]).toBe(roles[1]);
  });

  it("takes the secrets it is given, from files too, and the roles' names", async () => {
    const scope = newScope();
    await using secrets = await Folder.with({ replication: "rep 'l", rewind: "rew\\ind", rest: "r3st" });
    const node = await site.node(variant, "one", scope, {
      env: {
        PATRONI_REPLICATION_USERNAME: "copy cat",
        PATRONI_REPLICATION_PASSWORD_FILE: "/secrets/replication",
        PATRONI_REWIND_USERNAME: "winder",
        PATRONI_REWIND_PASSWORD_FILE: "/secrets/rewind",
        PATRONI_RESTAPI_USERNAME: "ops",
        PATRONI_RESTAPI_PASSWORD_FILE: "/secrets/rest",
      },
      options: secrets.at("/secrets"),
    });
    await node.healthy();
    expect(
      await node.sql("select rolname, rolreplication from pg_roles where rolname in ('copy cat', 'winder') order by 1"),
    ).toBe("copy cat|t\nwinder|f");
    const file = (await node.exec("cat", "/run/container/patroni/patroni.yml")).stdout;
    expect(file).toContain("username: ops");
    expect(file).toContain("password: r3st");
    const login = await node.execWith(
      ["--env", "PGPASSWORD=rep 'l"],
      "psql",
      "-XAtq",
      "-h",
      "127.0.0.1",
      "-U",
      "copy cat",
      "-d",
      "postgres",
      "-c",
      "select 1",
    );
    expect(login.stdout.trim()).toBe("1");
  });

  it("has the synchronous modes, and what a new cluster agrees on, by variables", async () => {
    const dynamic = async (env: Record<string, string>): Promise<Record<string, unknown>> => {
      const node = await site.node(variant, "one", newScope(), { env });
      await node.healthy();
      const { body } = await rest(node, "/config");
      await node[Symbol.asyncDispose]();
      return JSON.parse(body);
    };
    expect(await dynamic({})).toMatchObject({
      ttl: 10,
      loop_wait: 2,
      retry_timeout: 4,
      synchronous_mode: false,
      primary_start_timeout: 300,
    });
    const strict = {
      PATRONI_SYNCHRONOUS_MODE: "strict",
      PATRONI_SYNCHRONOUS_NODE_COUNT: "2",
      PATRONI_TTL: "30",
      PATRONI_RETRY_TIMEOUT: "9",
      PATRONI_LOOP_WAIT: "3",
      PATRONI_MAXIMUM_LAG_ON_FAILOVER: "4711",
      PATRONI_FAILSAFE_MODE: "yes",
      PATRONI_WATCHDOG_MODE: "automatic",
      PATRONI_WATCHDOG_DEVICE: "/dev/none",
      PATRONI_NAMESPACE: "/elsewhere/",
    };
    expect(await dynamic(strict)).toMatchObject({
      synchronous_mode: true,
      synchronous_mode_strict: true,
      synchronous_node_count: 2,
      ttl: 30,
      retry_timeout: 9,
      loop_wait: 3,
      maximum_lag_on_failover: 4711,
      failsafe_mode: true,
      primary_start_timeout: 0,
    });
    expect(await dynamic({ PATRONI_SYNCHRONOUS_MODE: "on", PATRONI_PRIMARY_START_TIMEOUT: "60" })).toMatchObject({
      synchronous_mode: true,
      primary_start_timeout: 60,
    });
    if (major === "17")
      expect(await dynamic({ PATRONI_SYNCHRONOUS_MODE: "quorum" })).toMatchObject({ synchronous_mode: "quorum" });
  });

  it("puts the user's own configuration over ours, and Patroni's variables over both", async () => {
    const scope = newScope();
    const node = await site.node(variant, "host-name", scope, {
      env: {
        PATRONI_NAME: "by-variable",
        PATRONI_ADDRESS: `${scope}-host-name`,
        PATRONI_CONFIGURATION:
          "{name: by-text, tags: {clonefrom: true}, postgresql: {parameters: {log_line_prefix: 'mine-%p-'}}}",
        PATRONI_LOG_LEVEL: "WARNING",
        PATRONI_RESTAPI_CONNECT_ADDRESS: "rest.me:8008",
      },
    });
    await node.healthy();
    expect(await node.sql("show log_line_prefix")).toBe("mine-%p-");
    const { body } = await rest(node, "/cluster");
    expect(JSON.parse(body).members).toMatchObject([
      {
        name: "by-variable",
        host: `${scope}-host-name`,
        api_url: "http://rest.me:8008/patroni",
        tags: { clonefrom: true },
      },
    ]);
    expect(await node.logs()).not.toMatch(/ INFO: /);
  });

  it("sets the passwords of all roles anew when it is asked to", async () => {
    const scope = newScope();
    const volume = await site.volume();
    const one = await site.node(variant, "one", scope, { options: volume.at() });
    await one.healthy();
    await one.docker("stop");
    await one[Symbol.asyncDispose]();
    const again = await site.node(variant, "one", scope, {
      env: { POSTGRES_PASSWORD: "another one", POSTGRES_PASSWORD_RECONCILE: "true" },
      options: volume.at(),
    });
    await again.healthy();
    await again.until("the new password", async () => again.version("another one").catch(() => undefined));
    const two = await site.node(variant, "two", scope, { env: { POSTGRES_PASSWORD: "another one" } });
    await converged(again, 1);
    await two.healthy();
  });

  it("runs as any user, with a root that is read-only, and never as root", async () => {
    const hard = [
      "--read-only",
      "--tmpfs",
      "/run",
      "--tmpfs",
      "/tmp",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
    ];
    for (const options of [[...hard, "--user", "12345:0"], hard, ["--user", "0"]]) {
      const node = await site.node(variant, "one", newScope(), { options });
      await node.healthy();
      expect((await node.exec("patronictl", "list")).stdout).toContain("Leader");
      const { stdout } = await attempt(engine.client, ["top", node.name, "-eo", "uid"]);
      expect(stdout.split("\n").map((line) => line.trim())).not.toContain("0");
      await node[Symbol.asyncDispose]();
    }
  });
});
