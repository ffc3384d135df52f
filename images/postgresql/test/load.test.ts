import { describe, expect, it } from "vitest";
import { Container, VARIANTS } from "./container.js";

const env = { POSTGRES_PASSWORD: "x" };

describe.each(VARIANTS)("stopping $variant under load", ({ variant, major }) => {
  it("ends docker stop in seconds while pgbench runs, and the next start needs no recovery", async () => {
    await using container = await Container.start(variant, { env });
    await container.version("x");
    const pgbench = `/usr/lib/postgresql/${major}/bin/pgbench`;
    expect((await container.exec(pgbench, "-U", "postgres", "-i", "-q", "-s", "5", "postgres")).reason).toBe("");
    const commits = "select count(*) from pgbench_history";
    const load = container.exec(pgbench, "-U", "postgres", "-n", "-c", "8", "-j", "2", "-T", "50", "postgres");
    await container.until("a hundred transactions", async () =>
      Number(await container.sql(commits)) > 100 ? true : undefined,
    );

    const began = Date.now();
    await container.docker("stop", "--time", "60");
    expect(Date.now() - began).toBeLessThan(15_000);
    expect((await container.state()).ExitCode).toBe(0);
    // The load was broken off by the stop, it did not just end.
    expect((await load).ok).toBe(false);
    expect(await container.logs()).toContain("database system is shut down");

    await container.docker("start");
    await container.version("x");
    expect(Number(await container.sql(commits))).toBeGreaterThan(100);
    const logs = await container.logs();
    expect(logs).not.toContain("automatic recovery in progress");
    expect(logs).not.toContain("was not properly shut down");
  });
});
