import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { attempt } from "../src/run.js";
import { scratch, write } from "./helpers.js";

const HOOK = fileURLToPath(new URL("../assets/bootstrap-hook.sh", import.meta.url));
const MIRROR = "http://mirror.site.example/debian";

const SOURCES = `# See the sources.list(5) manual page.
Types: deb
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: trixie-security
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const LIST = `# See sources.list(5) for more information
deb http://mirror.example/debian bookworm main contrib non-free-firmware
deb-src http://mirror.example/debian bookworm main

deb http://mirror.example/debian-security bookworm-security main contrib
`;

let root: string;
beforeEach(async () => {
  root = join(await scratch(), "a root");
  await write(root, {
    "etc/apt/sources.list": `deb ${MIRROR} trixie main\n`,
    "etc/apt/sources.list.d/0000mmdebstrap.list": `deb ${MIRROR} trixie-updates main\n`,
    "etc/apt/apt.conf.d/99mmdebstrap": 'Acquire::http::Proxy "http://proxy.site.example:3128";\n',
    "etc/apt/apt.conf.d/01autoremove": "APT {};\n",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap":
      "path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\npath-include=/usr/share/doc/apt/examples/*\n",
    "usr/share/doc/apt/examples/debian.sources": SOURCES,
    "usr/share/doc/apt/copyright": "GPL",
    "var/log/apt/history.log": "x",
    "var/log/dpkg.log": "x",
    "var/log/bootstrap.log": "x",
    "var/log/alternatives.log": "x",
    "var/log/wtmp": "",
    "var/cache/debconf/templates.dat-old": "x",
    "var/cache/debconf/templates.dat": "keep",
    "var/cache/ldconfig/aux-cache": "x",
    "var/cache/apt/pkgcache.bin": "x",
    "var/cache/apt/archives/x.deb": "x",
    "var/lib/dpkg/status": "keep",
    "var/lib/dpkg/status-old": "x",
    "var/lib/dpkg/diversions-old": "x",
    "var/lib/apt/lists/mirror.site.example_InRelease": MIRROR,
    "var/lib/apt/extended_states": "keep",
    "etc/machine-id": "0123456789abcdef",
    "etc/hostname": "build-machine",
    "etc/resolv.conf": "nameserver 10.0.0.1",
    "tmp/left": "x",
    "run/left": "x",
    "usr/sbin/keep": "",
  });
});

/** Runs the hook over the root. */
async function hook(): Promise<void> {
  const outcome = await attempt("bash", [HOOK, root]);
  expect(outcome).toMatchObject({ ok: true, stderr: "" });
}

/** Every file below the root with its content. */
async function files(): Promise<Record<string, string>> {
  const found = (await readdir(root, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  const entries = await Promise.all(
    found.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(root.length), await readFile(path, "utf8")];
    }),
  );
  return Object.fromEntries(entries);
}

describe("bootstrap-hook.sh", () => {
  it("can be run by mmdebstrap as the program that it is", async () => {
    expect((await stat(HOOK)).mode & 0o111).not.toBe(0);
  });

  it("is published with the package that runs it", async () => {
    const { files } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
    expect(files).toContain("assets");
  });

  it("leaves no address of the build machine's mirror, proxy, name or resolver", async () => {
    await hook();
    const all = await files();
    for (const [path, content] of Object.entries(all))
      expect(`${path} ${content}`).not.toMatch(/site\.example|build-machine|10\.0\.0\.1/);
    expect(existsSync(join(root, "etc/hostname"))).toBe(false);
    expect(existsSync(join(root, "etc/resolv.conf"))).toBe(false);
    expect(all["/etc/machine-id"]).toBe("");
  });

  it("writes the sources that APT's own example names, main alone", async () => {
    await hook();
    const all = await files();
    expect(all["/etc/apt/sources.list.d/debian.sources"]).toBe(
      SOURCES.replace(/^#.*\n/, "").replaceAll("main non-free-firmware", "main"),
    );
    expect(Object.keys(all).filter((path) => path.startsWith("/etc/apt/sources"))).toEqual([
      "/etc/apt/sources.list.d/debian.sources",
    ]);
  });

  it("writes them in the old form for a release whose example has that", async () => {
    const { rm } = await import("node:fs/promises");
    await rm(join(root, "usr/share/doc/apt/examples/debian.sources"));
    await write(root, { "usr/share/doc/apt/examples/sources.list": LIST });
    await hook();
    expect((await files())["/etc/apt/sources.list"]).toBe(
      "deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/debian-security bookworm-security main\n",
    );
  });

  it("says what it expected, and fails, where APT has no example", async () => {
    const { rm } = await import("node:fs/promises");
    await rm(join(root, "usr/share/doc/apt/examples/debian.sources"));
    const outcome = await attempt("bash", [HOOK, root]);
    expect(outcome.ok).toBe(false);
    expect(outcome.stderr).toContain("expected APT's example sources");
  });

  it("takes away logs, lists, archives, caches and backups, and nothing else", async () => {
    await hook();
    const left = Object.keys(await files()).sort();
    expect(left).toEqual([
      "/etc/apt/apt.conf.d/01autoremove",
      "/etc/apt/apt.conf.d/slim",
      "/etc/apt/sources.list.d/debian.sources",
      "/etc/dpkg/dpkg.cfg.d/slim",
      "/etc/machine-id",
      "/usr/sbin/keep",
      "/usr/sbin/policy-rc.d",
      "/usr/share/doc/apt/copyright",
      "/var/cache/debconf/templates.dat",
      "/var/lib/apt/extended_states",
      "/var/lib/dpkg/status",
      "/var/log/wtmp",
    ]);
    for (const folder of ["tmp", "run", "var/lib/apt/lists"]) expect(await readdir(join(root, folder))).toEqual([]);
  });

  it("keeps later installs as small, the exception for the examples excepted", async () => {
    await hook();
    const all = await files();
    expect(all["/etc/dpkg/dpkg.cfg.d/slim"]).toBe(
      "path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n",
    );
    expect(all["/etc/apt/apt.conf.d/slim"]).toContain('Acquire::Languages "none";');
  });

  it("forbids services to start while an image is built", async () => {
    await hook();
    const policy = join(root, "usr/sbin/policy-rc.d");
    expect((await stat(policy)).mode & 0o777).toBe(0o755);
    await chmod(policy, 0o755);
    const answer = await attempt("sh", [policy]);
    expect(answer.ok).toBe(false);
    expect(await readFile(policy, "utf8")).toContain("exit 101");
  });

  it("does nothing when it is sourced", async () => {
    await mkdir(join(root, "x"));
    const outcome = await attempt("bash", ["-c", 'source "$1" && type -t main', "bash", HOOK]);
    expect([outcome.ok, outcome.stdout]).toEqual([true, "function"]);
  });
});
