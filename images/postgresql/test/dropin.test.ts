import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";
import { DATA, Folder, inside, SCRIPTS, Volume } from "./support.js";

const env = { POSTGRES_PASSWORD: "x" };
const PEERS = ["POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"] as const;

describe.each(VARIANTS)("$variant as a drop-in for the official image", ({ variant, major }) => {
  it("runs init scripts of every kind in name order, and ignores other files", async () => {
    const note = (name: string): string => `insert into seen (script) values ('${name}');\n`;
    const made = "create table seen (number serial, script text, by text default current_user);\n";
    await using folder = await Folder.with({
      "10.sql": made + note("10.sql"),
      "20.sh": {
        text: `#!/bin/bash\nset -e\npsql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<< "${note("20.sh")}"\n`,
        mode: 0o755,
      },
      "30.sh": `sourced=yes\n"\${psql[@]}" <<< "" 2>/dev/null || :\ndocker_process_sql <<< "${note("30.sh")}"\n`,
      "40.sql": note("40.sql.gz"),
      "50.sql": note("50.sql.xz"),
      "60.sql": note("60.sql.zst"),
      "70.txt": "not SQL",
      "80 with a space.sql": note("80 with a space.sql"),
    });
    const pack = "gzip 40.sql; xz 50.sql; zstd --quiet --rm 60.sql; chmod 644 *.sql.*";
    await inside(variant, `cd /packed; ${pack}`, folder.at("/packed", "rw"));
    await using container = await Container.start(variant, {
      env: { ...env, POSTGRES_USER: "clerk", POSTGRES_DB: "shop" },
      options: folder.at(SCRIPTS),
    });
    await container.version("x", "clerk", "shop");
    expect(await container.sql("select script, by from seen order by number", "clerk", "shop")).toBe(
      ["10.sql", "20.sh", "30.sh", "40.sql.gz", "50.sql.xz", "60.sql.zst", "80 with a space.sql"]
        .map((name) => `${name}|clerk`)
        .join("\n"),
    );
    expect(await container.logs()).toMatch(/ignoring .*70\.txt/);
  });

  it("reads the password, the user, the database and initdb's arguments from files", async () => {
    await using folder = await Folder.with({
      password: "from a file\n",
      user: "clerk",
      database: "shop\n",
      initdb: "--data-checksums --encoding=SQL_ASCII '--lc-collate=C' --lc-ctype=C",
    });
    await using container = await Container.start(variant, {
      env: {
        POSTGRES_PASSWORD_FILE: "/secrets/password",
        POSTGRES_USER_FILE: "/secrets/user",
        POSTGRES_DB_FILE: "/secrets/database",
        POSTGRES_INITDB_ARGS_FILE: "/secrets/initdb",
      },
      options: folder.at("/secrets"),
    });
    await container.version("from a file", "clerk", "shop");
    expect(await container.sql("show data_checksums", "clerk", "shop")).toBe("on");
    expect(await container.sql("show server_encoding", "clerk", "shop")).toBe("SQL_ASCII");
  });

  it("reads a secret file that only root can read, when it is started as root", async () => {
    await using folder = await Folder.with({ password: { text: "of root\n", mode: 0o600 } });
    const file = { POSTGRES_PASSWORD_FILE: "/secrets/password" };
    await using container = await Container.start(variant, {
      env: file,
      options: ["--user", "root", ...folder.at("/secrets")],
    });
    expect(await container.version("of root")).toMatch(`PostgreSQL ${major}.`);
    const refused = await Container.run(variant, { env: file, options: folder.at("/secrets") });
    expect(refused.code).toBe(2);
    expect(refused.logs).toMatch(/POSTGRES_PASSWORD_FILE: expected a file that user 999 can read/);
  });

  it("refuses a variable and its file both set, each by name", async () => {
    const both = Object.fromEntries(
      PEERS.flatMap((name) => [name, `${name}_FILE`]).map((name) => [name, "/etc/passwd"]),
    );
    const { code, logs } = await Container.run(variant, { env: both });
    expect(code).toBe(2);
    for (const name of PEERS) expect(logs).toContain(`${name} and ${name}_FILE are both set`);
  });

  it("puts the write-ahead log where POSTGRES_INITDB_WALDIR says", async () => {
    await using volume = await Volume.make();
    await using container = await Container.start(variant, {
      env: { ...env, POSTGRES_INITDB_WALDIR: "/wal/log" },
      options: ["--user", "root", ...volume.at("/wal")],
    });
    await container.version("x");
    expect((await container.exec("readlink", `${DATA}/pg_wal`)).stdout.trim()).toBe("/wal/log");
    expect((await container.exec("ls", "/wal/log")).stdout).toMatch(/^[0-9A-F]{24}$/m);
  });

  it("lets connections in by POSTGRES_HOST_AUTH_METHOD: trust without a password and loudly, else scram", async () => {
    await using open = await Container.start(variant, { env: { POSTGRES_HOST_AUTH_METHOD: "trust" } });
    await open.version("nothing at all");
    expect(await open.logs()).toMatch(/WARN .*trust/);
    const rule = "select auth_method from pg_hba_file_rules where address = 'all'";
    expect(await open.sql(rule)).toBe("trust");
    await using closed = await Container.start(variant, { env });
    await closed.version("x");
    expect(await closed.sql(rule)).toBe("scram-sha-256");
  });

  it("takes arguments for the server in every form, options only too, and a configuration file of the user", async () => {
    await using folder = await Folder.with({ "my.conf": "work_mem = 5MB\nmaintenance_work_mem = 33MB\n" });
    await using container = await Container.start(variant, {
      env,
      options: folder.at("/etc/mine"),
      command: ["-c", "work_mem=8MB", "--log-statement=ddl", "-N", "42", "-c", "config_file=/etc/mine/my.conf"],
    });
    await container.version("x");
    expect(await container.sql("show work_mem")).toBe("8MB");
    expect(await container.sql("show maintenance_work_mem")).toBe("33MB");
    expect(await container.sql("show log_statement")).toBe("ddl");
    expect(await container.sql("show max_connections")).toBe("42");
  });

  it("runs another command as it is, with its code, and says of one that is not there", async () => {
    const run = (...command: string[]) => Container.run(variant, { command });
    const asked = await run("postgres", "--version");
    expect(asked.code).toBe(0);
    expect(asked.logs).toContain(`postgres (PostgreSQL) ${major}.`);
    const failed = await run("bash", "-c", 'echo "it is $0 $1"; exit 7', "a b", "c'd");
    expect(failed.code).toBe(7);
    expect(failed.logs).toContain("it is a b c'd");
    const unknown = await run("no-such-program");
    expect(unknown.code).toBe(127);
    expect(unknown.logs).toContain("no-such-program");
  });

  it("is found as docker-entrypoint.sh, which compose files and tools call by name", async () => {
    await using container = await Container.start(variant, {
      env,
      options: ["--entrypoint", "docker-entrypoint.sh"],
      command: ["postgres"],
    });
    expect(await container.version("x")).toMatch(`PostgreSQL ${major}.`);
  });

  it("logs the ready line once on a later start, after saying that initialization is skipped", async () => {
    await using volume = await Volume.make();
    await using first = await Container.start(variant, { env, options: volume.at() });
    await first.version("x");
    await first.docker("stop");
    await using later = await Container.start(variant, { options: volume.at() });
    await later.version("x");
    const logs = await later.logs();
    expect(logs).toContain("PostgreSQL Database directory appears to contain a database; Skipping initialization");
    expect(logs.match(/database system is ready to accept connections/g)).toHaveLength(1);
  });

  it("adopts a cluster that plain initdb made, whoever owns it in SQL, with every file of the user kept", async () => {
    await using volume = await Volume.make();
    const data = "/var/lib/postgresql/data/pgdata";
    await inside(
      variant,
      `cd /tmp; export PATH=/usr/lib/postgresql/${major}/bin:$PATH
      printf 'a password' >pw
      chown 999 pw
      setpriv --reuid=999 --regid=999 --clear-groups initdb -D ${data} -U clerk --pwfile=pw --waldir=/var/lib/postgresql/data/wal >/dev/null
      printf 'host all all all scram-sha-256\\n' >>${data}/pg_hba.conf
      printf "work_mem = '7MB'\\n" >>${data}/postgresql.conf`,
      volume.at(),
    );
    const sums = () => inside(variant, `cd ${data}; sha256sum postgresql.conf pg_hba.conf pg_ident.conf`, volume.at());
    const before = await sums();
    await using container = await Container.start(variant, {
      env: {
        PGDATA: data,
        POSTGRES_USER: "clerk",
        POSTGRESQL_MAX_CONNECTIONS: "33",
        POSTGRES_HBA: "local all nobody reject",
      },
      options: volume.at(),
    });
    expect(await container.version("a password", "clerk", "postgres")).toMatch(`PostgreSQL ${major}.`);
    expect(await container.sql("show work_mem", "clerk")).toBe("7MB");
    expect(await container.sql("show max_connections", "clerk")).toBe("33");
    expect(await container.logs()).toContain("Skipping initialization");
    await container.docker("stop");
    expect(await sums()).toBe(before);
  });

  it("finds and uses the predecessor's data in /usr/local/pgsql/data", async () => {
    await using volume = await Volume.make();
    const old = "/usr/local/pgsql/data";
    await inside(
      variant,
      `cd /tmp; export PATH=/usr/lib/postgresql/${major}/bin:$PATH
      chown 999 ${old}
      setpriv --reuid=999 --regid=999 --clear-groups initdb -D ${old} -U postgres >/dev/null`,
      volume.at(old),
    );
    await using container = await Container.start(variant, { options: volume.at(old) });
    await container.healthy();
    expect(await container.sql("show data_directory")).toBe(old);
    const logs = await container.logs();
    expect(logs).toContain("Skipping initialization");
    expect(logs).toContain(old);
    expect((await container.exec("ls", "-A", DATA)).stdout.trim()).toBe("");
  });
});
