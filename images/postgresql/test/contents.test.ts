import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attempt, readSite } from "@strata/engine";
import { describe, expect, it } from "vitest";
import { Container, engine, imageOf, VARIANTS } from "./container.js";

const inspect = async (reference: string) =>
  JSON.parse((await attempt(engine.client, ["image", "inspect", reference])).stdout)[0];

/** Runs a command in a fresh container as root, without the entrypoint, and gives what it printed. */
async function inside(variant: string, script: string): Promise<string> {
  const words = ["run", "--rm", "--user", "0", "--entrypoint", "bash", imageOf(variant), "-c", script];
  return (await attempt(engine.client, words)).stdout.trim();
}

/** The instructions that made an image's layers, without those that copy what was compiled. */
async function instructions(reference: string): Promise<string[]> {
  const words = ["history", "--no-trunc", "--format", "{{.CreatedBy}}", reference];
  const lines = (await attempt(engine.client, words)).stdout.split("\n");
  return lines.filter((line) => /^(RUN|ADD|COPY) /.test(line) && !line.includes("/out/"));
}

describe.each(VARIANTS)("what the image $variant is", ({ variant, major, tags, base, suite }) => {
  it("says who it is: user, health check, stop signal, port, volume, command", async () => {
    const { Config } = await inspect(imageOf(variant));
    expect(Config.User).toBe("999:999");
    expect(Config.StopSignal).toBe("SIGINT");
    expect(Config.ExposedPorts).toEqual({ "5432/tcp": {}, "8008/tcp": {} });
    expect(Config.Volumes).toEqual({ "/var/lib/postgresql/data": {} });
    expect(Config.Entrypoint).toEqual(["/opt/container/entrypoint.sh"]);
    expect(Config.Cmd).toEqual(["postgres"]);
    const second = 1_000_000_000;
    expect(Config.Healthcheck).toEqual({
      Test: ["CMD", "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh"],
      Interval: 10 * second,
      Timeout: 10 * second,
      StartPeriod: 900 * second,
      Retries: 3,
    });
    expect(Config.Env).toEqual(
      expect.arrayContaining([`PG_MAJOR=${major}`, "LANG=en_US.utf8", "PGDATA=/var/lib/postgresql/data"]),
    );
  });

  it("carries the OCI labels, source, revision and base included", async () => {
    const { Labels } = (await inspect(imageOf(variant))).Config;
    const label = (name: string): string => Labels[`org.opencontainers.image.${name}`];
    expect(label("title")).toBe("PostgreSQL");
    expect(label("version")).toMatch(/^\d+\.\d+\.\d+/);
    expect(label("source")).toMatch(/^https:/);
    expect(label("revision")).toMatch(/^[0-9a-f]{40}/);
    expect(new Date(label("created")).toISOString()).toBe(label("created"));
    expect(label("base.name")).toBe(base);
    expect(label("base.digest")).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("is tagged with its variant and every alias", async () => {
    const { Id } = await inspect(imageOf(variant));
    for (const tag of tags) expect((await inspect(imageOf(tag))).Id).toBe(Id);
  });

  it("has no setuid surprise, no package list, no build-time script, no secret, no private key in its layers", async () => {
    const left = await inside(
      variant,
      `
      ls /var/lib/apt/lists /mnt /run/secrets /opt/setup /var/cache/apt/archives/*.deb /var/log/apt /etc/ssl/private/* 2>/dev/null
      find / -xdev \\( -name 'apt-sources' -o -name 'apt-conf' -o -name 'install.sh' -o -name '*.snakeoil*' -o -name 'id_rsa*' \\) -print`,
    );
    expect(left.split("\n").filter((line) => line && !line.endsWith(":"))).toEqual([]);
  });

  it("keeps APT's documented sources, and nothing of how this machine reaches packages", async () => {
    const sources = await inside(variant, "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null");
    expect(sources).toContain(suite);
    const documented = new Set([...sources.matchAll(/https?:\/\/[^\s/]+/g)].map(([uri]) => uri));
    const site = await readSite(suite);
    const own = [...`${site.sources ?? ""}${site.conf ?? ""}`.matchAll(/https?:\/\/[^\s/"]+/g)].map(([uri]) => uri);
    const foreign = own.filter((uri) => !documented.has(uri));
    const history = (await attempt(engine.client, ["history", "--no-trunc", imageOf(variant)])).stdout;
    for (const uri of own) expect(history).not.toContain(uri);
    for (const uri of foreign)
      expect(await inside(variant, `grep -rlIF '${uri}' /etc /usr/share /var /opt /home /root`)).toBe("");
  });

  it("lets APT install more on top of it", async () => {
    expect(await inside(variant, "dpkg --audit; apt-get check -qq && echo consistent")).toBe("consistent");
  });

  it("is at most 475 MB on a base of at most 85 MB", async () => {
    expect((await inspect(imageOf(variant))).Size).toBeLessThanOrEqual(475e6);
    expect((await inspect(base)).Size).toBeLessThanOrEqual(85e6);
  });

  it("is built with the same layers by a plain docker build of the rendered folder, without Node", async () => {
    const folder = fileURLToPath(new URL(`../dist/${variant}`, import.meta.url));
    const tag = `strata-test/plain:${variant}`;
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: process.env.HOME ?? "/", ...engine.env };
    const built = await attempt(engine.client, ["build", "--tag", tag, folder], { env, extendEnv: false });
    try {
      expect(built.reason).toBe("");
      // Compiled components may be missing in one of them: sources reach strata image otherwise than a plain build. And an
      // engine that made a layer twice, as --no-cache does, may take either.
      expect(await instructions(tag)).toEqual(await instructions(imageOf(variant)));
      const archives = (await readdir(join(folder, "fragments"))).filter((name) => name.endsWith(".tar")).length;
      const [plain, own] = [await inspect(tag), await inspect(imageOf(variant))];
      expect(archives).toBeGreaterThan(2);
      expect(plain.RootFS.Layers.slice(-archives)).toEqual(own.RootFS.Layers.slice(-archives));
    } finally {
      await attempt(engine.client, ["rmi", tag]);
    }
  });

  it("gives every file of ours the mode that its fragment says, whatever the checkout's umask", async () => {
    const modes = await inside(variant, "find /opt/container -type f -printf '%m %p\\n'");
    for (const line of modes.split("\n")) expect(line).toMatch(/\.sh$|\/bin\/[^/]+$/.test(line) ? /^755 / : /^644 /);
  });

  it("runs no process as root", async () => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: "secret" } });
    await container.version("secret");
    const { stdout } = await attempt(engine.client, ["top", container.name, "-eo", "uid,pid,cmd"]);
    const users = stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[0]);
    expect(users.length).toBeGreaterThan(5);
    expect(new Set(users)).toEqual(new Set(["999"]));
  });
});
