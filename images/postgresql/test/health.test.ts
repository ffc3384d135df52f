import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { Container, type Given, HEALTHCHECK, VARIANTS } from "./container.js";
import { DATA, Folder, SCRIPTS, Volume } from "./support.js";

const password = "health";
const PROBES = "/opt/container/entrypoint.d/scripts/healthcheck.d";

/** What `healthcheck.sh --json` prints. */
interface Health {
  readonly status: string;
  readonly phase: string;
  readonly message: string;
  readonly probes: readonly { name: string; ok: boolean; warning: boolean; message: string }[];
}

/** Starts a container with a password and waits until it is healthy. */
async function started(variant: string, given: Given = {}): Promise<Container> {
  const container = await Container.start(variant, { ...given, env: { POSTGRES_PASSWORD: password, ...given.env } });
  try {
    await container.healthy();
  } catch (error) {
    await container[Symbol.asyncDispose]();
    throw error;
  }
  return container;
}

/** Asks the health check; options are those of `docker exec`. */
async function ask(container: Container, ...options: string[]): Promise<Health & { ok: boolean }> {
  const answer = await container.execWith(options, HEALTHCHECK, "--json");
  if (!answer.stdout) throw new Error(answer.reason);
  return { ...(JSON.parse(answer.stdout) as Health), ok: answer.ok };
}

/** What one probe said. */
const probe = (health: Health, name: string) => health.probes.find((one) => one.name === name);

/** Runs bash in the container, which has to succeed. */
async function bash(container: Container, script: string): Promise<string> {
  const answer = await container.exec("bash", "-ec", script);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.stdout.trim();
}

describe.each(VARIANTS)("the health check of $variant", ({ variant }) => {
  it.each<[string, string[]]>([
    ["the image's user", []],
    ["root, which stepped down", ["--user", "0"]],
    ["any other user", ["--user", "12345:0"]],
    ["a read-only root", ["--read-only", "--tmpfs", "/run", "--tmpfs", "/tmp"]],
    ["no capability", ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]],
  ])("is green for %s, each probe well, and stays so when it is asked again", async (_who, options) => {
    await using container = await started(variant, { options });
    for (let time = 0; time < 2; time++) {
      const health = await ask(container);
      expect(health).toMatchObject({ ok: true, status: "healthy", phase: "running" });
      expect(health.probes.map(({ name, ok, warning }) => [name, ok, warning])).toEqual([
        ["10-postgresql", true, false],
        ["20-disk", true, false],
        ["30-connections", true, false],
      ]);
      expect(probe(health, "10-postgresql")?.message).toContain("TCP port 5432 and the socket in /");
      expect(probe(health, "20-disk")?.message).toMatch(/\d+ MB left/);
      expect(probe(health, "30-connections")?.message).toMatch(/\d+ of 97 connections are free/);
    }
  });

  it("is the engine's too: starting while init scripts run, healthy after, never before", async () => {
    await using scripts = await Folder.with({ "10-slow.sql": "select pg_sleep(5);" });
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: password },
      options: ["--health-interval", "1s", ...scripts.at(SCRIPTS)],
    });
    const seen = new Set<string | undefined>();
    await container.until("the end of init", async () => {
      const { Health } = await container.state();
      // Asked in this order: what is healthy now must be ready in the log that is read after.
      const ready = (await container.logs()).includes("PostgreSQL init process complete");
      if (!ready) seen.add(Health?.Status);
      return ready || undefined;
    });
    expect([...seen]).toEqual(["starting"]);
    await container.until("healthy for the engine", async () =>
      (await container.state()).Health?.Status === "healthy" ? true : undefined,
    );
  });

  it("answers in under a second when the server hangs, says so, and leaves nothing running", async () => {
    await using container = await started(variant);
    const server = await bash(container, `read -r pid <${DATA}/postmaster.pid; kill -STOP "$pid"; echo "$pid"`);
    const times: number[] = [];
    // The fastest of some: another test may have the machine at that moment.
    for (let time = 0; time < 5; time++) {
      const answer = await bash(
        container,
        `began=\${EPOCHREALTIME/[.,]/}; code=0; words=$(${HEALTHCHECK}) || code=$?
         echo "$code $(((\${EPOCHREALTIME/[.,]/} - began) / 1000)) $words"`,
      );
      expect(answer).toMatch(/^1 \d+ unhealthy: 10-postgresql: no answer within 800 ms/);
      times.push(Number(answer.split(" ")[1]));
    }
    expect(Math.min(...times)).toBeLessThan(1_000);
    // The engine asks as well, from time to time: what it started has to be gone soon, too.
    await container.until("no probe left", async () =>
      (await container.docker("top")).stdout.includes("pg_isready") ? undefined : true,
    );
    await bash(container, `kill -CONT ${server}`);
    await container.healthy();
  });

  it("is red when the server is gone", async () => {
    await using container = await started(variant);
    await bash(container, "cd /run/container; printf '%s\\n' 5999 /nowhere '*' postgres > postgresql.address");
    const health = await ask(container);
    expect(health).toMatchObject({ ok: false, status: "unhealthy" });
    expect(health.message).toMatch(/^10-postgresql: the server does not answer on the socket in \/nowhere/);
  });

  it("follows the server to another port, and to the socket alone", async () => {
    await using moved = await started(variant, { command: ["-c", "port=6000", "-c", "listen_addresses=127.0.0.1"] });
    expect((await ask(moved)).message).toContain("TCP port 6000 and the socket");
    await using local = await started(variant, { command: ["-c", "listen_addresses="] });
    expect((await ask(local)).message).toContain("the server takes connections on the socket in");
  });

  it("is not led elsewhere by variables that steer clients", async () => {
    const env = { PGHOSTADDR: "192.0.2.1", PGOPTIONS: "--nonsense", PGSSLMODE: "verify-full", PGPORT: "1" };
    await using container = await started(variant);
    const options = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    expect(await ask(container, ...options)).toMatchObject({ ok: true });
  });

  it("warns of a disk that is nearly full, and stays green", async () => {
    await using container = await started(variant, { options: ["--tmpfs", `${DATA}:size=200m,uid=999,mode=0700`] });
    expect(probe(await ask(container), "20-disk")).toMatchObject({ ok: true, warning: false });
    expect(probe(await ask(container, "--env", "HEALTH_DISK_MIN_PERCENT=95"), "20-disk")?.warning).toBe(true);
    await bash(
      container,
      `free=$(($(stat -f -c '%a * %S' ${DATA}) / 1048576)); fallocate -l "$((free - 6))M" ${DATA}/filler`,
    );
    const full = await ask(container);
    expect(full).toMatchObject({ ok: true, status: "healthy" });
    expect(full.message).toMatch(/^20-disk: warning: the file system of PGDATA has \d MB left/);
    await bash(container, `rm ${DATA}/filler`);
    expect(probe(await ask(container), "20-disk")?.warning).toBe(false);
  });

  it("warns when few connections are free, and when none is, and stays green", async () => {
    await using container = await started(variant, { command: ["-c", "max_connections=10"] });
    const port = await container.port();
    const clients: Client[] = [];
    const open = async (many: number): Promise<void> => {
      for (let next = 0; next < many; next++) {
        const client = new Client({ host: "127.0.0.1", port, user: "postgres", password, database: "postgres" });
        client.on("error", () => undefined);
        await client.connect();
        clients.push(client);
      }
    };
    try {
      expect(probe(await ask(container), "30-connections")).toMatchObject({ ok: true, warning: false });
      await open(7);
      const few = await ask(container);
      expect(few).toMatchObject({ ok: true, status: "healthy" });
      expect(probe(few, "30-connections")).toMatchObject({ warning: true });
      expect(probe(few, "30-connections")?.message).toMatch(/^0 of 7 connections are free, expected at least 10 %/);
      await open(3);
      const none = await ask(container);
      expect(none).toMatchObject({ ok: true, status: "healthy" });
      expect(probe(none, "30-connections")?.message).toMatch(/^no connection is free/);
    } finally {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    }
    await container.until("free connections", async () =>
      probe(await ask(container), "30-connections")?.warning ? undefined : true,
    );
  });

  it("says nothing about connections where it cannot log in without a password", async () => {
    await using container = await started(variant, {
      env: { POSTGRES_INITDB_ARGS: "--auth-local=scram-sha-256" },
    });
    const health = await ask(container);
    expect(health.ok).toBe(true);
    expect(probe(health, "30-connections")).toMatchObject({ warning: false });
    expect(probe(health, "30-connections")?.message).toContain("cannot log in");
  });

  it("looks at a server that somebody runs without the entrypoint", async () => {
    await using volume = await Volume.make();
    {
      await using first = await started(variant, { options: volume.at() });
      await first.docker("stop");
    }
    await using plain = await Container.start(variant, { options: ["--entrypoint", "postgres", ...volume.at()] });
    await plain.healthy();
    expect(await ask(plain)).toMatchObject({ status: "healthy", phase: "unknown" });
    await using other = await Container.start(variant, { command: ["sleep", "300"] });
    expect(await ask(other)).toMatchObject({ status: "unhealthy", phase: "unknown" });
  });

  it("takes a probe of somebody's own", async () => {
    await using probes = await Folder.with({ "50-own.sh": "echo the coffee is cold; exit 1\n" });
    await using container = await Container.start(variant, {
      env: { POSTGRES_PASSWORD: password },
      options: ["--volume", `${probes.path}/50-own.sh:${PROBES}/50-own.sh:ro`],
    });
    await container.version(password);
    const health = await container.until("an answer while it runs", async () => {
      const answer = await ask(container);
      return answer.phase === "running" && probe(answer, "10-postgresql")?.ok ? answer : undefined;
    });
    expect(health).toMatchObject({ ok: false, status: "unhealthy" });
    expect(health.message).toMatch(/^50-own: the coffee is cold; /);
  });

  it("explains itself in one line of text and refuses arguments that it does not know", async () => {
    await using container = await started(variant);
    expect((await container.exec(HEALTHCHECK)).stdout.trim()).toMatch(/^healthy: 10-postgresql: [^\n]+$/);
    expect((await container.exec(HEALTHCHECK, "--xml")).reason).toContain("usage: healthcheck.sh [--json]");
  });
});
