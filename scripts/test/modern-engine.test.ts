import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  clientScript,
  daemonCommand,
  familyOf,
  freeSubnet,
  layout,
  MARK,
  networkCommands,
  Refusal,
  refusal,
  sharedFolders,
} from "../modern-engine/plan.mjs";
import { call, isMarked, isThere, kill, ownProcesses, until } from "../modern-engine/processes.mjs";

const SCRIPT = fileURLToPath(new URL("../modern-engine.mjs", import.meta.url));
const ENTER = fileURLToPath(new URL("../modern-engine/enter.sh", import.meta.url));
const LIMIT = 60_000;
const paths = layout("/cache");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strata-modern-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("layout", () => {
  it("keeps everything below the cache folder, and gives each cache names of its own", () => {
    const other = layout("/other");
    expect(paths.root).toBe("/cache/strata/modern-engine/rootfs");
    expect(paths.socket.startsWith("/cache/strata/modern-engine/")).toBe(true);
    expect(layout("/cache")).toEqual(paths);
    for (const name of ["link", "chain", "lock"] as const) expect(other[name]).not.toBe(paths[name]);
    // Linux takes 15 bytes for an interface and 28 for a chain.
    expect(paths.link.length).toBeLessThanOrEqual(15);
    expect(paths.chain.length).toBeLessThanOrEqual(28);
  });
});

describe("refusal", () => {
  const good = { platform: "linux", uid: 0, missing: [], mounts: true, socket: paths.socket };

  it("has nothing against root on Linux with all programs", () => {
    expect(refusal(good)).toBeUndefined();
  });

  it.each([
    [{ platform: "darwin" }, "expected Linux, found darwin"],
    [{ uid: 1000 }, "expected root, found user 1000: run it as root"],
    [{ missing: ["mmdebstrap"] }, "expected the program mmdebstrap, found none: install it with apt-get"],
    [{ missing: ["unshare", "nsenter"] }, "expected the programs unshare, nsenter, found none: install them"],
    [{ mounts: false }, "found that this machine forbids it: give it the capability SYS_ADMIN"],
    [{ socket: `/${"x".repeat(120)}` }, "set XDG_CACHE_HOME to a shorter one"],
  ])("says in one sentence what is wrong with %j", (bad, sentence) => {
    const text = refusal({ ...good, ...bad });
    expect(text).toContain(sentence);
    expect(text).not.toContain("\n");
  });
});

describe("sharedFolders", () => {
  it("takes every top-level folder that the Debian inside does not have itself", () => {
    const top = ["bin", "etc", "home", "lib", "proc", "root", "run", "srv", "tmp", "usr", "var", "work"];
    expect(sharedFolders(top, [])).toEqual(["/home", "/root", "/srv", "/tmp", "/work"]);
  });

  it("adds what is asked for, once, and only where it is not seen already", () => {
    const wanted = ["/var/tmp/deep", "/tmp/x", "/var/tmp", "/tmpfiles", "/"];
    expect(sharedFolders(["tmp"], wanted)).toEqual(["/tmp", "/tmpfiles", "/var/tmp"]);
  });
});

describe("freeSubnet", () => {
  const header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
  const route = (to: string, mask: string): string => `eth0\t${to}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0  `;

  it("takes the first where only others are routed, and does not mind a default route", () => {
    expect(freeSubnet([header, route("00000000", "00000000"), route("000011AC", "0000FFFF"), ""].join("\n"))).toBe(
      "10.213",
    );
  });

  it("leaves out what a route meets, be it larger or smaller", () => {
    expect(freeSubnet([header, route("0000D50A", "0000FFFF"), route("0001D60A", "00FFFFFF")].join("\n"))).toBe(
      "10.215",
    );
    expect(freeSubnet([header, route("0000000A", "000000FF")].join("\n"))).toBe("198.18");
  });

  it("refuses where all are taken", () => {
    expect(() => freeSubnet([header, route("0000000A", "000000FF"), route("000012C6", "0000FEFF")].join("\n"))).toThrow(
      Refusal,
    );
  });
});

describe("networkCommands", () => {
  const { up, down } = networkCommands(paths, "10.213", 42);

  it("touches no chain of the machine but its own, besides one jump for each table", () => {
    const chains = up.flatMap((command) => {
      const at = command.findIndex((word) => ["-A", "-I"].includes(word));
      return at < 0 ? [] : [{ chain: command[at + 1], jump: command.at(-1) }];
    });
    const foreign = chains.filter(({ chain }) => chain !== paths.chain);
    expect(foreign).toEqual([
      { chain: "FORWARD", jump: paths.chain },
      { chain: "POSTROUTING", jump: paths.chain },
    ]);
  });

  it("lays a cable into the namespace, and gives addresses inside of it and nowhere else", () => {
    const text = up.map((command) => command.join(" "));
    expect(text).toContain(`ip link add name ${paths.link} type veth peer name eth0 netns 42`);
    expect(
      text.filter((line) => / eth0$| lo up$|default/.test(line)).every((line) => /netns 42|^nsenter/.test(line)),
    ).toBe(true);
    expect(text.join("\n")).not.toContain("docker0");
  });

  it("takes everything away again", () => {
    const text = down.map((command) => command.join(" "));
    for (const table of ["filter", "nat"])
      for (const flag of ["-F", "-X"]) expect(text).toContain(`iptables -w -t ${table} ${flag} ${paths.chain}`);
    expect(text).toContain(`iptables -w -t filter -D FORWARD -j ${paths.chain}`);
    expect(text).toContain(`iptables -w -t nat -D POSTROUTING -j ${paths.chain}`);
    expect(text.at(-1)).toBe(`ip link delete ${paths.link}`);
  });
});

describe("daemonCommand", () => {
  it("keeps the daemon in folders and addresses of its own", () => {
    const words = daemonCommand(paths, "10.213");
    for (const word of ["--bip=10.213.0.1/24", `--data-root=${paths.data}`]) expect(words).toContain(word);
    expect(words.join(" ")).not.toMatch(/bridge=none|\/var\/lib\/docker/);
  });
});

describe("clientScript", () => {
  const own = readlinkSync("/proc/self/ns/mnt");
  const run = (script: string, args: string[], cwd: string) => {
    writeFileSync(join(folder, "client"), script, { mode: 0o755 });
    const stub = '#!/bin/sh\necho "pid $$"\nfor word; do echo "<$word>"; done\ncat\nexit 7\n';
    writeFileSync(join(folder, "nsenter"), stub, { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}` };
    return spawnSync(join(folder, "client"), args, {
      cwd,
      env,
      encoding: "utf8",
      input: "from stdin\n",
      timeout: LIMIT,
    });
  };

  it("gives on the arguments, the working directory, stdin and the exit code, in the same process", () => {
    const script = clientScript(layout("/it's"), { pid: process.pid, namespace: own });
    const done = run(script, ["build", "a b", "$HOME", ""], folder);
    const lines = done.stdout.split("\n");
    expect(lines[0]).toBe(`pid ${done.pid}`);
    expect(lines).toContain(`<--mount=/proc/${process.pid}/ns/mnt>`);
    expect(lines).toContain(`<--chdir=${folder}>`);
    expect(lines).toContain("<DOCKER_HOST=unix:///it's/strata/modern-engine/docker.sock>");
    expect(lines.slice(-7)).toEqual(["</usr/bin/docker>", "<build>", "<a b>", "<$HOME>", "<>", "from stdin", ""]);
    expect(done.status).toBe(7);
  });

  it.each([
    ["ended", 2 ** 22 + 1],
    ["gave its number to another", process.pid],
  ])("says so where the daemon %s", (_, pid) => {
    const done = run(clientScript(paths, { pid, namespace: "mnt:[1]" }), ["version"], folder);
    expect(done.stdout).toBe("");
    expect(done.stderr).toBe(
      "Cannot connect to the modern engine: its daemon ended, start it by node scripts/modern-engine.mjs start\n",
    );
    expect(done.status).toBe(1);
  });
});

describe("familyOf", () => {
  it("takes the marked processes and all that descends from them", () => {
    const row = (pid: number, parent: number, marked = false) => ({ pid, parent, marked });
    const rows = [row(30, 20), row(1, 0), row(20, 10), row(10, 1, true), row(40, 1), row(50, 40), row(60, 1, true)];
    expect(familyOf(rows).sort()).toEqual([10, 20, 30, 60]);
  });
});

describe("processes", () => {
  it("finds what has the mark, with its children that have it not, and ends it", { timeout: 2 * LIMIT }, async () => {
    const mark = `test-${process.pid}`;
    const child = spawn("sh", ["-c", "env -i sleep 600 & wait"], { env: { ...process.env, [MARK]: mark } });
    try {
      expect(await until(() => ownProcesses(mark).length === 2, LIMIT)).toBe(true);
      expect(isMarked(child.pid!, mark)).toBe(true);
      expect(isMarked(child.pid!, "another")).toBe(false);
    } finally {
      kill(ownProcesses(mark));
    }
    expect(await until(() => ownProcesses(mark).length === 0, LIMIT)).toBe(true);
    expect(isMarked(2 ** 22 + 1, mark)).toBe(false);
  });

  it("waits no longer than it is told", async () => {
    expect(await until(() => false, 1)).toBe(false);
  });

  it("tells how a command ended, be it there or not", () => {
    expect(call(["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({ ok: false, stdout: "out\n", stderr: "err" });
    expect(call(["strata-no-such-program"]).stderr).toContain("ENOENT");
    expect(isThere("sh")).toBe(true);
    expect(isThere("strata-no-such-program")).toBe(false);
  });
});

describe("enter.sh", () => {
  /** Runs a line of Bash with the script's functions, and with commands that only say how they were called. */
  const bash = (line: string) => {
    const stubs = ["mount", "umount", "pivot_root", "cd"].map((name) => `${name}() { echo "${name} $*"; }`).join("\n");
    const text = `source '${ENTER}'\nNEW='${folder}'\n${stubs}\n${line}`;
    return spawnSync("bash", ["-c", text], { encoding: "utf8", timeout: LIMIT });
  };

  it("share_folder shows a folder at its own path", () => {
    expect(bash("share_folder /a/b").stdout).toBe(`mount --rbind /a/b ${folder}/a/b\n`);
    expect(existsSync(join(folder, "a/b"))).toBe(true);
  });

  it("prepare_root mounts the system, and gives it the machine's resolver", () => {
    const done = bash('mkdir -p "$NEW/etc" && prepare_root /debian');
    expect(done.stdout.split("\n").slice(0, -1)).toEqual([
      `mount --bind /debian ${folder}`,
      ...["/proc", "/sys", "/dev"].map((name) => `mount --rbind ${name} ${folder}${name}`),
      `mount -t tmpfs -o mode=0755 modern-engine ${folder}/run`,
    ]);
    expect(existsSync(join(folder, "etc/resolv.conf"))).toBe(existsSync("/etc/resolv.conf"));
  });

  it("switch_root lets go of the old root", () => {
    expect(bash("NEW=/boot; switch_root").stdout).toBe("cd /boot\npivot_root . boot\ncd /\numount --lazy /boot\n");
  });

  it("main prepares, shares each folder, and becomes the command", () => {
    const quiet =
      "prepare_root() { echo prepare $1; }; share_folder() { echo share $1; }; switch_root() { echo switch; }";
    const done = bash(`${quiet}; main /debian /tmp /work -- echo "a  b" -- c`);
    expect(done.stdout).toBe("prepare /debian\nshare /tmp\nshare /work\nswitch\na  b -- c\n");
  });
});

describe("the command", () => {
  const run = (cache: string, ...args: string[]) =>
    spawnSync(process.execPath, [SCRIPT, ...args], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      encoding: "utf8",
      timeout: LIMIT,
    });

  it("exits 1 where it is not running, or is not understood", () => {
    const status = run(folder, "status");
    expect([status.status, status.stdout]).toEqual([1, ""]);
    expect(status.stderr).toBe("strata: modern engine: it is not running\n");
    expect(run(folder, "begin").stderr).toContain("usage: node scripts/modern-engine.mjs start");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("exits 3 with one sentence where it cannot be done, and makes nothing", () => {
    const done = run(join(folder, "x".repeat(100)), "start");
    expect([done.status, done.stdout]).toEqual([3, ""]);
    expect(done.stderr).toMatch(/^strata: modern engine: expected .*\n$/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
