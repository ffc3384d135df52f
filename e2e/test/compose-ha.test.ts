// deploy/compose/ha.yaml as a user runs it: one command, then one leader, two replicas that stream, all healthy.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, findEngine, freePort, installPackages, isDebian, isRoot } from "@strata/engine";
import { Client } from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT, sh } from "./scratch.js";

const engine = await findEngine();
const FILE = join(ROOT, "deploy", "compose", "ha.yaml");
const project = `strata-test-${randomBytes(4).toString("hex")}`;

/** The words that run Compose here: the engine's plugin or the program; undefined where neither is there. */
async function findCompose(): Promise<string[] | undefined> {
  for (const words of [[engine.client, "compose"], ["docker-compose"]])
    if ((await attempt(words[0]!, [...words.slice(1), "version"])).ok) return words;
  return undefined;
}

/** The same, installed first where that is possible. */
async function haveCompose(): Promise<string[] | undefined> {
  const found = await findCompose();
  if (found || !isRoot() || !(await isDebian())) return found;
  await installPackages(["docker-compose"], (line) => process.stderr.write(`${line}\n`));
  return findCompose();
}

const compose = await haveCompose();
const [WRITE_PORT, READ_PORT, STATS_PORT] = [await freePort(25_432), await freePort(25_442), await freePort(28_404)];

/** Runs Compose on the file; it has to succeed. */
async function run(...words: string[]): Promise<string> {
  const [program, ...first] = [...compose!, "--project-name", project, "--file", FILE, ...words];
  const env = { WRITE_PORT: String(WRITE_PORT), READ_PORT: String(READ_PORT), STATS_PORT: String(STATS_PORT) };
  const { code, stdout, stderr } = await sh(ROOT, program!, first, { env, timeout: 180_000 });
  if (code !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** What a query says at a port of 127.0.0.1. */
async function ask(port: number, password: string, query: string): Promise<unknown> {
  const client = new Client({ host: "127.0.0.1", port, user: "postgres", password, database: "postgres" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query({ text: query, rowMode: "array" })).rows[0]?.[0];
  } finally {
    await client.end();
  }
}

describe("deploy/compose/ha.yaml", () => {
  afterAll(async () => {
    if (compose) await run("down", "--volumes", "--timeout", "5");
  });

  it("gives one leader and two replicas that stream, all healthy, with one address for writes and one for reads", async ({
    skip,
  }) => {
    skip(compose === undefined, "no docker compose here, and none could be installed");
    const began = Date.now();
    await run("up", "--detach");
    const healthy = async (): Promise<number> => {
      const filters = ["--filter", `label=com.docker.compose.project=${project}`, "--filter", "health=healthy"];
      return (await attempt(engine.client, ["ps", "--quiet", ...filters])).stdout.split("\n").filter(Boolean).length;
    };
    while ((await healthy()) < 7) {
      if (Date.now() - began > 150_000) throw new Error(`not healthy in time:\n${await run("ps")}`);
      await sleep(500);
    }
    process.stderr.write(
      `deploy/compose/ha.yaml: all seven healthy after ${((Date.now() - began) / 1_000).toFixed(0)} s\n`,
    );
    const members = JSON.parse(await run("exec", "-T", "pg1", "patronictl", "list", "--format", "json"));
    expect(members.map(({ Role }: { Role: string }) => Role).sort()).toEqual(["Leader", "Replica", "Sync Standby"]);
    expect(members.filter(({ State }: { State: string }) => State === "streaming")).toHaveLength(2);

    const password = await run("exec", "-T", "pg1", "cat", "/secrets/postgres_password");
    await ask(WRITE_PORT, password, "create table seen as select 7 as n");
    expect(await ask(WRITE_PORT, password, "select pg_is_in_recovery()")).toBe(false);
    expect(await ask(READ_PORT, password, "select pg_is_in_recovery()")).toBe(true);
    expect(await ask(READ_PORT, password, "select n from seen")).toBe(7);
    const metrics = await fetch(`http://127.0.0.1:${STATS_PORT}/metrics`);
    expect(metrics.status).toBe(200);
  });
});
