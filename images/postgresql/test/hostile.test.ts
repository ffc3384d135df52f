// Hostile values in every variable: each is taken literally or refused by name. No command runs, no statement is
// injected. A file and a table are the canaries: every value tries to make them.
import { describe, expect, it } from "vitest";
import { Container, type Given, VARIANTS } from "./container.js";
import { contract, type Declared } from "./contract.js";
import { ALL, brief, CONTROLS, LARGE, LINES } from "./hostile.js";
import { DATA, Folder, IN_MEMORY, inTurns } from "./support.js";

const WIDTH = 2;
const SEED = Number(process.env.STRATA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const env = { POSTGRES_PASSWORD: "x" };

/** How a start ended: its code and log, or running and healthy. */
interface Taken {
  readonly code: number | undefined;
  readonly logs: string;
}

/** Starts, waits for an end or a healthy server, looks at it, and makes sure that no canary is there. */
async function start(
  variant: string,
  given: Given,
  look?: (container: Container) => Promise<void>,
  names = given.env,
): Promise<Taken> {
  const options = [...IN_MEMORY, ...(given.options ?? [])];
  await using container = await Container.start(variant, { ...given, options });
  const code = await container.settled(120);
  if (code === undefined) {
    await look?.(container);
    const user = names?.POSTGRES_USER ?? "postgres";
    const tables = "select count(*) from pg_class where relname = 'pwned'";
    for (const database of new Set(["postgres", "template1", names?.POSTGRES_DB ?? user])) {
      const answer = await psql(container, { PGUSER: user, PGDATABASE: database }, tables);
      expect(answer, `tables in ${brief(database)}`).toBe("0");
    }
  }
  const changed = (await container.docker("diff")).stdout;
  expect(changed).not.toContain("pwned");
  return { code, logs: await container.logs() };
}

/**
 * Runs the entrypoint once more in a container that does nothing, for what is to be refused before anything is made; a
 * container for each of them would take much longer. One at a time: they are about the same folder for data.
 */
async function attemptIn(idle: Container, given: Readonly<Record<string, string>>): Promise<Taken> {
  const options = Object.entries(given).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const run = 'timeout 50 /opt/container/entrypoint.sh postgres 2>&1; echo "ended $?"';
  const { stdout, reason } = await idle.execWith(options, "bash", "-c", run);
  const [, logs, code] = /^(.*)ended (\d+)\n?$/s.exec(stdout) ?? [];
  return { code: code === undefined ? undefined : Number(code), logs: logs ?? reason };
}

/** Does something with a container that does nothing, and expects no canary in it afterwards. */
async function idly(variant: string, work: (idle: Container) => Promise<void>): Promise<void> {
  await using idle = await Container.start(variant, { command: ["sleep", "infinity"] });
  await work(idle);
  expect((await idle.docker("diff")).stdout).not.toContain("pwned");
  expect((await idle.exec("ls", "-A", DATA)).stdout).toBe("");
}

/** Asks the server with libpq's variables: no word of the command line could be taken for something else. */
async function psql(container: Container, variables: Record<string, string>, statement: string): Promise<string> {
  const options = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const answer = await container.execWith(options, "psql", "-XAtq", "-c", statement);
  return answer.ok ? answer.stdout.replace(/\n$/, "") : answer.stderr;
}

/** Expects that a client gets in with these over TCP, with no other password, and finds nothing in the database. */
async function knows(container: Container, user: string, database: string, password: string): Promise<void> {
  const { stdout } = await container.exec("hostname", "-i");
  const client = { PGHOST: stdout.trim(), PGUSER: user, PGDATABASE: database, PGPASSWORD: password };
  const who = await psql(
    container,
    client,
    "select json_build_array(current_user, current_database(), (select count(*) from pg_tables where schemaname = 'public'))",
  );
  expect(JSON.parse(who)).toEqual([user, database, 0]);
  const wrong = await psql(container, { ...client, PGPASSWORD: "wrong" }, "select 1");
  expect(wrong).toContain("password authentication failed");
}

/** Expects a refusal that names all of the variables, in lines that begin as ours, the server's and initdb's do. */
function refused(
  { code, logs }: Taken,
  names: readonly string[],
  what: string,
  codes: readonly number[] = [2],
  most = 64_000,
): void {
  expect(codes, `${what} ended with ${code ?? "a server that runs"}\n${logs.slice(0, 4_000)}`).toContain(code);
  const said = logs.split("\n").filter((line) => / (ERROR|WARN) /.test(line));
  for (const name of names) expect(said.join("\n"), what).toContain(name);
  for (const line of logs.split("\n").filter(Boolean))
    expect(line, what).toMatch(/^(\d{4}-\d\d-\d\d|initdb: |[A-Za-z_]+=)/);
  expect(logs.length, what).toBeLessThan(most);
}

/** Every second text: the other variant has the others. */
const half = <T>(texts: readonly T[], variant: string): T[] =>
  texts.filter((_, index) => index % 2 === VARIANTS.findIndex((one) => one.variant === variant));

/** Every second one of those, where each is a whole first start: a run of another seed has the others. */
const quarter = <T>(texts: readonly T[], variant: string): T[] =>
  half(texts, variant).filter((_, index) => index % 2 === SEED % 2);

describe.each(VARIANTS)("hostile values given to $variant", ({ variant }) => {
  let count = 0;

  it("are literally the user, the database and the password, by variable and by file", async () => {
    // Names of more than one line too; what PostgreSQL takes for a name it gets.
    const texts = half([...LINES, ...CONTROLS], variant);
    await inTurns([...texts.keys()], WIDTH, async (index) => {
      const byFile = index % 2 === 1;
      const pick = (shift: number): string => {
        const text = texts[(index + shift) % texts.length]!;
        // The line breaks at a file's end belong to the file.
        return byFile ? text.replace(/\n+$/, "") : text;
      };
      const given = { POSTGRES_USER: pick(0), POSTGRES_DB: pick(5), POSTGRES_PASSWORD: pick(11) };
      await using folder = await Folder.with(byFile ? given : {});
      const names = Object.keys(given);
      const taken = await start(
        variant,
        {
          env: byFile ? Object.fromEntries(names.map((name) => [`${name}_FILE`, `/secrets/${name}`])) : given,
          options: folder.at("/secrets"),
        },
        (container) => knows(container, given.POSTGRES_USER, given.POSTGRES_DB, given.POSTGRES_PASSWORD),
        given,
      );
      expect(taken.code, `${JSON.stringify(given)}\n${taken.logs}`).toBeUndefined();
      count += names.length;
    });
  }, 600_000);

  it("are refused by name where no name can be so long, and are a password of any length", async () => {
    await idly(variant, async (idle) => {
      for (const text of LARGE) {
        const given = { POSTGRES_USER: text, POSTGRES_DB: text };
        refused(await attemptIn(idle, { ...env, ...given }), Object.keys(given), brief(text));
        count += 2;
      }
    });
    await inTurns(LARGE, WIDTH, async (text) => {
      // Whatever the server does not take has to be refused by name.
      const taken = await start(variant, { env: { POSTGRES_PASSWORD: text } }, (container) =>
        knows(container, "postgres", "postgres", text),
      );
      if (taken.code !== undefined) refused(taken, ["POSTGRES_PASSWORD"], brief(text));
      count += 1;
    });
  }, 600_000);

  it("are literally the values of server parameters, in the environment and on the command line", async () => {
    const texts = [...LINES, ...CONTROLS.slice(3), ...LARGE];
    const byName = Object.fromEntries(texts.map((text, index) => [`POSTGRESQL_APP__T${index}`, text]));
    const commands = half(LINES, variant);
    const given = {
      env: { ...env, ...byName, POSTGRESQL_RESTORE_COMMAND: LINES[0]!, POSTGRESQL_CLUSTER_NAME: LINES[4]! },
      command: ["postgres", ...commands.flatMap((text, index) => ["-c", `app.c${index}=${text}`])],
    };
    const taken = await start(variant, given, async (container) => {
      const names = [...texts.map((_, index) => `app.t${index}`), ...commands.map((_, index) => `app.c${index}`)];
      const list = [...names, "restore_command", "cluster_name"].map((name) => `current_setting('${name}')`).join(", ");
      const answer = await container.sql(`select json_build_array(${list})`);
      const expected = [...texts, ...commands, LINES[0], LINES[4]];
      for (const [index, value] of (JSON.parse(answer) as string[]).entries()) expect(value).toBe(expected[index]);
    });
    expect(taken.code, taken.logs.slice(-4_000)).toBeUndefined();
    count += texts.length + commands.length + 2;
  }, 600_000);

  it("are refused by name in parameters that take something else, and in names", async () => {
    const parameters = ["WORK_MEM", "MAX_CONNECTIONS", "WAL_LEVEL", "LOG_STATEMENT", "FSYNC"];
    const names = parameters.map((name) => `POSTGRESQL_${name}`);
    await idly(variant, async (idle) => {
      await inTurns(half(ALL, variant), 1, async (text) => {
        const given = Object.fromEntries(names.map((name) => [name, text]));
        refused(await attemptIn(idle, { ...env, ...given }), names, brief(text));
        count += names.length;
      });
    });
    const odd = ["A B", "A-B", "$(touch /tmp/pwned)", "a[$(touch /tmp/pwned)]", `x"; --`, "x'y", "ü", "__", "a__b__c"];
    const given = Object.fromEntries(odd.map((name) => [`POSTGRESQL_${name}`, "1"]));
    const taken = await start(variant, { env: { ...env, ...given } });
    expect(taken.code, taken.logs).toBe(2);
    expect(taken.logs).toContain("POSTGRESQL_A-B");
    expect(taken.logs).toContain("POSTGRESQL_a[$(touch /tmp/pwned)]");
    count += odd.length;
  }, 600_000);

  it("are refused by name in every variable that has a type, and as the path of a file that holds a value", async () => {
    const typed = contract(variant).filter(({ type }: Declared) => type !== "string");
    const takers = contract(variant).filter(({ secret, file }) => secret || file);
    expect(typed.length).toBeGreaterThan(5);
    expect(takers.length).toBeGreaterThan(5);
    const names = [...typed.map(({ name }) => name), ...takers.map(({ name }) => `${name}_FILE`)];
    await idly(variant, async (idle) => {
      await inTurns(half(ALL, variant), 1, async (text) => {
        // A process can be given two megabytes in all.
        const width = text.length > 1_000 ? 12 : names.length;
        for (let from = 0; from < names.length; from += width) {
          const some = names.slice(from, from + width);
          const given = Object.fromEntries(some.map((name) => [name, text]));
          refused(await attemptIn(idle, given), some, brief(text));
          count += some.length;
        }
      });
    });
  }, 600_000);

  it("are literally folders, or refused by name", async () => {
    const names = quarter(
      LINES.filter((text) => !text.includes("/")),
      variant,
    );
    await inTurns([...names.keys()], WIDTH, async (index) => {
      const pick = (shift: number): string => names[(index + shift) % names.length]!;
      const given = {
        PGDATA: `${DATA}/${pick(0)}`,
        POSTGRES_INITDB_WALDIR: `${DATA}/wal ${pick(3)}`,
        PGCONFIG: `/tmp/${pick(5)}`,
      };
      const taken = await start(variant, { env: { ...env, ...given } }, async (container) => {
        expect(await psql(container, { PGUSER: "postgres" }, "show data_directory")).toBe(given.PGDATA);
        const { stdout } = await container.exec("readlink", `${given.PGDATA}/pg_wal`);
        expect(stdout.replace(/\n$/, "")).toBe(given.POSTGRES_INITDB_WALDIR);
      });
      if (taken.code !== undefined) expect(taken.logs).toMatch(/ERROR .*(PGDATA|POSTGRES_INITDB_WALDIR|PGCONFIG)/);
      count += 3;
    });
    await idly(variant, async (idle) => {
      await inTurns(half(LINES, variant), 1, async (text) => {
        for (const name of ["POSTGRES_TLS_CERT", "POSTGRES_TLS_KEY", "POSTGRES_TLS_CA"]) {
          // One of a pair is looked at when there is the other.
          const pair = { POSTGRES_TLS_CERT: "/etc/passwd", POSTGRES_TLS_KEY: "/etc/passwd" };
          const more = name === "POSTGRES_TLS_CA" ? {} : pair;
          refused(await attemptIn(idle, { ...env, ...more, [name]: `/tmp/${text}` }), [name], brief(text));
          count += 1;
        }
      });
    });
  }, 600_000);

  it("let nobody in through lines of pg_hba and the method, and are refused by name", async () => {
    const rules = "select auth_method from pg_hba_file_rules where address = 'all'";
    const texts = [...half(LINES, variant), ...CONTROLS, LARGE[1]!];
    await inTurns(quarter([...LINES, ...CONTROLS, LARGE[1]!], variant), WIDTH, async (text) => {
      const taken = await start(variant, { env: { ...env, POSTGRES_HBA: text } }, async (container) => {
        expect(await container.sql(rules), brief(text)).toBe("scram-sha-256");
      });
      if (taken.code !== undefined) refused(taken, ["POSTGRES_HBA"], brief(text));
      count += 1;
    });
    await idly(variant, async (idle) => {
      await inTurns([...texts, "scram-sha-256\nhost all all all trust"], 1, async (text) => {
        const name = "POSTGRES_HOST_AUTH_METHOD";
        refused(await attemptIn(idle, { ...env, [name]: text }), [name], brief(text));
        count += 1;
      });
    });
  }, 600_000);

  it("are refused by name in pgBackRest's options", async () => {
    await idly(variant, async (idle) => {
      await inTurns([...half(LINES, variant), ...CONTROLS, LARGE[1]!], 1, async (text) => {
        const on = { ...env, PGBACKREST_ENABLE: "true" };
        const stanza = await attemptIn(idle, { ...on, PGBACKREST_STANZA: text, PGBACKREST_COMPRESS_LEVEL: "much" });
        // Some texts are names that pgBackRest takes; none is a number.
        const name = /^[\w.-]+$/.test(text) ? "PGBACKREST_COMPRESS_LEVEL" : "PGBACKREST_STANZA";
        refused(stanza, [name], brief(text));
        const level = await attemptIn(idle, { ...on, PGBACKREST_COMPRESS_LEVEL: text, PGBACKREST_REPO1_HOST: text });
        refused(level, ["PGBACKREST_COMPRESS_LEVEL"], brief(text));
        count += 3;
      });
    });
  }, 600_000);

  it("are words for initdb and no more, or refused by name", async () => {
    await inTurns(quarter(ALL, variant), WIDTH, async (text) => {
      const taken = await start(variant, { env: { ...env, POSTGRES_INITDB_ARGS: text } });
      if (taken.code !== undefined) refused(taken, ["POSTGRES_INITDB_ARGS"], brief(text), [1, 2], 160_000);
      count += 1;
    });
  }, 600_000);

  it("are two hundred and more", () => {
    process.stdout.write(
      `${variant}: ${count} hostile values (STRATA_TEST_SEED=${SEED}), each taken literally or refused by name\n`,
    );
    expect(count).toBeGreaterThanOrEqual(200);
  });
});
