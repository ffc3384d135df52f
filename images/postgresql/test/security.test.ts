import { attempt } from "@strata/engine";
import { describe, expect, it } from "vitest";
import { Container, engine, HEALTHCHECK, imageOf, VARIANTS } from "./container.js";
import { CONFIG, DATA, Folder, inside, Volume } from "./support.js";

const secret = "tr1cky $secret 'with' \"quotes\" \\ 3141592";
const env = { POSTGRES_PASSWORD: "x" };

/** A CA, a certificate for localhost with its key, and a key that belongs to another; made by the image's openssl. */
async function certificates(variant: string): Promise<Folder> {
  const folder = await Folder.with();
  await inside(
    variant,
    `cd /made
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test-ca -keyout ca.key -out ca.crt 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout tls.key -out tls.csr 2>/dev/null
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out tls.crt 2>/dev/null
    openssl genrsa -out other.key 2048 2>/dev/null
    chmod 644 *`,
    folder.at("/made", "rw"),
  );
  return folder;
}

/** What the server says of TLS to a client that checks its certificate, over TCP inside the container. */
async function encrypted(container: Container, ca: string): Promise<string> {
  const ask = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()";
  const target = `host=localhost user=postgres password=x dbname=postgres sslmode=verify-full sslrootcert=${ca}`;
  const answer = await container.exec("psql", "-XAtq", target, "-c", ask);
  return answer.ok ? answer.stdout.trim() : answer.stderr;
}

describe.each(VARIANTS)("the security of $variant", ({ variant }) => {
  it("keeps a secret out of the log, the process list, docker inspect, environments and readable files", async () => {
    await using folder = await Folder.with({ password: secret });
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD_FILE: "/secrets/password", LOG_LEVEL: "debug", POSTGRESQL_LOG_STATEMENT: "all" },
      options: [...folder.at("/secrets"), "--tmpfs", "/run"],
    });
    // The process list, again and again while the database is made.
    const lists: string[] = [];
    await container.until("a healthy answer", async () => {
      const { stdout } = await attempt(engine.client, ["top", container.name, "-eo", "pid,args"]);
      lists.push(stdout);
      if ((await container.exec(HEALTHCHECK)).ok) return true;
      if (!(await container.state()).Running) throw new Error(`it ended\n${await container.logs()}`);
      return undefined;
    });
    await container.version(secret);
    const marks = ["tr1cky", "3141592"];
    const environments = await container.exec("bash", "-c", "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'");
    const seen = {
      log: await container.logs(),
      processes: lists.join("\n"),
      inspect: (await container.docker("inspect")).stdout,
      environments: environments.stdout,
    };
    expect(seen.environments).toContain("PGDATA=");
    for (const [where, text] of Object.entries(seen)) for (const mark of marks) expect(text, where).not.toContain(mark);
    const search = "grep -rlaF 3141592 /run /tmp /var /etc /opt /usr/local /home /root 2>/dev/null || :";
    expect((await container.execWith(["--user", "0"], "bash", "-c", search)).stdout).toBe("");
  });

  it("keeps the password that a variable gives out of the server's own environment and of the image's history", async () => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: secret } });
    await container.version(secret);
    const servers = "for p in /proc/[0-9]*; do [[ $(<$p/comm) != postgres ]] || tr '\\0' '\\n' <$p/environ; done";
    const { stdout } = await container.exec("bash", "-c", `{ ${servers}; } 2>/dev/null || :`);
    expect(stdout).toContain("PGDATA=");
    expect(stdout).not.toContain("3141592");
    const history = await attempt(engine.client, ["history", "--no-trunc", imageOf(variant)]);
    expect(history.stdout).not.toMatch(/PASSWORD=\S/);
  });

  it("keeps passwords as scram-sha-256 and asks for them so, and no role has another", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    expect(
      await container.sql("select rolname, left(rolpassword, 14) from pg_authid where rolpassword is not null"),
    ).toBe("postgres|SCRAM-SHA-256$");
    expect(await container.sql("select auth_method from pg_hba_file_rules where address = 'all'")).toBe(
      "scram-sha-256",
    );
    expect(await container.sql("select rolname from pg_roles where rolcanlogin")).toBe("postgres");
  });

  it.each([
    ["the default user", []],
    ["root, which steps down", ["--user", "0"]],
    ["any other user", ["--user", "12345:0"]],
    ["another user with everything taken away", ["--user", "12345:0", "--cap-drop", "ALL", "--read-only"]],
  ])("needs no privilege as %s", async (_who, options) => {
    await using container = await Container.start(variant, {
      env,
      options: [...options, "--tmpfs", "/run", "--tmpfs", "/tmp", "--security-opt", "no-new-privileges"],
    });
    await container.version("x");
    const { stdout } = await attempt(engine.client, ["top", container.name, "-eo", "uid,pid,args"]);
    const users = new Set(
      stdout
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/)[0]),
    );
    expect([...users]).toEqual([options[1] === "12345:0" ? "12345" : "999"]);
    expect((await container.exec(HEALTHCHECK)).reason).toBe("");
    const status = await container.exec("grep", "-h", "CapEff", "/proc/1/status");
    expect(status.stdout).toMatch(/CapEff:\s+0+$/m);
  });

  it("never serves as root, even without the right to step down", async () => {
    const { code, logs } = await Container.run(variant, { env, options: ["--user", "0", "--cap-drop", "ALL"] });
    expect(code).toBe(3);
    expect(logs).toMatch(/SETUID.*--cap-add/);
  });

  it.each([
    ["the default user", []],
    ["root", ["--user", "0"]],
    ["any other user", ["--user", "12345:0"]],
  ])("speaks TLS with a mounted certificate and key that everybody could read, as %s", async (_who, options) => {
    await using made = await certificates(variant);
    await using container = await Container.start(variant, { env, options: [...options, ...made.at(`${CONFIG}/tls`)] });
    await container.version("x");
    expect(await encrypted(container, `${CONFIG}/tls/ca.crt`)).toMatch(/^t\|TLSv1\.[23]$/);
    // No copy of the key that others could read.
    const copies = await container.execWith(
      ["--user", "0"],
      "bash",
      "-c",
      `grep -rlF 'PRIVATE KEY' /run /tmp ${DATA} 2>/dev/null | xargs -r stat -c '%a %n' || :`,
    );
    for (const line of copies.stdout.split("\n").filter(Boolean)) expect(line).toMatch(/^[46]00 /);
  });

  it("takes the certificate and key from where variables say, and a private key as it is", async () => {
    await using made = await certificates(variant);
    await inside(
      variant,
      "cd /made; mv tls.crt my.crt; mv tls.key my.key; chmod 600 my.key; chown 999 my.key",
      made.at("/made", "rw"),
    );
    await using container = await Container.start(variant, {
      env: {
        ...env,
        POSTGRES_TLS_CERT: "/made/my.crt",
        POSTGRES_TLS_KEY: "/made/my.key",
        POSTGRES_TLS_CA: "/made/ca.crt",
      },
      options: made.at("/made"),
    });
    await container.version("x");
    expect(await encrypted(container, "/made/ca.crt")).toMatch(/^t\|/);
    expect(await container.sql("show ssl_key_file")).toBe("/made/my.key");
    expect(await container.sql("show ssl_ca_file")).not.toBe("");
  });

  it("refuses a key that is not the certificate's, half a pair, and what is none, by name", async () => {
    await using made = await certificates(variant);
    const pair = { POSTGRES_TLS_CERT: "/made/tls.crt", POSTGRES_TLS_KEY: "/made/tls.key" };
    const cases: [Record<string, string>, RegExp][] = [
      [{ ...pair, POSTGRES_TLS_KEY: "/made/other.key" }, /POSTGRES_TLS_KEY/],
      [{ POSTGRES_TLS_CERT: pair.POSTGRES_TLS_CERT }, /POSTGRES_TLS_KEY/],
      [{ POSTGRES_TLS_KEY: pair.POSTGRES_TLS_KEY }, /POSTGRES_TLS_CERT/],
      [{ ...pair, POSTGRES_TLS_CERT: "/made/none.crt" }, /POSTGRES_TLS_CERT/],
      [{ ...pair, POSTGRES_TLS_KEY: "/made/tls.csr" }, /POSTGRES_TLS_KEY/],
    ];
    for (const [given, named] of cases) {
      const { code, logs } = await Container.run(variant, { env: { ...env, ...given }, options: made.at("/made") });
      expect(code, logs).toBe(2);
      expect(logs).toMatch(named);
      expect(logs).not.toContain("starting PostgreSQL");
    }
  });

  it("says what to do about a key that it cannot read", async () => {
    await using made = await certificates(variant);
    await inside(variant, "chmod 600 /made/tls.key", made.at("/made", "rw"));
    const { code, logs } = await Container.run(variant, { env, options: made.at(`${CONFIG}/tls`) });
    expect([2, 3], logs).toContain(code);
    expect(logs).toMatch(/tls\.key/);
    expect(logs).toMatch(/chmod|chown|mode|root/);
  });

  it("changes the password to the secret's at the next start, only if it is asked to, printing neither", async () => {
    await using volume = await Volume.make();
    await using folder = await Folder.with({ password: "the old one" });
    const start = (given: Record<string, string> = {}) =>
      Container.start(variant, {
        env: { POSTGRES_PASSWORD_FILE: "/secrets/password", POSTGRES_USER: "clerk", LOG_LEVEL: "debug", ...given },
        options: [...volume.at(), ...folder.at("/secrets")],
      });
    await using first = await start({ POSTGRESQL_LOG_STATEMENT: "all" });
    await first.version("the old one", "clerk");
    await first.docker("stop");

    const changed = "new 'one' \\ $HOME \"2718\"";
    await folder.write("password", changed);
    await using second = await start();
    await second.version("the old one", "clerk");
    await second.docker("stop");

    const reconcile = { POSTGRES_PASSWORD_RECONCILE: "true", POSTGRESQL_LOG_STATEMENT: "all" };
    await using third = await start(reconcile);
    await third.healthy();
    await third.until("the new password", async () =>
      third.version(changed, "clerk").catch((error: Error) => {
        if (/password authentication failed/.test(error.message)) return undefined;
        throw error;
      }),
    );
    await expect(third.version("the old one", "clerk")).rejects.toThrow(/password authentication failed/);
    const logs = await third.logs();
    expect(logs).not.toContain("2718");
    expect(logs).not.toContain("the old one");
    expect(logs).not.toContain("SCRAM-SHA-256$");
    await third.docker("stop");

    await using fourth = await start(reconcile);
    await fourth.version(changed, "clerk");
  });
});
