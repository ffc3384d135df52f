import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";
import { freePort, S3, Silence } from "./pgbackrest/s3.js";
import { Folder, inside, Volume } from "./support.js";

const REPOSITORY = "/var/lib/pgbackrest";
/** Makes the repository root's; something has to lie in it, or the engine gives the volume the image's owner again. */
const closed = `touch ${REPOSITORY}/kept; chown 0:0 ${REPOSITORY}; chmod 755 ${REPOSITORY}`;
const password = { POSTGRES_PASSWORD: "pw" };

/** Everything of a container in which a secret could show: log, processes and their arguments, the server's environment. */
async function visible(container: Container): Promise<string> {
  const look = `for folder in /proc/[0-9]*; do
      if [[ $folder == /proc/$$ || $folder == /proc/1 ]]; then continue; fi
      tr '\\0' ' ' <"$folder/cmdline"; echo
      case $(<"$folder/comm") in postgres*) tr '\\0' ' ' <"$folder/environ"; echo ;; esac
    done 2>/dev/null
    psql -XAtqU postgres -c "select name, setting from pg_settings"`;
  const seen = await container.exec("bash", "-c", look);
  expect(seen.stdout, seen.stderr).toContain("archive_command");
  return `${seen.stdout}\n${await container.logs()}`;
}

/** Makes a table, has its segment archived, and gives the segment's name. */
async function archiveSegment(container: Container): Promise<string> {
  await container.sql("create table kept as select generate_series(1, 1000) as number");
  const segment = await container.sql("select pg_walfile_name(pg_switch_wal())");
  await container.until(
    `segment ${segment} in the archive`,
    async () =>
      (await container.sql(`select last_archived_wal >= '${segment}' from pg_stat_archiver`)) === "t" || undefined,
  );
  return segment;
}

/** Restores into a new volume as a plain command of the image, and expects the data there once it is started. */
async function restore(
  variant: string,
  given: { env: Record<string, string>; options: string[] },
  rows: string,
): Promise<void> {
  await using data = await Volume.make();
  const options = [...given.options, ...data.at()];
  const restored = await Container.run(variant, { ...given, options, command: ["pgbackrest", "restore"] }, 120);
  expect(restored.code, restored.logs).toBe(0);
  await using container = await Container.start(variant, { ...given, options });
  await container.logged(/archiving works:/, 120);
  expect(await container.sql("select count(*) from kept")).toBe(rows);
  expect(await container.sql("select pg_is_in_recovery()")).toBe("f");
}

describe.each(VARIANTS)("archiving with pgBackRest, $variant", ({ variant }) => {
  it("does nothing unless it is asked for", async () => {
    await using container = await Container.start(variant, { env: { ...password, PGBACKREST_STANZA: "other" } });
    await container.healthy();
    expect(await container.sql("show archive_mode")).toBe("off");
    expect((await container.exec("bash", "-c", "ls /run/container /tmp")).stdout).not.toContain("pgbackrest");
  });

  it("archives to a local repository from the first start, backs up, and restores into a new volume", async () => {
    const secret = `pass ${randomBytes(12).toString("hex")} $(touch /tmp/pwned) 'x"=#;`;
    await using repository = await Volume.make();
    await using secrets = await Folder.with({ pass: { text: `${secret}\n`, mode: 0o644 } });
    const env = {
      ...password,
      PGBACKREST_ENABLE: "yes",
      PGBACKREST_STANZA: "shop.eu-1",
      PGBACKREST_REPO1_CIPHER_TYPE: "aes-256-cbc",
      PGBACKREST_REPO1_CIPHER_PASS_FILE: "/secrets/pass",
      PGBACKREST_REPO1_RETENTION_FULL: "2",
      PGBACKREST_START_FAST: "true",
      PGBACKREST_RETENTION_FOREVER: "1",
    };
    const options = [...repository.at(REPOSITORY), ...secrets.at("/secrets")];
    {
      await using container = await Container.start(variant, { env, options });
      const log = await container.logged(/archiving works:/);
      expect(log).toContain("made the stanza shop.eu-1");
      expect(log).toContain("PGBACKREST_RETENTION_FOREVER: expected an option of pgBackRest");
      expect(log).not.toContain("archive command failed");
      expect(await container.sql("show archive_mode")).toBe("on");
      expect(await container.sql("show wal_level")).toBe("replica");

      const segment = await archiveSegment(container);
      const backup = await container.exec("pgbackrest", "--type=full", "backup");
      expect(backup.ok, backup.stdout + backup.stderr).toBe(true);
      await container.sql("insert into kept values (0)");
      await container.sql("select pg_switch_wal()");

      const info = await container.execWith(["--user", "root"], "pgbackrest", "--output=json", "info");
      const [stanza] = JSON.parse(info.stdout);
      expect(stanza).toMatchObject({ name: "shop.eu-1", cipher: "aes-256-cbc", status: { code: 0 } });
      expect(stanza.backup).toHaveLength(1);
      expect(stanza.archive[0].max >= segment).toBe(true);
      const foreign = await container.execWith(
        ["--user", "root"],
        "find",
        REPOSITORY,
        "/run/container",
        "!",
        "-user",
        "999",
      );
      expect(foreign.stdout).toBe("");

      const modes = await container.exec("bash", "-c", "stat -c '%a %U' /run/container/pgbackrest*");
      expect(modes.stdout.trim()).toBe("600 postgres");
      expect((await container.exec("cat", "/run/container/pgbackrest.conf")).stdout).toContain(secret);
      expect((await container.execWith(["--user", "12345"], "cat", "/run/container/pgbackrest.conf")).ok).toBe(false);
      expect(await visible(container)).not.toContain(secret.slice(5, 29));
      expect((await container.exec("ls", "/tmp")).stdout).not.toContain("pwned");
      expect((await container.docker("stop")).ok).toBe(true);
      expect((await container.state()).ExitCode).toBe(0);
    }
    await restore(variant, { env, options }, "1001");
  }, 180_000);

  it("archives to S3 over verified TLS, backs up, restores, and keeps the keys to itself", async () => {
    await using s3 = await S3.start(variant);
    const env = {
      ...password,
      ...s3.env,
      BACKUP_ENABLED: "true",
      PGBACKREST_REPO1_S3_KEY: s3.accessKey,
      PGBACKREST_REPO1_S3_KEY_SECRET: s3.secretKey,
      PGBACKREST_START_FAST: "y",
      PGPORT: String(await freePort()),
    };
    const options = [...s3.network, ...s3.authority.at("/authority")];
    {
      await using container = await Container.start(variant, { env, options });
      const log = await container.logged(/archiving works:/);
      expect(log).toContain("made the stanza main");
      const segment = await archiveSegment(container);
      const backup = await container.exec("pgbackrest", "backup");
      expect(backup.ok, backup.stdout + backup.stderr).toBe(true);
      const objects = await s3.objects();
      expect(objects.some((name) => name.includes(`repository/archive/main`) && name.includes(segment))).toBe(true);
      expect(objects.some((name) => name.includes("backup.manifest"))).toBe(true);
      const seen = await visible(container);
      expect(seen).not.toContain(s3.secretKey);
      expect(seen).not.toContain(s3.accessKey);
      expect((await container.docker("stop")).ok).toBe(true);
    }
    await restore(variant, { env, options }, "1000");
  }, 180_000);

  it("refuses settings that cannot work, all at once and by name, before a database is made", async () => {
    await using data = await Volume.make();
    const { code, logs } = await Container.run(variant, {
      env: {
        ...password,
        PGBACKREST_ENABLE: "true",
        PGBACKREST_STANZA: "a'; touch /tmp/x; '",
        PGBACKREST_REPO1_TYPE: "s3",
        PGBACKREST_REPO1_S3_ENDPOINT: "two\nlines",
        PGBACKREST_COMPRESS_LEVEL: "much",
        PGBACKREST_REPO1_RETENTION_FULL: "some",
        PGBACKREST_CONFIG: "/etc/x",
      },
      options: data.at(),
    });
    expect(code, logs).toBe(2);
    for (const name of [
      "STANZA",
      "REPO1_S3_ENDPOINT",
      "REPO1_S3_BUCKET",
      "REPO1_S3_REGION",
      "REPO1_S3_KEY",
      "REPO1_S3_KEY_SECRET",
      "COMPRESS_LEVEL",
      "REPO1_RETENTION_FULL",
      "CONFIG",
    ])
      expect(logs).toContain(`PGBACKREST_${name}: expected`);
    expect(await inside(variant, "ls -A /var/lib/postgresql/data", data.at())).toBe("");
  });

  it("refuses a repository that it cannot write before a database is made", async () => {
    await using repository = await Volume.make();
    await inside(variant, closed, repository.at(REPOSITORY));
    const { code, logs } = await Container.run(variant, {
      env: { ...password, PGBACKREST_ENABLE: "true" },
      options: repository.at(REPOSITORY),
    });
    expect(code, logs).toBe(3);
    expect(logs).toContain(`'${REPOSITORY}', which it cannot`);
  });

  it("serves a database that is there though its repository fails, says so, and archives once that works", async () => {
    await using data = await Volume.make();
    await using repository = await Volume.make();
    {
      await using first = await Container.start(variant, { env: password, options: data.at() });
      await first.healthy();
      await first.docker("stop");
    }
    await inside(variant, closed, repository.at(REPOSITORY));
    await using container = await Container.start(variant, {
      env: { ...password, PGBACKREST_ENABLE: "true" },
      options: [...data.at(), ...repository.at(REPOSITORY)],
    });
    const log = await container.logged(/archiving: expected making or finding the stanza main to succeed/);
    expect(log).toContain("Permission denied");
    await container.healthy();
    await container.execWith(["--user", "root"], "chown", "999:999", REPOSITORY);
    await container.logged(/archiving works:/, 120);
    await archiveSegment(container);
  }, 240_000);

  it("stops in half of TIMEOUT though its repository hangs, and needs no recovery afterwards", async () => {
    await using data = await Volume.make();
    await using silence = await Silence.open();
    {
      await using first = await Container.start(variant, { env: password, options: data.at() });
      await first.healthy();
      await first.docker("stop");
    }
    await using container = await Container.start(variant, {
      env: {
        ...password,
        BACKUP_ENABLED: "true",
        TIMEOUT: "16",
        PGPORT: String(await freePort()),
        PGBACKREST_REPO1_TYPE: "s3",
        PGBACKREST_REPO1_S3_BUCKET: "b",
        PGBACKREST_REPO1_S3_ENDPOINT: "127.0.0.1",
        PGBACKREST_REPO1_S3_REGION: "r",
        PGBACKREST_REPO1_S3_URI_STYLE: "path",
        PGBACKREST_REPO1_S3_KEY: "k",
        PGBACKREST_REPO1_S3_KEY_SECRET: "s",
        PGBACKREST_REPO1_STORAGE_PORT: String(silence.port),
      },
      options: ["--network", "host", ...data.at()],
    });
    await container.until("an answer", async () => (await container.exec("pg_isready")).ok || undefined);
    await container.sql("select pg_switch_wal()");
    expect((await container.docker("stop", "--time", "50")).ok).toBe(true);
    expect((await container.state()).ExitCode, await container.logs()).toBe(0);
    expect(await container.logs()).toContain("broken off after 8 s");
    await container.docker("start");
    await container.until("an answer", async () => (await container.exec("pg_isready")).ok || undefined);
    expect(await container.logs()).not.toContain("not properly shut down");
  }, 180_000);
});
