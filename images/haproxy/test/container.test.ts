// The container itself: what it refuses, whom it runs as, how it stops, and a configuration of the user's own.
import { existsSync } from "node:fs";
import { attempt } from "@strata/engine";
import { engine, Folder, HEALTHCHECK, insideImage, Network } from "@strata/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HaproxyContainer, imageOf, Node, nodeAt, Session, VARIANTS } from "./proxy.js";

let network: Network;
let node: Node;

beforeAll(async () => {
  network = await Network.make();
  node = await Node.start(network, "pg1", "primary");
});

afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** A configuration such as somebody may have. */
const OWN = `global
  daemon
defaults
  mode tcp
  timeout connect 3s
  timeout client 1m
  timeout server 1m
listen db
  bind :5432
  server pg1 pg1:5432
`;

/** Prints owner and mode of the configuration, then the user of every process of HAProxy. */
const OWNERS = `stat -c '%u %a' /run/container/haproxy.cfg /tmp/container/haproxy.cfg 2>/dev/null || :
for p in /proc/[0-9]*; do if [[ $(<$p/comm) == haproxy ]]; then stat -c %u $p; fi; done`;

const HARDENED = [
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

// Both variants at once: most of the time a container is waited for.
describe.concurrent.each(VARIANTS)("container of $variant", ({ variant, version, tags }) => {
  const start = (env: Record<string, string> = {}, options: readonly string[] = []): Promise<HaproxyContainer> =>
    HaproxyContainer.start(variant, {
      env: { HAPROXY_NODES: "pg1", ...env },
      options: ["--network", network.name, ...options],
    });

  it("has the promised version and tags, user 999 by its name, and nothing of a machine with services", async () => {
    const script = `haproxy -v | head -1; getent passwd 999 | cut -d: -f1,6
      find / -xdev \\( -name '*haproxy*' -o -name app \\) -not -path '/proc/*' -not -path '*/dpkg/*' -not -path '/usr/share/*' -not -path '/opt/*'`;
    const [first, user, ...files] = (await insideImage(imageOf(variant), script)).split("\n");
    expect(first).toContain(`HAProxy version ${version}.`);
    expect(user).toBe("haproxy:/var/lib/haproxy");
    expect(files.sort()).toEqual(["/usr/local/etc/haproxy", "/usr/sbin/haproxy", "/var/lib/haproxy"]);
    const ask = ["image", "inspect", "--format", "{{.Id}}"];
    const ids = await Promise.all([variant, ...tags].map((tag) => attempt(engine.client, [...ask, imageOf(tag)])));
    expect(new Set(ids.map(({ stdout }) => stdout)).size).toBe(1);
  });

  it("tells every fault at once, and ends with the code for configuration", async () => {
    const env = {
      HAPROXY_NODES: "pg1,,pg2:0,pg1",
      HAPROXY_READ_PORT: "5432",
      HAPROXY_MAX_LAG: "lots",
      HAPROXY_REST_CA: "/ca",
      HAPROXY_DRAIN_SECONDS: "30",
      HAPROXY_NODE: "x",
    };
    const { code, logs } = await HaproxyContainer.run(variant, { env });
    expect(code).toBe(2);
    for (const text of [
      "HAPROXY_NODES: node 2: expected a host between two commas",
      "HAPROXY_NODES: node 3: expected a port from 1 to 65535, found '0'",
      "HAPROXY_NODES: node 4: expected each PostgreSQL and each Patroni once",
      "HAPROXY_WRITE_PORT, HAPROXY_READ_PORT, HAPROXY_STATS_PORT: expected three ports",
      "HAPROXY_MAX_LAG: expected",
      "HAPROXY_REST_CA: expected HAPROXY_REST_TLS=verify",
      "HAPROXY_DRAIN_SECONDS: expected less than TIMEOUT",
      "HAPROXY_NODE is set, but nothing here reads it; did you mean HAPROXY_NODES?",
    ])
      expect(logs).toContain(text);
    const none = await HaproxyContainer.run(variant);
    expect(none.code).toBe(2);
    expect(none.logs).toContain("HAPROXY_NODES: expected the nodes of the cluster");
  });

  it("names the variable of what HAProxy itself refuses", async () => {
    const tls = { HAPROXY_REST_TLS: "verify", HAPROXY_REST_CA: "/nowhere" };
    const env = { HAPROXY_NODES: "pg1", HAPROXY_IDLE_TIMEOUT: "30d", ...tls };
    const { code, logs } = await HaproxyContainer.run(variant, { env });
    expect(code).toBe(2);
    expect(logs).toMatch(/HAPROXY_IDLE_TIMEOUT: expected what HAProxy takes, found: timer overflow/);
    expect(logs).toMatch(/HAPROXY_REST_CA: expected what HAProxy takes, found: Couldn't open the ca-file '\/nowhere'/);
  });

  it.each([
    ["any user, on a read-only root and without rights", ["--user", "54321:54321", ...HARDENED], 54321],
    ["user 999, on a read-only root and without rights", HARDENED, 999],
    ["root, which steps down", ["--user", "0"], 999],
  ] as const)("serves as %s, with a configuration that nobody else reads", async (_what, options, uid) => {
    await using proxy = await start({}, options);
    await proxy.knows({ primary: 1, replicas: 0 });
    expect(await nodeAt(await proxy.portTo(5432))).toBe("pg1");
    const { stdout } = await proxy.execWith(["--user", "0"], "bash", "-c", OWNERS);
    expect(stdout.trim().split("\n")).toEqual([`${uid} 600`, `${uid}`, `${uid}`]);
  });

  it("stops at once, though a session is open", async () => {
    await using proxy = await start();
    await proxy.knows({ primary: 1, replicas: 0 });
    await using session = await Session.open(await proxy.portTo(5432));
    const began = Date.now();
    await proxy.docker("stop", "--time", "60");
    expect(Date.now() - began).toBeLessThan(25_000);
    await session.ended;
    expect((await proxy.state()).ExitCode).toBe(0);
  });

  it("lets sessions go on where HAPROXY_DRAIN_SECONDS says so, until a QUIT", async () => {
    await using proxy = await start({ HAPROXY_DRAIN_SECONDS: "100", TIMEOUT: "110" });
    await proxy.knows({ primary: 1, replicas: 0 });
    const port = await proxy.portTo(5432);
    await using session = await Session.open(port);
    await proxy.docker("kill", "--signal", "TERM");
    await proxy.logged(/Proxy writes stopped/);
    expect(await session.node()).toBe("pg1");
    expect(await nodeAt(port)).toMatch(/^none: /);
    const began = Date.now();
    await proxy.docker("kill", "--signal", "QUIT");
    expect(await proxy.exitCode()).toBe(0);
    expect(Date.now() - began).toBeLessThan(25_000);
  });

  it("uses a mounted configuration as it is, in the foreground", async () => {
    await using folder = await Folder.with({ "haproxy.cfg": OWN });
    await using proxy = await start({}, folder.at("/usr/local/etc/haproxy"));
    await proxy.healthy();
    expect(await nodeAt(await proxy.portTo(5432))).toBe("pg1");
    const { stdout } = await proxy.exec(HEALTHCHECK);
    expect(stdout).toBe("healthy: 10-haproxy: HAProxy works, with a configuration of your own");
    expect(await proxy.logs()).toContain(
      "HAPROXY_NODES has no effect, because the configuration /usr/local/etc/haproxy/",
    );
    await proxy.docker("kill", "--signal", "HUP");
    await proxy.logged(/Former worker .* exited with code 0/);
    expect(await nodeAt(await proxy.portTo(5432))).toBe("pg1");
    await proxy.docker("stop");
    expect((await proxy.state()).ExitCode).toBe(0);
  });

  it("judges a configuration of the user's own before it starts", async () => {
    await using folder = await Folder.with({ "broken.cfg": `${OWN}  balance nonsense\n` });
    const options = folder.at("/own");
    const broken = await HaproxyContainer.run(variant, { env: { HAPROXY_CONFIG: "/own/broken.cfg" }, options });
    expect(broken.code).toBe(2);
    expect(broken.logs).toMatch(
      /HAPROXY_CONFIG: expected a configuration that HAProxy takes, found: .*balance only supports/,
    );
    const command = ["haproxy", "-f", "/own/broken.cfg"];
    expect((await HaproxyContainer.run(variant, { options, command })).code).toBe(2);
    const missing = await HaproxyContainer.run(variant, { env: { HAPROXY_CONFIG: "/nowhere" } });
    expect(missing.code).toBe(2);
    expect(missing.logs).toContain("HAPROXY_CONFIG: expected a configuration, found nothing at '/nowhere'");
  });

  it("answers what HAProxy is asked, and runs any other command", async () => {
    const asked = await HaproxyContainer.run(variant, { command: ["haproxy", "-v"] });
    expect(asked.logs).toContain(`HAProxy version ${version}.`);
    expect((await HaproxyContainer.run(variant, { command: ["bash", "-c", "exit 7"] })).code).toBe(7);
  });

  it("starts where DNS is dead, is healthy with nobody to serve, and is not alive when it hangs", async () => {
    // Nobody answers at an address for documentation (RFC 5737).
    const given = { env: { HAPROXY_NODES: "pg1,pg2,pg3" }, options: ["--dns", "192.0.2.1"] };
    await using proxy = await HaproxyContainer.start(variant, given);
    await proxy.healthy();
    expect((await proxy.exec(HEALTHCHECK)).stdout).toContain("warning: no node is known as the primary");
    const worker = "read -r master </run/container/haproxy.address; kill -STOP $(</proc/$master/task/$master/children)";
    expect((await proxy.exec("bash", "-c", worker)).ok).toBe(true);
    const hung = await proxy.exec(HEALTHCHECK, "live");
    expect(hung.ok).toBe(false);
    expect(hung.stdout).toContain("no answer within 800 ms");
  });

  it.runIf(existsSync("/proc/net/if_inet6"))("listens on IPv6 too where the container has it", async () => {
    await using proxy = await start({}, ["--sysctl", "net.ipv6.conf.all.disable_ipv6=0"]);
    await proxy.knows({ primary: 1, replicas: 0 });
    const ask = "for port in 5432 5433 8404; do : <>/dev/tcp/::1/$port && echo $port; done";
    expect((await proxy.exec("bash", "-c", ask)).stdout.split("\n")).toEqual(["5432", "5433", "8404"]);
    expect(await nodeAt(await proxy.portTo(5432))).toBe("pg1");
  });

  it("takes as many connections as there may be files, and says so", async () => {
    await using proxy = await start({}, ["--ulimit", "nofile=1000:1000"]);
    await proxy.knows({ primary: 1, replicas: 0 });
    expect(await proxy.logs()).toContain("open files for 1000, found 1000: each port takes 150 connections; raise it");
    expect(await nodeAt(await proxy.portTo(5432))).toBe("pg1");
  });
});
