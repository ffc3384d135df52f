// What a node of a Patroni cluster is refused, or waits for, and says so; nothing is lost meanwhile.
import type { Container } from "@strata/image-postgresql/test/container.js";
import { HEALTHCHECK, VARIANTS } from "@strata/image-postgresql/test/container.js";
import { Folder, listing } from "@strata/image-postgresql/test/support.js";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { converged, newScope, PASSWORD, rest, Site } from "./patroni/site.js";

const site = await Site.make();
afterEach(() => site.clear());
afterAll(() => site[Symbol.asyncDispose]());

/** The lines of our scripts that are errors. */
const errors = (logs: string): string[] => logs.split("\n").filter((line) => /Z ERROR /.test(line));

/** Waits for the end of a node that must not start, and gives its code and its errors. */
async function refused(node: Container): Promise<{ code: number; said: string }> {
  const code = await node.exitCode();
  const said = errors(await node.logs()).join("\n");
  await node[Symbol.asyncDispose]();
  return { code, said };
}

describe.each(VARIANTS)("a Patroni node in $variant", ({ variant, major }) => {
  it("is refused for what its variables hold, all at once, before anything is made", async () => {
    const cases: [Record<string, string>, RegExp[]][] = [
      [{ POSTGRES_PASSWORD: "" }, [/POSTGRES_PASSWORD/]],
      [{ PATRONI_ETCD3_HOSTS: "" }, [/PATRONI_ENABLE: expected a store/]],
      [
        { PATRONI_TTL: "soon", PATRONI_SYNCHRONOUS_MODE: "maybe" },
        [/PATRONI_TTL/, /PATRONI_SYNCHRONOUS_MODE.*off, on, strict, quorum/],
      ],
      [
        { PATRONI_NAME: "rack/1", PATRONI_SUPERUSER_USERNAME: "admin", PATRONI_TTL: "9" },
        [/PATRONI_NAME: expected a name without a slash/, /PATRONI_SUPERUSER_USERNAME/, /PATRONI_TTL/],
      ],
      [{ PATRONI_RESTAPI_LISTEN: "0.0.0.0" }, [/restapi\.listen: expected an address with a port/]],
      [
        {
          PATRONI_CONFIGURATION:
            "{bootstrap: , postgresql: {pg_hba: [], authentication: {replication: {username: x}}}}",
        },
        [/no postgresql\.pg_hba.*POSTGRES_HBA/, /PATRONI_REPLICATION_USERNAME/],
      ],
      [{ PATRONI_TTL: "7" }, [/PATRONI_TTL: expected at least .* so 10, found 7/]],
      [{ PATRONI_CONFIGURATION: "a: [b" }, [/PATRONI_CONFIGURATION: expected YAML.*line 1/]],
      [{ PATRONI_CONFIGURATION: "only words" }, [/PATRONI_CONFIGURATION: expected names with values/]],
      [
        { PATRONI_CONFIGURATION: "postgresql: {data_dir: /elsewhere}" },
        [/PATRONI_CONFIGURATION: expected no postgresql.data_dir, which PGDATA sets/],
      ],
      [
        {
          PATRONI_CONFIGURATION: "{restapi: {listen: [1]}, tags: {nofailover: 'perhaps'}, watchdog: {mode: sometimes}}",
        },
        [/restapi\.listen/, /tags\.nofailover/, /watchdog\.mode/],
      ],
    ];
    if (major === "15")
      cases.push([
        { PATRONI_SYNCHRONOUS_MODE: "quorum" },
        [/PATRONI_SYNCHRONOUS_MODE: expected off, on or strict with Patroni 3/],
      ]);
    for (const [env, expected] of cases) {
      const { code, said } = await refused(await site.node(variant, "one", newScope(), { env }));
      expect(code, said).toBe(2);
      for (const pattern of expected) expect(said).toMatch(pattern);
      expect(said).not.toContain("unexpected failure");
      expect(said).not.toContain("p4tr0ni");
    }
  });

  it("waits for a store that is away, says for what, is not healthy, and goes on by itself when it comes", async () => {
    const scope = newScope();
    await site.docker("stop", site.etcd);
    try {
      const node = await site.node(variant, "one", scope);
      await node.logged(/waits for the store: no server of etcd3 can be reached: etcd:2379/);
      const asked = await node.exec(HEALTHCHECK);
      expect(asked.ok).toBe(false);
      expect(asked.stdout).toContain("waits for the store");
      expect((await node.exec(HEALTHCHECK, "live")).ok).toBe(true);
      expect((await node.exec(HEALTHCHECK, "ready")).ok).toBe(false);
      await site.docker("start", site.etcd);
      await node.healthy();
      // Away again while it runs: the leader steps down, nothing is green, and it comes back by itself.
      await site.docker("stop", site.etcd);
      await node.until(
        "the step down",
        async () => ((await node.exec(HEALTHCHECK, "primary")).ok ? undefined : true),
        40,
      );
      expect((await rest(node, "/primary")).status).toBe(503);
      await node.until("red", async () => ((await node.exec(HEALTHCHECK)).ok ? undefined : true), 40);
      expect((await rest(node, "/readiness")).status).toBe(503);
      await site.docker("start", site.etcd);
      await node.until(
        "a leader again",
        async () => ((await node.exec(HEALTHCHECK, "primary")).ok ? true : undefined),
        60,
      );
    } finally {
      await site.docker("start", site.etcd);
    }
  });

  it("hands Patroni's own variables of every section on to it, and every secret by its file, and says which store is away", async () => {
    const secrets = ["SUPERUSER", "ETCD3", "ETCD", "RAFT"].map((name) => `PATRONI_${name}_PASSWORD`);
    secrets.push(
      "PATRONI_RESTAPI_KEYFILE_PASSWORD",
      "PATRONI_CTL_KEYFILE_PASSWORD",
      "PATRONI_ZOOKEEPER_KEY_PASSWORD",
      "PATRONI_CONSUL_TOKEN",
    );
    await using folder = await Folder.with(Object.fromEntries(secrets.map((name) => [name, `hidden-${name}`])));
    const node = await site.node(variant, "one", newScope(), {
      env: {
        PATRONI_ETCD3_HOSTS: "none-etcd3:2379",
        PATRONI_ETCD_HOST: "none-etcd:2379",
        PATRONI_CONSUL_HOST: "none-consul:8500",
        PATRONI_ZOOKEEPER_HOSTS: "'none-zookeeper:2181'",
        PATRONI_EXHIBITOR_HOSTS: "'none-exhibitor'",
        PATRONI_EXHIBITOR_PORT: "8181",
        PATRONI_KUBERNETES_LABELS: "{application: mine}",
        PATRONI_RAFT_SELF_ADDR: "10.0.0.1:2222",
        PATRONI_RAFT_PARTNER_ADDRS: "'10.0.0.2:2222'",
        PATRONI_RESTAPI_LISTEN: "0.0.0.0:8009",
        PATRONI_CTL_INSECURE: "on",
        PATRONI_LOG_LEVEL: "ERROR",
        PATRONI_POSTGRESQL_CONNECT_ADDRESS: "db.example:6432",
        PATRONI_REPLICATION_SSLMODE: "require",
        PATRONI_REWIND_SSLMODE: "require",
        PATRONI_SUPERUSER_SSLMODE: "require",
        ...Object.fromEntries(secrets.map((name) => [`${name}_FILE`, `/secrets/${name}`])),
      },
      options: folder.at("/secrets"),
    });
    const logs = await node.logged(/waits for the store/);
    expect(logs).toContain("no server of etcd3 can be reached: none-etcd3:2379");
    const { stdout } = await node.exec("cat", "/run/container/patroni/patroni.yml");
    for (const name of ["etcd", "consul", "zookeeper", "exhibitor"]) expect(stdout).toContain(`none-${name}`);
    for (const text of [
      "application: mine",
      "10.0.0.1:2222",
      "0.0.0.0:8009",
      "insecure: ",
      "level: ERROR",
      "db.example:6432",
    ])
      expect(stdout).toContain(text);
    expect(stdout.match(/sslmode: require/g)).toHaveLength(3);
    for (const name of secrets) {
      expect(stdout).toContain(`hidden-${name}`);
      expect(logs).not.toContain(`hidden-${name}`);
    }
    for (const [store, hosts] of [
      ["consul", { PATRONI_CONSUL_HOST: "none:8500" }],
      ["zookeeper", { PATRONI_ZOOKEEPER_HOSTS: "'none:2181'" }],
      ["kubernetes", { PATRONI_KUBERNETES_LABELS: "{application: mine}" }],
    ] as const) {
      const other = await site.node(variant, "one", newScope(), { env: { PATRONI_ETCD3_HOSTS: "", ...hosts } });
      await other.logged(new RegExp(`waits for the store: .*${store}`));
      await other[Symbol.asyncDispose]();
    }
  });

  it("ends at once when it is stopped while it waits", async () => {
    const node = await site.node(variant, "one", newScope(), { env: { PATRONI_ETCD3_HOSTS: "nowhere:2379" } });
    await node.logged(/waits for the store/);
    await node.docker("stop", "--time", "20");
    expect(await node.exitCode()).toBe(130);
  });

  it("is refused under the name of a node that runs, in another's scope, and with another major version", async () => {
    const scope = newScope();
    const first = await site.node(variant, "one", scope);
    await first.healthy();
    const twin = await refused(await site.node(variant, "one", scope));
    expect(twin.code, twin.said).toBe(2);
    expect(twin.said).toMatch(/PATRONI_NAME: expected a name of its own for this node, found 'one'/);

    const volume = await site.volume();
    const foreign = await site.node(variant, "two", newScope(), { options: volume.at() });
    await foreign.healthy();
    await foreign.docker("stop", "--time", "40");
    const before = await listing(foreign);
    await foreign[Symbol.asyncDispose]();
    const strayed = await site.node(variant, "two", scope, { options: volume.at() });
    expect(await strayed.exitCode()).toBe(2);
    expect(errors(await strayed.logs()).join()).toMatch(
      /PATRONI_SCOPE: expected the data of cluster .* nothing was changed/,
    );
    expect(await listing(strayed)).toBe(before);

    const other = VARIANTS.find((one) => one.major !== major)!;
    const wrong = await refused(await site.node(other.variant, "three", scope));
    expect(wrong.code, wrong.said).toBe(2);
    expect(wrong.said).toContain(`runs PostgreSQL ${major}, expected ${other.major}`);
    expect(await first.sql("select 1")).toBe("1");
  });

  it("says where the cluster's own settings win over its variables", async () => {
    const scope = newScope();
    const volume = await site.volume();
    const first = await site.node(variant, "one", scope, { options: volume.at() });
    await first.healthy();
    await first.docker("stop", "--time", "40");
    await first[Symbol.asyncDispose]();
    const env = { PATRONI_TTL: "20", POSTGRESQL_MAX_CONNECTIONS: "55" };
    const again = await site.node(variant, "one", scope, { env, options: volume.at() });
    await again.healthy();
    const logs = await again.logs();
    expect(logs).toMatch(
      /WARN .*ttl: the cluster's own setting is 10 and wins over this node's 20.*patronictl edit-config/,
    );
    expect(logs).toMatch(/WARN .*postgresql\.parameters\.max_connections: the cluster's own setting is 100/);
    expect(logs).not.toMatch(/loop_wait: the cluster's own/);
  });

  it("keeps what an init script broke off, and begins anew when it is told to, also as a cluster", async () => {
    const scope = newScope();
    const volume = await site.volume();
    const PGDATA = "/var/lib/postgresql/data";
    const bad =
      'printf "select no_such_function();" >/docker-entrypoint-initdb.d/10-bad.sql; exec /opt/container/entrypoint.sh postgres';
    const broken = await site.node(variant, "one", scope, {
      options: [...volume.at(), "--user", "0", "--entrypoint", "bash"],
      command: ["-c", bad],
    });
    expect(await broken.exitCode()).not.toBe(0);
    expect(await broken.logs()).toContain("10-bad.sql");
    await broken[Symbol.asyncDispose]();
    const refusal = await site.node(variant, "one", scope, { env: { PGDATA }, options: volume.at() });
    expect(await refusal.exitCode()).toBe(1);
    expect(await refusal.logs()).toContain("INIT_ON_INCOMPLETE");
    await refusal[Symbol.asyncDispose]();
    const anew = await site.node(variant, "one", scope, { env: { INIT_ON_INCOMPLETE: "wipe" }, options: volume.at() });
    await anew.healthy();
    expect(await anew.sql("select 1")).toBe("1");
  });

  it("copies again what was broken off while it was copied", async () => {
    const scope = newScope();
    const first = await site.node(variant, "one", scope);
    await first.healthy();
    const volume = await site.volume();
    const half =
      'cd "$PGDATA" && echo "$PG_MAJOR" >PG_VERSION && echo half >backup_label && exec /opt/container/entrypoint.sh postgres';
    const second = await site.node(variant, "two", scope, {
      options: [...volume.at(), "--entrypoint", "bash"],
      command: ["-c", half],
    });
    await converged(first, 1);
    expect(await second.logs()).toMatch(/WARN .*a copy of the cluster was broken off/);
  });
});

describe("a Patroni node and an etcd that asks for a password", () => {
  it("is refused with wrong credentials or none, and runs with the right ones", async () => {
    await using guarded = await Site.make("--env", "ETCD_ROOT_PASSWORD=r00t");
    const env = { PATRONI_ETCD3_USERNAME: "root", PATRONI_ETCD3_PASSWORD: "r00t" };
    const right = await guarded.node("17-trixie", "one", newScope(), { env });
    await right.healthy();
    for (const wrong of [{ ...env, PATRONI_ETCD3_PASSWORD: "wrong" }, {}]) {
      const { code, said } = await refused(await guarded.node("17-trixie", "one", newScope(), { env: wrong }));
      expect(code, said).toBe(2);
      expect(said).toMatch(/PATRONI_ETCD3_USERNAME and PATRONI_ETCD3_PASSWORD: expected an account that etcd knows/);
    }
    expect(PASSWORD).not.toBe("");
  });
});
