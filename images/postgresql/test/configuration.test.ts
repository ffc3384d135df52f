import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";
import { CONFIG, DATA, Folder, inside, listing, Volume } from "./support.js";

const env = { POSTGRES_PASSWORD: "x" };

/** Settings of a running server by name. */
async function show(container: Container, ...names: string[]): Promise<string[]> {
  const list = names.map((name) => `current_setting('${name}')`).join(" || '|' || ");
  return (await container.sql(`select ${list}`)).split("|");
}

describe.each(VARIANTS)("the configuration of $variant", ({ variant }) => {
  it("takes defaults, then files, then the environment, then the command line", async () => {
    await using folder = await Folder.with({
      "10-first.conf": "work_mem = 11MB\nmaintenance_work_mem = 41MB\ntemp_buffers = 9MB\neffective_cache_size = 1GB\n",
      "20-later.conf": "work_mem = 12MB\nlog_min_duration_statement = 77\n",
      "ignored.txt": "this is no configuration",
    });
    await using container = await Container.start(variant, {
      env: {
        ...env,
        POSTGRESQL_MAINTENANCE_WORK_MEM: "42MB",
        POSTGRESQL_TEMP_BUFFERS: "10MB",
        POSTGRESQL_MAX_CONNECTIONS: "43",
        POSTGRESQL_LOG_STATEMENT: "ddl",
        POSTGRESQL_LOG_DURATION: "on",
        POSTGRESQL_LISTEN_ADDRESSES: "0.0.0.0",
        POSTGRESQL_SHARED_PRELOAD_LIBRARIES: "pg_stat_statements",
        POSTGRESQL_PG_STAT_STATEMENTS__MAX: "1234",
        ARCHIVE_TIMEOUT: "61",
      },
      options: folder.at(CONFIG),
      command: ["postgres", "-c", "temp_buffers=13MB"],
    });
    await container.version("x");
    expect(await show(container, "work_mem", "maintenance_work_mem", "temp_buffers")).toEqual(["12MB", "42MB", "13MB"]);
    expect(await show(container, "effective_cache_size", "log_min_duration_statement")).toEqual(["1GB", "77ms"]);
    expect(await show(container, "max_connections", "log_statement", "log_duration")).toEqual(["43", "ddl", "on"]);
    expect(await show(container, "listen_addresses", "pg_stat_statements.max")).toEqual(["0.0.0.0", "1234"]);
    expect(await container.sql("select setting from pg_settings where name = 'archive_timeout'")).toBe("61");
  });

  it("reads another folder when PGCONFIG says so, and a changed file again on a hang-up signal", async () => {
    await using folder = await Folder.with({ "a.conf": "work_mem = 5MB\n" });
    await using container = await Container.start(variant, {
      env: { ...env, PGCONFIG: "/etc/my settings" },
      options: folder.at("/etc/my settings"),
    });
    await container.version("x");
    expect(await show(container, "work_mem")).toEqual(["5MB"]);
    await folder.write("a.conf", "work_mem = 6MB\n");
    await container.docker("kill", "--signal", "HUP");
    await container.until("the new value", async () =>
      (await show(container, "work_mem"))[0] === "6MB" ? true : undefined,
    );
  });

  it("puts pg_hba lines of the environment first, then those of the folder, then the user's own file", async () => {
    await using volume = await Volume.make();
    await using first = await Container.start(variant, { env, options: volume.at() });
    await first.version("x");
    await first.sql("create role guest login password 'g'; create role foe login password 'f'");
    const rules = "select type, user_name[1], auth_method from pg_hba_file_rules order by line_number";
    const before = await first.sql("select count(*) from pg_hba_file_rules");
    await first.docker("stop");
    const sums = () => inside(variant, `cd ${DATA}; sha256sum *.conf`, volume.at());
    const files = await sums();

    await using folder = await Folder.with({
      "pg_hba.d/20-later.conf": "host all nobody2 all reject\n",
      "pg_hba.d/10-first.conf": "# a comment\nhost all nobody1 all reject\n",
      "pg_hba.d/readme.txt": "no rule",
    });
    await using container = await Container.start(variant, {
      env: { POSTGRES_HBA: 'host all foe all reject; host "all" guest all scram-sha-256;local all foe reject' },
      options: [...volume.at(), ...folder.at(CONFIG)],
    });
    await container.version("x");
    // From 16 on the view numbers the rules over all files; on 15 there is one file, and its lines are in order.
    const order = variant.startsWith("15") ? rules : rules.replace("line_number", "rule_number");
    const found = (await container.sql(order)).split("\n");
    expect(found.slice(0, 5)).toEqual([
      "host|foe|reject",
      "host|guest|scram-sha-256",
      "local|foe|reject",
      "host|nobody1|reject",
      "host|nobody2|reject",
    ]);
    expect(found).toHaveLength(5 + Number(before));
    expect(await container.version("g", "guest", "postgres")).toMatch(/^PostgreSQL/);
    await expect(container.sql("select 1", "foe")).rejects.toThrow(/reject/);
    await container.docker("stop");

    // On lines of their own a semicolon is a part of a line.
    const lines = "# first; a comment\nhost all foe all reject\nhost all guest all reject\n";
    await using later = await Container.start(variant, { env: { POSTGRES_HBA: lines }, options: volume.at() });
    await later.version("x");
    expect((await later.sql(order)).split("\n").slice(0, 2)).toEqual(["host|foe|reject", "host|guest|reject"]);
    await later.docker("stop");
    expect(await sums()).toBe(files);
  });

  it("refuses a wrong setting before the server starts, by name, with an existing cluster untouched", async () => {
    await using volume = await Volume.make();
    await using first = await Container.start(variant, { env, options: volume.at() });
    await first.version("x");
    await first.docker("stop");
    const before = await listing(first);
    const start = async (given: { env?: Record<string, string>; options?: string[]; command?: string[] }) =>
      Container.run(variant, { ...given, options: [...volume.at(), ...(given.options ?? [])] });

    await using wrong = await Folder.with({ "50-wrong.conf": "work_mem = plenty\n" });
    await using hba = await Folder.with({ "pg_hba.d/10-wrong.conf": "host all all 10.0.0.0/99 scram-sha-256\n" });
    const settings: [Parameters<typeof start>[0], RegExp][] = [
      [
        { env: { POSTGRESQL_WORK_MEM: "plenty", POSTGRESQL_MAX_CONNECTIONS: "few" } },
        /POSTGRESQL_WORK_MEM.*POSTGRESQL_MAX_CONNECTIONS|POSTGRESQL_MAX_CONNECTIONS.*POSTGRESQL_WORK_MEM/,
      ],
      [{ env: { POSTGRESQL_NO_SUCH_THING: "1" } }, /POSTGRESQL_NO_SUCH_THING/],
      [{ options: wrong.at(CONFIG) }, /50-wrong\.conf/],
      [{ command: ["postgres", "-c", "work_mem=plenty"] }, /work_mem/],
    ];
    const rules: typeof settings = [
      [{ env: { POSTGRES_HBA: "host all all 10.0.0.0/99 scram-sha-256" } }, /POSTGRES_HBA/],
      [{ options: hba.at(CONFIG) }, /10-wrong\.conf/],
    ];
    const refuse = async (cases: typeof settings): Promise<void> => {
      for (const [given, named] of cases) {
        const { code, logs } = await start(given);
        expect(code, logs).toBe(2);
        expect(logs).toMatch(named);
        expect(logs).not.toContain("starting PostgreSQL");
      }
    };
    await refuse(settings);
    await using after = await Container.start(variant, { options: volume.at(), command: ["true"] });
    await after.exitCode();
    expect(await listing(after)).toBe(before);
    // Only the server knows what a rule is; it reads them in single-user mode, which leaves a checkpoint of its own.
    await refuse(rules);
    await using whole = await Container.start(variant, { options: volume.at() });
    await whole.version("x");
    expect(await whole.logs()).not.toContain("automatic recovery in progress");
  });

  it("makes no database at all from a wrong setting", async () => {
    await using container = await Container.start(variant, { env: { ...env, POSTGRESQL_WORK_MEM: "plenty" } });
    expect(await container.exitCode()).toBe(2);
    expect((await listing(container)).trim().split("\n")).toHaveLength(1);
  });

  it("fits its memory to the container's limit, unless a file or a variable says otherwise", async () => {
    const megabytes = async (container: Container, name: string): Promise<number> =>
      Number(await container.sql(`select pg_size_bytes(current_setting('${name}')) / 1024 / 1024`));
    await using small = await Container.start(variant, { env, options: ["--memory", "256m"] });
    await using large = await Container.start(variant, { env, options: ["--memory", "2g"] });
    await small.version("x");
    await large.version("x");
    expect(await megabytes(small, "shared_buffers")).toBeLessThanOrEqual(64);
    expect(await megabytes(small, "effective_cache_size")).toBeLessThanOrEqual(256);
    expect(await megabytes(large, "shared_buffers")).toBeGreaterThan(await megabytes(small, "shared_buffers"));
    expect(await megabytes(large, "shared_buffers")).toBeLessThanOrEqual(512);
    await using chosen = await Container.start(variant, {
      env: { ...env, POSTGRESQL_SHARED_BUFFERS: "48MB" },
      options: ["--memory", "2g"],
    });
    await chosen.version("x");
    expect(await megabytes(chosen, "shared_buffers")).toBe(48);
  });
});
