import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";

const HEALTHCHECK = "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh";
const password = "s3cret 'quoted' $HOME \\ \"x\"";

describe.each(VARIANTS)("a container of $variant", ({ variant, major }) => {
  it("accepts a TCP connection with nothing but a password given", async () => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: password } });
    expect(await container.version(password)).toMatch(`PostgreSQL ${major}.`);
    await expect(container.version("wrong")).rejects.toThrow(/password authentication failed/);
  });

  it("logs the lines that tools wait for, and none of the password", async () => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: password } });
    await container.version(password);
    const logs = await container.logs();
    expect(logs).toContain("PostgreSQL init process complete; ready for start up.");
    expect(logs.match(/database system is ready to accept connections/g)).toHaveLength(2);
    expect(logs).not.toContain(password);
    const { stdout } = await container.docker("top");
    expect(stdout).not.toContain("s3cret");
  });

  it("says what to do when no password is given, and ends with the code for configuration", async () => {
    await using container = await Container.start(variant);
    expect(await container.exitCode()).toBe(2);
    expect(await container.logs()).toMatch(/POSTGRES_PASSWORD/);
  });

  it("names everything that is wrong with the environment at once", async () => {
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: "x", LOG_LEVEL: "loud", TIMEOUT: "soon", SLEEP_MODE: "perhaps" },
    });
    expect(await container.exitCode()).toBe(2);
    const logs = await container.logs();
    for (const name of ["LOG_LEVEL", "TIMEOUT", "SLEEP_MODE"]) expect(logs).toContain(name);
  });

  it("stops within seconds on docker stop, and starts again with its data and without a recovery", async () => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: "x" } });
    await container.version("x");
    await container.sql("create table kept as select 42 as answer");
    const began = Date.now();
    await container.docker("stop", "--time", "30");
    expect(Date.now() - began).toBeLessThan(15_000);
    expect((await container.state()).ExitCode).toBe(0);
    expect(await container.logs()).toContain("database system is shut down");
    await container.docker("start");
    await container.version("x");
    expect(await container.sql("select answer from kept")).toBe("42");
    const logs = await container.logs();
    expect(logs).toContain("PostgreSQL Database directory appears to contain a database; Skipping initialization");
    expect(logs).not.toContain("automatic recovery in progress");
  });

  it("stops on SIGTERM as well", async () => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: "x" } });
    await container.version("x");
    await container.docker("kill", "--signal", "TERM");
    expect(await container.exitCode(20)).toBe(0);
  });

  it("makes the user and the database that are asked for, quotes and spaces included", async () => {
    const user = `odd "user' $x`;
    const database = `my \\ "data' base`;
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: "x", POSTGRES_USER: user, POSTGRES_DB: database },
    });
    expect(await container.version("x", user, database)).toMatch(`PostgreSQL ${major}.`);
  });

  it("takes server arguments, and runs another command instead of the server", async () => {
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: "x", POSTGRESQL_SHARED_BUFFERS: "64MB" },
      command: ["-c", "work_mem=8MB"],
    });
    await container.version("x");
    expect(await container.sql("show work_mem")).toBe("8MB");
    expect(await container.sql("show shared_buffers")).toBe("64MB");
    await using other = await Container.start(variant, { command: ["bash", "-c", "echo $((6*7))"] });
    expect(await other.exitCode()).toBe(0);
    expect(await other.logs()).toContain("42");
  });

  it.each([
    ["any other user", ["--user", "12345:0"]],
    ["root, which steps down", ["--user", "0"]],
    ["a read-only root with tmpfs", ["--read-only", "--tmpfs", "/run", "--tmpfs", "/tmp"]],
    ["no capability and no new privileges", ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]],
  ])("runs as %s", async (_what, options) => {
    await using container = await Container.start(variant, { env: { POSTGRES_PASSWORD: "x" }, options });
    expect(await container.version("x")).toMatch(`PostgreSQL ${major}.`);
    const { stdout } = await container.docker("top");
    expect(stdout).not.toMatch(/^(0|root)\s/m);
    expect((await container.exec(HEALTHCHECK)).reason).toBe("");
  });

  it("is healthy when it runs and not while init scripts do, and says why in text and in JSON", async () => {
    const scripts = await mkdtemp(join(tmpdir(), "strata-init-"));
    await chmod(scripts, 0o755);
    await writeFile(join(scripts, "10-slow.sql"), "create table made as select 1 as one; select pg_sleep(3);");
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: "x" },
      options: ["--volume", `${scripts}:/docker-entrypoint-initdb.d:ro`],
    });
    const early = await container.until("a health check during initialisation", async () => {
      const answer = await container.exec(HEALTHCHECK, "--json");
      return answer.stdout.includes('"phase":"initialising"') ? answer : undefined;
    });
    expect(early.ok).toBe(false);
    expect(JSON.parse(early.stdout)).toMatchObject({ status: "unhealthy", phase: "initialising" });
    await container.version("x");
    expect(await container.sql("select one from made")).toBe("1");
    const healthy = await container.exec(HEALTHCHECK, "--json");
    expect(JSON.parse(healthy.stdout)).toMatchObject({ status: "healthy", phase: "running" });
    expect((await container.exec(HEALTHCHECK)).stdout).toMatch(/^healthy: /);
    await rm(scripts, { recursive: true });
  });

  it("sleeps for maintenance when it is asked to, and says that it is paused", async () => {
    await using container = await Container.start(variant, { env: { SLEEP_MODE: "true" } });
    const paused = await container.until("the phase paused", async () => {
      const answer = await container.exec(HEALTHCHECK, "--json");
      return answer.ok ? answer : undefined;
    });
    expect(JSON.parse(paused.stdout)).toMatchObject({ phase: "paused" });
    expect((await container.exec("ls", "-A", "/var/lib/postgresql/data")).stdout).toBe("");
  });

  it("refuses a half-made database after a kill during initialisation, and keeps it", async () => {
    const scripts = await mkdtemp(join(tmpdir(), "strata-init-"));
    await chmod(scripts, 0o755);
    await writeFile(join(scripts, "10-slow.sql"), "select pg_sleep(30);");
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: "x" },
      options: ["--volume", `${scripts}:/docker-entrypoint-initdb.d:ro`],
    });
    await container.until("the slow script", async () => {
      return /10-slow/.test(await container.logs()) ? true : undefined;
    });
    await container.docker("kill");
    await container.docker("start");
    expect(await container.exitCode()).toBe(1);
    expect(await container.logs()).toContain("INIT_ON_INCOMPLETE");
    await rm(scripts, { recursive: true });
  });
});
