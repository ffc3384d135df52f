import { attempt } from "@strata/engine";
import { engine, Folder, HEALTHCHECK, Volume } from "@strata/testing";
import { describe, expect, it } from "vitest";
import { DATA, Etcd, imageOf, inside, VARIANTS } from "./node.js";

describe.each(VARIANTS)("$variant, a node alone", ({ variant, version, tags, suite }) => {
  it("is what its name says: release, base, tags, user and port", async () => {
    const asked = await Etcd.run(variant, { command: ["etcd", "--version"] });
    expect(asked.code).toBe(0);
    expect(asked.logs).toContain(`etcd Version: ${version}`);
    expect(await inside(variant, ". /etc/os-release; echo $VERSION_CODENAME; getent passwd 999")).toBe(
      `${suite}\netcd:x:999:999::${DATA}:/bin/bash`,
    );
    const inspect = async (tag: string) =>
      JSON.parse((await attempt(engine.client, ["image", "inspect", imageOf(tag)])).stdout)[0];
    const { Id, Config } = await inspect(variant);
    for (const tag of tags) expect((await inspect(tag)).Id).toBe(Id);
    expect(Config.User).toBe("999:999");
    expect(Object.keys(Config.ExposedPorts)).toEqual(["2379/tcp", "2380/tcp"]);
    expect(Config.Healthcheck.Test).toContain(HEALTHCHECK);
    const left = "ls -d /etc/default/etcd /etc/init.d/etcd 2>/dev/null || ls -A /usr/share/doc/etcd-server";
    expect(await inside(variant, left)).toBe("copyright");
  });

  it("starts healthy, answers on its port, and etcdctl needs no options", async () => {
    await using node = await Etcd.start(variant);
    await node.healthy();
    await node.ctl("put", "a key", "a value");
    expect(await node.get("a key")).toBe("a value");
    const answer = await fetch(`http://127.0.0.1:${await node.port()}/version`);
    expect(await answer.json()).toMatchObject({ etcdserver: version });
    expect((await node.exec(HEALTHCHECK)).stdout).toMatch(/^healthy: .*with a leader and a quorum/);
    expect(await node.logs()).toMatch(/WARN .*ANYONE who can reach the port/);
  });

  it("takes options of the command, which win over variables, and etcd's own variables", async () => {
    await using node = await Etcd.start(variant, {
      env: { ETCD_NAME: "other", ETCD_SNAPSHOT_COUNT: "4711", LOG_LEVEL: "warn", ETCD_ROOT_PASWORD: "31415" },
      command: ["--name=mine", "--max-txn-ops", "77"],
    });
    await node.healthy();
    expect(await node.ctl("member", "list")).toMatch(/, mine, /);
    expect((await attempt(engine.client, ["top", node.name, "-eo", "pid,args"])).stdout).toContain(
      "etcd --name=mine --max-txn-ops 77",
    );
    // It says of each variable whether it used it, and warns of those that it does not know.
    const logs = await node.logs();
    expect(logs).toMatch(/ETCD_SNAPSHOT_COUNT/);
    expect(logs).not.toMatch(/unrecognized|31415/);
    expect(logs).toMatch(/ETCD_ROOT_PASWORD is set, but nothing here reads it; did you mean ETCD_ROOT_PASSWORD\?/);
    expect(logs).not.toMatch(/"level":"info".*starting/);
  });

  it("keeps its data in a new container of another name, and stops gracefully in time", async () => {
    await using volume = await Volume.make();
    await using first = await Etcd.start(variant, { options: volume.at(DATA) });
    await first.healthy();
    await first.ctl("put", "kept", "yes");
    const began = Date.now();
    await first.docker("stop", "--time", "30");
    expect((Date.now() - began) / 1_000).toBeLessThan(10);
    expect((await first.state()).ExitCode).toBe(0);
    expect(await first.logs()).toMatch(/stopped with code 0/);
    await using second = await Etcd.start(variant, { options: volume.at(DATA) });
    await second.healthy();
    expect(await second.get("kept")).toBe("yes");
    // Killed, it loses nothing of what it promised.
    await second.ctl("put", "promised", "yes");
    await second.docker("kill");
    await second.docker("start");
    await second.healthy();
    expect(await second.get("promised")).toBe("yes");
  });

  it("pays no heed to HUP, and ends at once at QUIT", async () => {
    await using node = await Etcd.start(variant);
    await node.healthy();
    await node.docker("kill", "--signal", "HUP");
    await node.ctl("put", "still", "here");
    expect((await node.state()).Running).toBe(true);
    await node.docker("kill", "--signal", "QUIT");
    expect(await node.exitCode(5)).toBe(0);
    expect(await node.logs()).not.toMatch(/goroutine/);
  });

  it.each([
    ["the default user", ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"], "999"],
    ["any other user", ["--read-only", "--user", "12345:0", "--cap-drop", "ALL"], "12345"],
    ["root, which steps down", ["--user", "0"], "999"],
  ])("runs as %s, and never as root", async (_who, options, user) => {
    await using volume = await Volume.make();
    await using node = await Etcd.start(variant, {
      options: ["--tmpfs", "/run", "--tmpfs", "/tmp", ...volume.at(DATA), ...options],
    });
    await node.healthy();
    await node.ctl("put", "a", "b");
    const { stdout } = await attempt(engine.client, ["top", node.name, "-eo", "pid,uid"]);
    const users = stdout
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[1]);
    expect([...new Set(users)]).toEqual([user]);
    expect(await node.logs()).not.toMatch(/directory exist, but the permission/);
  });
});

describe.each(VARIANTS)("$variant says what is wrong, and starts nothing:", ({ variant }) => {
  const refused = async (code: number, message: RegExp, env: Record<string, string>, options: string[] = []) => {
    const { code: found, logs } = await Etcd.run(variant, { env, options });
    expect(logs).toMatch(message);
    expect(found, logs).toBe(code);
    expect(logs).not.toMatch(/etcd-version|Starting etcd/i);
  };

  it("a name that is none of the nodes, and everything else that is wrong, at once", async () => {
    await refused(
      2,
      /found '2:x'[\s\S]*'n1' twice[\s\S]*ETCD_NAME: expected one of the nodes in ETCD_NODES \(n1, n\), found 'elsewhere'/,
      { ETCD_NODES: "n1,n 2:x,n1", ETCD_NAME: "elsewhere" },
    );
  });

  it("a password that is given twice, one with blanks, and a state that is none", async () => {
    await Promise.all([
      refused(2, /ETCD_ROOT_PASSWORD and ETCD_ROOT_PASSWORD_FILE are both set/, {
        ETCD_ROOT_PASSWORD: "x",
        ETCD_ROOT_PASSWORD_FILE: "/etc/passwd",
      }),
      refused(2, /ETCD_ROOT_PASSWORD: expected a password without blanks/, { ETCD_ROOT_PASSWORD: "two words" }),
      refused(2, /ETCD_INITIAL_CLUSTER_STATE: expected one of new, existing/, { ETCD_INITIAL_CLUSTER_STATE: "old" }),
    ]);
  });

  it("half a pair of TLS", async () => {
    const passwd = "/etc/passwd";
    await Promise.all([
      refused(2, /ETCD_TLS_KEY: expected the key of the certificate .*found none/, { ETCD_TLS_CERT: passwd }),
      refused(2, /ETCD_TLS_CERT: expected the certificate of the key .*found none/, { ETCD_TLS_KEY: passwd }),
    ]);
  });

  it("a folder that it cannot write, or that belongs to the system", async () => {
    await using folder = await Folder.with({ "not-ours": "" });
    const foreign = /ETCD_DATA_DIR: expected a folder that user 999 owns and can write, found '\/data'/;
    const system = /ETCD_DATA_DIR: expected a folder for data alone, found '\/usr\/lib/;
    await Promise.all([
      refused(3, foreign, { ETCD_DATA_DIR: "/data" }, folder.at("/data", "rw")),
      refused(2, system, { ETCD_DATA_DIR: "/usr/lib/x" }, ["--user", "0"]),
    ]);
  });

  it("a second container on one volume", async () => {
    await using volume = await Volume.make();
    await using first = await Etcd.start(variant, { options: volume.at(DATA) });
    await first.healthy();
    await refused(1, /another container uses the data in \/var\/lib\/etcd/, {}, volume.at(DATA));
    await first.ctl("put", "first", "still serves");
  });
});
