// Both variants in front of real servers whose Patroni is a stand-in: who gets writes, who gets reads, and what a change
// of roles does to those who are connected.
import { setTimeout as sleep } from "node:timers/promises";
import { Folder, HEALTHCHECK, Network } from "@strata/testing";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type HaproxyContainer, Node, nodeAt, Proxies, type Role, Session } from "./proxy.js";

/** A failover takes two to three seconds; the rest is for a machine that is busy. */
const SOON = 15_000;

let network: Network;
let nodes: Node[];

beforeAll(async () => {
  network = await Network.make();
  nodes = await Promise.all(["pg1", "pg2", "pg3"].map((host) => Node.start(network, host, "none")));
});

afterAll(async () => {
  await Promise.all(nodes?.map((node) => node[Symbol.asyncDispose]()) ?? []);
  await network?.[Symbol.asyncDispose]();
});

/** Gives every node its role. */
const roles = (...all: Role[]): Promise<unknown> => Promise.all(all.map((role, at) => nodes[at]!.becomes(role)));

beforeEach(() => roles("primary", "replica", "replica"));

const start = (env: Record<string, string> = {}, options: readonly string[] = []): Promise<Proxies> =>
  Proxies.start({ env: { HAPROXY_NODES: "pg1,pg2,pg3", ...env }, options: ["--network", network.name, ...options] });

/** Where new connections for writes lead to. */
const writes = async (proxy: HaproxyContainer): Promise<string> => nodeAt(await proxy.portTo(5432));

/** Where new connections for reads lead to. */
const reads = async (proxy: HaproxyContainer): Promise<string> => nodeAt(await proxy.portTo(5433));

const health = async (proxy: HaproxyContainer): Promise<string> => (await proxy.exec(HEALTHCHECK)).stdout;

/** Resolves with "cut" when the session ended in time. */
const cut = (session: Session): Promise<string> =>
  Promise.race([session.ended.then(() => "cut"), sleep(SOON, "still open", { ref: false })]);

it("sends writes to the primary and reads to replicas, and tells Prometheus, people and the health check", async () => {
  await using proxies = await start();
  await proxies.know({ primary: 1, replicas: 2 });
  await proxies.each(async (proxy) => {
    expect(await writes(proxy)).toBe("pg1");
    const port = await proxy.portTo(5433);
    await using first = await Session.open(port);
    await using second = await Session.open(port);
    expect([await first.node(), await second.node()].sort()).toEqual(["pg2", "pg3"]);
    expect(await proxy.get("/healthz")).toMatchObject({ status: 200 });
    expect((await proxy.get("/metrics")).text).toMatch(
      /haproxy_server_status{proxy="primary",server="pg1",state="UP"} 1/,
    );
    expect((await proxy.get("/stats")).text).toContain("Statistics Report");
    expect(await health(proxy)).toBe("healthy: 10-haproxy: HAProxy answers: 1 primary, 2 for reads");
  });
});

it("moves new connections with the roles, and cuts those to a primary that is none any more", async () => {
  await using proxies = await start();
  await proxies.know({ primary: 1, replicas: 2 });
  const opened = await proxies.each(async (proxy) => {
    const port = await proxy.portTo(5433);
    const old = await Session.open(await proxy.portTo(5432));
    expect(await old.node()).toBe("pg1");
    const [first, second] = [await Session.open(port), await Session.open(port)];
    const [promoted, other] = (await first.node()) === "pg2" ? [first, second] : [second, first];
    return { old, promoted, other };
  });
  const began = Date.now();
  await roles("none", "primary", "replica");
  // A node that is promoted is no replica any more, so its readers are sent elsewhere too.
  const gone = await Promise.all(opened.flatMap(({ old, promoted }) => [cut(old), cut(promoted)]));
  console.info(`all sessions were cut ${Date.now() - began} ms after the switch`);
  expect(new Set(gone)).toEqual(new Set(["cut"]));
  await proxies.know({ primary: 1, replicas: 1 });
  expect(await proxies.each(writes)).toEqual(["pg2", "pg2"]);
  expect(await proxies.each(reads)).toEqual(["pg3", "pg3"]);
  expect(await Promise.all(opened.map(({ other }) => other.node()))).toEqual(["pg3", "pg3"]);
  await Promise.all(opened.map(({ other }) => other[Symbol.asyncDispose]()));
});

it("reads from the primary while there is no replica, refuses writes while there is no primary, and warns", async () => {
  await using proxies = await start({ HAPROXY_MAX_LAG: "16MB" });
  await proxies.know({ primary: 1, replicas: 2 });
  // One is down, the other is too far behind.
  await roles("primary", "none", "replica 17");
  await proxies.know({ primary: 1, replicas: 0 });
  await proxies.each(async (proxy) => {
    expect(await reads(proxy)).toBe("pg1");
    expect(await health(proxy)).toMatch(/^healthy: 10-haproxy: warning: no replica takes reads/);
  });
  await roles("none", "replica", "replica 16");
  await proxies.know({ primary: 0, replicas: 2 });
  await proxies.each(async (proxy) => {
    expect(await writes(proxy)).toMatch(/^none: /);
    expect(await reads(proxy)).toMatch(/^pg[23]$/);
    expect(await health(proxy)).toMatch(/^healthy: 10-haproxy: warning: no node is known as the primary/);
  });
  await roles("none", "primary", "primary");
  await proxies.know({ primary: 2, replicas: 0 });
  await proxies.each(async (proxy) => {
    expect([await writes(proxy), await writes(proxy), await writes(proxy)]).toEqual(["pg2", "pg2", "pg2"]);
    expect(await health(proxy)).toMatch(/^healthy: 10-haproxy: warning: 2 nodes say that they are the primary/);
  });
});

it("takes nobody for well before Patroni has answered", async () => {
  await roles("replica", "none", "none");
  await using proxies = await start({ HAPROXY_NODES: "pg1" });
  await proxies.each(async (proxy) => {
    // As early as it answers at all.
    const port = await proxy.portTo(5432);
    for (const end = Date.now() + 2_000; Date.now() < end; ) expect(await nodeAt(port)).toMatch(/^none: /);
    await proxy.knows({ primary: 0, replicas: 1 });
  });
});

it("waits for a node that does not exist yet, and follows one that is made anew at another address", async () => {
  await using proxies = await start({ HAPROXY_NODES: "pg1,pg2,late" });
  await proxies.know({ primary: 1, replicas: 1 });
  await roles("none", "replica", "none");
  await proxies.know({ primary: 0, replicas: 1 });
  {
    await using late = await Node.rest(network, "late", "primary");
    await proxies.know({ primary: 1, replicas: 1 });
    await late.docker("rm", "--force");
    await proxies.know({ primary: 0, replicas: 1 });
  }
  // Somebody else may get the address that it had.
  await using _other = await Node.rest(network, "other", "none");
  await using _again = await Node.rest(network, "late", "primary");
  await proxies.know({ primary: 1, replicas: 1 });
});

it("reads the nodes again at a hang-up without refusing a connection, and keeps what it has where they are wrong", async () => {
  await using folder = await Folder.with({ nodes: "pg1,pg2\n" });
  const file = { HAPROXY_NODES: "", HAPROXY_NODES_FILE: "/nodes/nodes" };
  await using proxies = await start(file, folder.at("/nodes"));
  await proxies.know({ primary: 1, replicas: 1 });
  await folder.write("nodes", "pg1,pg2,pg3\n");
  await proxies.each(async (proxy) => {
    const port = await proxy.portTo(5432);
    await proxy.docker("kill", "--signal", "HUP");
    const seen = new Set<string>();
    for (const end = Date.now() + 3_000; Date.now() < end; ) seen.add(await nodeAt(port));
    expect(seen).toEqual(new Set(["pg1"]));
    await proxy.knows({ primary: 1, replicas: 2 });
  });
  await folder.write("nodes", "pg1,pg1\n");
  await proxies.each(async (proxy) => {
    await proxy.docker("kill", "--signal", "HUP");
    await proxy.logged(/HAPROXY_NODES: node 2: expected each PostgreSQL and each Patroni once/);
    await proxy.logged(/HAProxy goes on with the one it has/);
    await proxy.knows({ primary: 1, replicas: 2 });
  });
});

it("asks Patroni over TLS, and believes only the certificate of the right authority and name", async () => {
  const [node] = nodes;
  const make =
    "cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=pg1" +
    " -addext subjectAltName=DNS:pg1 -keyout key -out ca.crt 2>/dev/null && cat ca.crt key >both.pem && cat ca.crt";
  const made = await node!.exec("bash", "-c", make);
  await node!.execWith(["--detach"], "python3", "/rest.py", "8009", "/tmp/both.pem");
  await using folder = await Folder.with({ "ca.crt": made.stdout });
  const address = (await node!.exec("hostname", "-i")).stdout.trim();
  const verify = { HAPROXY_NODES: "pg1:5432:8009", HAPROXY_REST_TLS: "verify", HAPROXY_REST_CA: "/ca/ca.crt" };
  const options = [...folder.at("/ca"), "--add-host", `other:${address}`];
  await using right = await start(verify, options);
  await using any = await start({ ...verify, HAPROXY_REST_TLS: "on", HAPROXY_REST_CA: "" });
  // The same server by a name that its certificate does not have, and by an authority that nobody here knows.
  await using name = await start({ ...verify, HAPROXY_NODES: "other:5432:8009" }, options);
  await using authority = await start({ ...verify, HAPROXY_REST_CA: "" });
  await right.know({ primary: 1, replicas: 0 });
  await any.know({ primary: 1, replicas: 0 });
  // At first nobody listens there yet.
  const checked = (proxy: HaproxyContainer): Promise<true | undefined> =>
    proxy.get("/stats;csv").then(
      ({ text }) => /L6RSP/.test(text) || undefined,
      () => undefined,
    );
  for (const wrong of [name, authority]) {
    await wrong.each((proxy) => proxy.until("a check", () => checked(proxy)));
    await wrong.know({ primary: 0, replicas: 0 });
  }
});
