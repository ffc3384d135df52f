import { attempt } from "@strata/engine";
import { engine, Folder, HEALTHCHECK } from "@strata/testing";
import { describe, expect, it } from "vitest";
import { Cluster, Etcd, inside, TLS, VARIANTS } from "./node.js";

const SECRET = "tr1cky:$ecret'\"\\3141592";

/** An authority, and one certificate for all nodes with its key, both readable for anybody. */
async function certificates(variant: string): Promise<Folder> {
  const folder = await Folder.with({ ext: "subjectAltName = DNS:n1, DNS:n2, DNS:n3\n" });
  await inside(
    variant,
    `cd /made
    new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl req -x509 $new -days 30 -subj /CN=test-ca -keyout ca.key -out ca.crt 2>/dev/null
    openssl req $new -subj /CN=node -keyout tls.key -out tls.csr 2>/dev/null
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out tls.crt 2>/dev/null
    chmod 644 *`,
    folder.at("/made", "rw"),
  );
  return folder;
}

describe.each(VARIANTS)("$variant, three nodes that know their names", ({ variant }) => {
  it("elect a leader, replicate, outlive its kill, take a replacement, and say so without a quorum", async () => {
    await using cluster = await Cluster.make(variant);
    const leader = await cluster.leader();
    const [second, third] = ["n1", "n2", "n3"].filter((name) => name !== leader) as [string, string];
    await cluster.node(second).ctl("put", "written", `on ${second}`);
    expect(await cluster.node(third).get("written")).toBe(`on ${second}`);

    await cluster.node(leader).docker("kill");
    expect(await cluster.leader([second, third])).not.toBe(leader);
    await cluster.node(second).until("a write that counts", async () =>
      cluster
        .node(second)
        .ctl("put", "after", "the kill")
        .catch(() => undefined),
    );
    expect(await cluster.node(third).get("after")).toBe("the kill");
    await cluster.node(third).healthy();

    // What the README says about a node that is lost with its data.
    const lost = new RegExp(`^([0-9a-f]+), \\w+, ${leader},`, "m").exec(
      await cluster.node(second).ctl("member", "list"),
    );
    // It takes no change of its nodes while it is not sure that enough of them stay.
    const changed = (...words: string[]) =>
      cluster.node(second).until("a change of the nodes", () =>
        cluster
          .node(second)
          .ctl("member", ...words)
          .catch((error: Error) => {
            if (/unhealthy cluster/.test(error.message)) return undefined;
            throw error;
          }),
      );
    await changed("remove", lost![1]!);
    await changed("add", leader, `--peer-urls=http://${leader}:2380`);
    await cluster.node(leader)[Symbol.asyncDispose]();
    const replacement = await cluster.start(leader, { ETCD_INITIAL_CLUSTER_STATE: "existing" });
    await replacement.healthy();
    expect(await replacement.get("after")).toBe("the kill");
    // The variable may stay: a node with data goes by that.
    await replacement.docker("restart");
    await replacement.healthy();

    await Promise.all([second, third].map((name) => cluster.node(name).docker("kill")));
    await replacement.until("the reason", async () => {
      const { ok, stdout } = await replacement.exec(HEALTHCHECK);
      return !ok && /no leader.*quorum/.test(stdout) ? true : undefined;
    });
    await cluster.node(second).docker("start");
    await cluster.node(second).healthy();
    await replacement.healthy();
    const began = Date.now();
    await replacement.docker("stop", "--time", "30");
    expect((Date.now() - began) / 1_000).toBeLessThan(10);
    expect((await replacement.state()).ExitCode).toBe(0);
  });

  it("waits for its nodes, and is not healthy before they are enough", async () => {
    await using alone = await Etcd.start(variant, {
      env: { ETCD_NODES: "here,there=192.0.2.1" },
      options: ["--hostname", "here"],
    });
    const answer = await alone.until("its reason", async () => {
      const { ok, stdout } = await alone.exec(HEALTHCHECK);
      return !ok && /waits for enough nodes/.test(stdout) ? stdout : undefined;
    });
    expect(answer).toMatch(/^unhealthy/);
    await alone.docker("stop", "--time", "30");
    expect((await alone.state()).ExitCode).toBe(0);
  });

  it("speak TLS with certificates on both ports, and let nobody in without the password of root", async () => {
    await using made = await certificates(variant);
    await using secrets = await Folder.with({ password: `${SECRET}\n` });
    await using cluster = await Cluster.make(variant, {
      env: { ETCD_ROOT_PASSWORD_FILE: "/secrets/password", LOG_LEVEL: "debug" },
      options: [...made.at(TLS), ...secrets.at("/secrets")],
    });
    const first = cluster.node("n1");
    await cluster.node("n2").ctl("put", "a", "b");
    for (const node of cluster.nodes.values()) {
      expect(await node.get("a")).toBe("b");
      const status = await node.ctl("endpoint", "status", "--cluster");
      for (const name of cluster.nodes.keys()) expect(status).toContain(`https://${name}:2379`);
      expect((await node.exec(HEALTHCHECK)).stdout).toMatch(/^healthy/);
    }
    expect(await first.logs()).toMatch(/authentication is on/);

    const bare = (...words: string[]) =>
      first.exec("/usr/bin/etcdctl", "--endpoints=https://n2:2379", `--cacert=${TLS}/ca.crt`, ...words, "get", "a");
    const certificate = [`--cert=${TLS}/tls.crt`, `--key=${TLS}/tls.key`];
    expect((await bare(...certificate)).stderr).toMatch(/user name is empty|permission denied/);
    expect((await bare(...certificate, "--user=root:wrong")).stderr).toMatch(/invalid user ID or password/);
    expect((await bare("--command-timeout=1s")).ok).toBe(false);
    const plain = await first.exec(
      "/usr/bin/etcdctl",
      "--endpoints=http://n2:2379",
      "--command-timeout=1s",
      "get",
      "a",
    );
    expect(plain.ok).toBe(false);

    // Once more from the start: it is on already, and stays.
    await first.docker("restart");
    await first.healthy();
    expect(await first.get("a")).toBe("b");
    expect((await first.logs()).match(/authentication is on:/g)).toHaveLength(1);

    const search = (user: string) =>
      first.execWith(["--user", user], "bash", "-c", "grep -rlaF 3141592 /run /tmp /var /etc 2>/dev/null || :");
    const seen = {
      logs: (await Promise.all([...cluster.nodes.values()].map((node) => node.logs()))).join("\n"),
      processes: (await attempt(engine.client, ["top", first.name, "-eo", "pid,args"])).stdout,
      inspect: (await first.docker("inspect")).stdout,
      environments: (await first.exec("bash", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'")).stdout,
      readable: (await search("4711")).stdout,
    };
    expect(seen.environments).toContain("ETCD_DATA_DIR=");
    for (const [where, text] of Object.entries(seen)) expect(text, where).not.toMatch(/3141592|tr1cky/);
    expect(seen.readable).toBe("");
    // Before 3.5, etcd itself keeps the request that made the user in its log, which is closed to others.
    const files = (await search("0")).stdout
      .split("\n")
      .filter((file) => !file.startsWith("/var/lib/etcd/member/wal/"));
    expect(files.filter(Boolean)).toEqual([]);
  });

  it("warns of a password that is not root's, and asks clients for no certificate where it is told so", async () => {
    await using made = await certificates(variant);
    await using node = await Etcd.start(variant, {
      env: { ETCD_ROOT_PASSWORD: "first", ETCD_TLS_CLIENT_AUTH: "false" },
      options: [...made.at(TLS), "--hostname", "n1"],
    });
    await node.healthy();
    await node.ctl("put", "a", "b");
    const remote = ["--endpoints=https://n1:2379", `--cacert=${TLS}/ca.crt`, "--user=root:first"];
    expect((await node.exec("/usr/bin/etcdctl", ...remote, "get", "a")).stdout).toContain("b");
    await node.ctl("user", "passwd", "root", "--new-user-password=second").catch(() => undefined);
    const changed = await node.exec("bash", "-c", "echo second | etcdctl user passwd root --interactive=false");
    expect(changed.ok, changed.stderr).toBe(true);
    await node.docker("restart");
    await node.healthy();
    expect((await node.exec(HEALTHCHECK)).stdout).toMatch(/warning: ETCD_ROOT_PASSWORD is not the password/);
    expect(await node.logs()).toMatch(/ETCD_ROOT_PASSWORD: expected the password of user root, found another/);
  });
});
