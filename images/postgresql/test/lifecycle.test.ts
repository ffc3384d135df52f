import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "@strata/engine";
import { describe, expect, it } from "vitest";
import { Container, engine, VARIANTS } from "./container.js";
import { DATA, Folder, inside, listing, SCRIPTS, Volume } from "./support.js";

const env = { POSTGRES_PASSWORD: "x" };
const slow = { "10-slow.sql": "select pg_sleep(100);" };

/** The line of our scripts that tells of an error, once. */
const errors = (logs: string): string[] => logs.split("\n").filter((line) => /^\S+Z ERROR /.test(line));

describe.each(VARIANTS)("the life of a container of $variant", ({ variant, major }) => {
  it.each([
    ["TERM", 143],
    ["INT", 130],
    ["QUIT", 131],
  ])(
    "ends at once when SIG%s comes during initialisation, with the signal's code, and the next start says so",
    async (signal, code) => {
      await using folder = await Folder.with(slow);
      await using container = await Container.start(variant, { env, options: folder.at(SCRIPTS) });
      await container.logged(/running .*10-slow/);
      const began = Date.now();
      await container.docker("kill", "--signal", signal);
      expect(await container.exitCode(30)).toBe(code);
      expect(Date.now() - began).toBeLessThan(15_000);
      await container.docker("start");
      expect(await container.exitCode()).toBe(1);
      expect(await container.logs()).toContain("INIT_ON_INCOMPLETE");
    },
  );

  it("stops fast with clients connected, and a second TERM changes nothing", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    const client = container.exec("psql", "-U", "postgres", "-c", "select pg_sleep(300)");
    await container.until("the client", async () =>
      (await container.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(300)'")) >= "1"
        ? true
        : undefined,
    );
    const began = Date.now();
    await container.docker("kill", "--signal", "TERM");
    await container.docker("kill", "--signal", "TERM");
    expect(await container.exitCode(30)).toBe(0);
    expect(Date.now() - began).toBeLessThan(15_000);
    await client;
    expect(await container.logs()).toContain("database system is shut down");
    const from = new Date().toISOString();
    await container.docker("start");
    await container.version("x");
    expect((await container.docker("logs", "--since", from)).stderr).not.toContain("automatic recovery in progress");
  });

  it("stops immediately on QUIT, so the next start recovers", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    await container.sql("create table kept as select 42 as answer");
    await container.docker("kill", "--signal", "QUIT");
    await container.exitCode(30);
    expect(await container.logs()).toContain("received immediate shutdown request");
    await container.docker("start");
    await container.version("x");
    expect(await container.logs()).toContain("automatic recovery in progress");
    expect(await container.sql("select answer from kept")).toBe("42");
  });

  it("kills a server that does not stop within TIMEOUT, says so, and ends with 137", async () => {
    await using container = await Container.start(variant, { env: { ...env, TIMEOUT: "2" } });
    await container.version("x");
    // The lock file's first line is the server's own process.
    await container.exec("bash", "-c", `kill -STOP "$(head -n 1 ${DATA}/postmaster.pid)"`);
    const began = Date.now();
    await container.docker("kill", "--signal", "TERM");
    expect(await container.exitCode(40)).toBe(137);
    expect(Date.now() - began).toBeGreaterThan(1_500);
    expect(await container.logs()).toMatch(/ERROR .*TIMEOUT=2/);
    await container.docker("start");
    await container.version("x");
  });

  it("says in one line when the server ends by itself, with its code", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    await container.exec("bash", "-c", `kill -KILL "$(head -n 1 ${DATA}/postmaster.pid)"`);
    expect(await container.exitCode(30)).toBe(137);
    expect(await container.logs()).toMatch(/ERROR .*ended by itself with code 137/);
  });

  it("leaves no zombie of a process that lost its parent", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    // A process that nobody waited for keeps its folder in /proc.
    const made = await container.exec("bash", "-c", "for i in 1 2 3; do (sleep 0.2 & echo $!); done");
    const orphans = made.stdout.trim().split(/\s+/);
    expect(orphans).toHaveLength(3);
    const left = orphans.map((pid) => `/proc/${pid}`).join(" ");
    await container.until("the end of the orphans", async () =>
      (await container.exec("bash", "-c", `ls -d ${left} 2>/dev/null || :`)).stdout.trim() === "" ? true : undefined,
    );
  });

  it("refuses data of another major version and names both, data untouched", async () => {
    const other = VARIANTS.find((one) => one.variant !== variant)!;
    await using volume = await Volume.make();
    await using first = await Container.start(other.variant, { env, options: volume.at() });
    await first.version("x");
    await first.docker("stop");
    const before = await listing(first);
    await using second = await Container.start(variant, { env, options: volume.at() });
    expect(await second.exitCode()).toBe(2);
    const logs = await second.logs();
    expect(errors(logs)).toHaveLength(1);
    for (const word of [major, other.major, "pg_upgrade", "pg_dump"]) expect(logs).toContain(word);
    expect(await listing(second)).toBe(before);
  });

  it("explains a volume of root, and makes it its own when it is started as root", async () => {
    await using volume = await Volume.make();
    await inside(variant, `mkdir ${DATA}/lost+found; chown -R 0:0 ${DATA}; chmod 755 ${DATA}`, volume.at());
    const { code, logs } = await Container.run(variant, { env, options: volume.at() });
    expect(code).toBe(3);
    expect(errors(logs)).toHaveLength(1);
    expect(logs).toMatch(/chown|--user root/);
    await using container = await Container.start(variant, { env, options: ["--user", "root", ...volume.at()] });
    await container.version("x");
  });

  it("explains a read-only volume", async () => {
    await using volume = await Volume.make();
    const readOnly = volume.at().map((word) => (word.startsWith("--") ? word : `${word}:ro`));
    const { code, logs } = await Container.run(variant, { env, options: readOnly });
    expect(code).toBe(3);
    expect(errors(logs)).toHaveLength(1);
    expect(logs).toMatch(/read-only|cannot be written/);
  });

  it("narrows modes of the data folder that the server would refuse", async () => {
    await using volume = await Volume.make();
    await using first = await Container.start(variant, { env, options: volume.at() });
    await first.version("x");
    await first.docker("stop");
    await inside(variant, `chmod 777 ${DATA}`, volume.at());
    await using container = await Container.start(variant, { env, options: volume.at() });
    await container.version("x");
    expect((await container.exec("stat", "-c", "%a", DATA)).stdout.trim()).toMatch(/^7[05]0$/);
  });

  it("explains a full disk in one sentence, for a new database and for one that is there", async () => {
    const disk = (megabytes: number) => ["--tmpfs", `${DATA}:size=${megabytes}m,uid=999,gid=999,mode=0700`];
    const { code, logs } = await Container.run(variant, { env, options: disk(8) });
    expect([1, 3], logs).toContain(code);
    expect(errors(logs)).toHaveLength(1);
    expect(logs).toMatch(/space|full/i);
    expect(logs).toMatch(/MB/);

    // A volume in memory is there as long as some container has it.
    const memory = ["type=tmpfs", "device=tmpfs", "o=size=200m,uid=999,gid=999,mode=0700"];
    await using volume = await Volume.make(...memory.flatMap((option) => ["--opt", option]));
    await using holder = await Container.start(variant, { env: { SLEEP_MODE: "true" }, options: volume.at() });
    await holder.healthy();
    await using first = await Container.start(variant, { env, options: volume.at() });
    await first.version("x");
    await first.docker("stop");
    await holder.exec("dd", "if=/dev/zero", `of=${DATA}/filler`, "bs=64k");
    const later = await Container.run(variant, { options: volume.at() });
    expect([1, 3], later.logs).toContain(later.code);
    expect(errors(later.logs)).toHaveLength(1);
    expect(errors(later.logs)[0]).toMatch(/space|full/i);
    // With room again, all is as it was.
    await holder.exec("rm", `${DATA}/filler`);
    await using again = await Container.start(variant, { options: volume.at() });
    await again.version("x");
  });

  it("starts after a kill although postmaster.pid was left behind, whatever process has its number now", async () => {
    await using volume = await Volume.make();
    // With --init process 1 is none of ours, and not the server's parent, whose number the server would forgive.
    await using container = await Container.start(variant, { env, options: [...volume.at(), "--init"] });
    await container.version("x");
    await container.docker("kill", "--signal", "KILL");
    await container.docker("start");
    await container.version("x");
    expect(await container.logs()).toContain("automatic recovery in progress");
    await container.docker("kill", "--signal", "KILL");
    await inside(variant, `sed -i '1s/.*/1/' ${DATA}/postmaster.pid`, volume.at());
    // The lock file of the socket lies in the container itself.
    await using folder = await Folder.with({});
    const lock = [`${container.name}:/var/run/postgresql/.s.PGSQL.5432.lock`, join(folder.path, "lock")] as const;
    expect((await attempt(engine.client, ["cp", ...lock])).reason).toBe("");
    const [, ...rest] = (await readFile(lock[1], "utf8")).split("\n");
    await writeFile(lock[1], ["1", ...rest].join("\n"));
    await chmod(lock[1], 0o644);
    expect((await attempt(engine.client, ["cp", lock[1], lock[0]])).reason).toBe("");
    await container.docker("start");
    await container.version("x");
  });

  it("keeps a second container away from data that another one serves", async () => {
    await using volume = await Volume.make();
    await using first = await Container.start(variant, { env, options: volume.at() });
    await first.version("x");
    const { code, logs } = await Container.run(variant, { env, options: volume.at() });
    expect([1, 2, 3], logs).toContain(code);
    expect(errors(logs)).toHaveLength(1);
    expect(logs).toMatch(/another|in use|already/);
    await first.version("x");
    expect(await first.sql("select 1")).toBe("1");
    expect((await first.exec("cat", `${DATA}/postmaster.pid`)).ok).toBe(true);
  });

  it("explains too little shared memory", async () => {
    await using container = await Container.start(variant, { env, options: ["--shm-size", "1m"] });
    await container.logged(/\/dev\/shm/);
    expect(await container.logs()).toContain("--shm-size");
  });

  it("warns about a collation version that is not the system's, with the command that helps", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    await container.sql("update pg_database set datcollversion = '1.2.3' where datname = 'postgres'");
    await container.docker("restart");
    await container.version("x");
    await container.logged(/WARN .*REFRESH COLLATION VERSION/);
    expect(await container.logs()).toMatch(/REINDEX/);
  });

  it("names the init script that failed, and resumes after the last good one", async () => {
    await using volume = await Volume.make();
    await using folder = await Folder.with({
      "10-good.sql": "create table seen as select '10' as script;",
      "20-bad.sql": "select no_such_function();",
      "30-after.sql": "insert into seen values ('30');",
    });
    const options = [...volume.at(), ...folder.at(SCRIPTS)];
    const failed = await Container.run(variant, { env, options });
    expect(failed.code).toBe(1);
    expect(errors(failed.logs).join("\n")).toContain("20-bad.sql");
    expect(failed.logs).toContain("no_such_function");
    const refused = await Container.run(variant, { env, options });
    expect(refused.code).toBe(1);
    expect(refused.logs).toContain("20-bad.sql");
    await folder.write("20-bad.sql", "insert into seen values ('20');");
    await using resumed = await Container.start(variant, { env: { ...env, INIT_ON_INCOMPLETE: "resume" }, options });
    await resumed.version("x");
    expect(await resumed.sql("select string_agg(script, ' ') from seen")).toBe("10 20 30");
    await resumed.docker("stop");
    await using later = await Container.start(variant, { options });
    await later.version("x");
    expect(await later.sql("select string_agg(script, ' ') from seen")).toBe("10 20 30");
  });

  it("tells by its exit code what kind of failure it was", async () => {
    const code = async (given: Parameters<typeof Container.run>[1]): Promise<number> =>
      (await Container.run(variant, given)).code;
    await using foreign = await Folder.with({ "notes.txt": "somebody's", "pgdata-like": "" });
    expect(await code({ env, command: ["true"] })).toBe(0);
    expect(await code({ env, options: ["--user", "0", ...foreign.at(DATA, "rw")] })).toBe(1);
    expect(await code({ env: { ...env, TIMEOUT: "soon" } })).toBe(2);
    expect(await code({ env: { ...env, PGDATA: "/proc/data" } })).toBe(3);
    // A library that initdb needs for a user without a name, hidden by a file that this user cannot read.
    const library = await inside(variant, "ls /usr/lib/*/libnss_wrapper.so");
    await using hidden = await Folder.with({ "libnss_wrapper.so": { text: "", mode: 0o600 } });
    const hide = ["--volume", `${hidden.path}/libnss_wrapper.so:${library}:ro`];
    expect(await code({ env, options: ["--user", "12345:0", ...hide] })).toBe(4);
  });
});
