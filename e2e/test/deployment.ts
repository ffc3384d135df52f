import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, findEngine, freePort, installPackages, isDebian, isRoot } from "@strata/engine";
import { Client } from "pg";
import { ROOT, sh } from "./scratch.js";

const engine = await findEngine();

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

/** Why compose files cannot be tested here; empty if they can. */
export const withoutCompose = compose ? "" : "no docker compose here, and none could be installed";

/** A file of deploy/compose as a user runs it, under a name and with ports of its own. */
export class Deployment implements AsyncDisposable {
  readonly #project = `strata-test-${randomBytes(4).toString("hex")}`;
  private constructor(
    private readonly file: string,
    /** Where writes, reads and HAProxy's pages go, on 127.0.0.1. */
    readonly ports: { readonly write: number; readonly read: number; readonly stats: number },
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async of(file: string, env: Readonly<Record<string, string>> = {}): Promise<Deployment> {
    const ports = { write: await freePort(25_432), read: await freePort(25_442), stats: await freePort(28_404) };
    return new Deployment(join(ROOT, "deploy", "compose", file), ports, env);
  }

  /** Runs Compose on the file; it has to succeed. */
  async run(...words: string[]): Promise<string> {
    const [program, ...first] = [...compose!, "--project-name", this.#project, "--file", this.file, ...words];
    const { write, read, stats } = this.ports;
    const ports = { WRITE_PORT: String(write), READ_PORT: String(read), STATS_PORT: String(stats) };
    const env = { ...ports, ...this.env };
    const { code, stdout, stderr } = await sh(ROOT, program!, first, { env, timeout: 180_000 });
    if (code !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  /** Waits until so many containers are healthy; gives the seconds since it was asked. */
  async healthy(wanted: number, seconds = 150): Promise<number> {
    const began = Date.now();
    const filters = ["--filter", `label=com.docker.compose.project=${this.#project}`, "--filter", "health=healthy"];
    for (;;) {
      const { stdout } = await attempt(engine.client, ["ps", "--quiet", ...filters]);
      if (stdout.split("\n").filter(Boolean).length >= wanted) return (Date.now() - began) / 1_000;
      if (Date.now() - began > seconds * 1_000)
        throw new Error(`not healthy in time:\n${await this.run("ps")}\n${await this.#logsOfOthers(stdout)}`);
      await sleep(500);
    }
  }

  /** The last lines of the containers that are not among the healthy ones. */
  async #logsOfOthers(healthy: string): Promise<string> {
    const services = (await this.run("ps", "--services")).split("\n");
    const ids = await Promise.all(services.map((service) => this.run("ps", "--quiet", service)));
    const others = services.filter((_, index) => !healthy.split("\n").some((id) => id && ids[index]!.startsWith(id)));
    return this.run("logs", "--no-color", "--tail", "40", ...others);
  }

  /** What the engine says of a service's container: whether it runs, its first process, its address on the network. */
  async state(service: string): Promise<{ running: boolean; pid: number; address: string }> {
    const id = await this.run("ps", "--quiet", service);
    const format = "{{.State.Running}} {{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const { ok, stdout, reason } = await attempt(engine.client, ["inspect", "--format", format, id]);
    if (!ok) throw new Error(`${service}: ${reason}`);
    const [running, pid, address = ""] = stdout.trim().split(" ");
    return { running: running === "true", pid: Number(pid), address };
  }

  /** A client of the superuser at one of the ports; options are those of the session, as in PGOPTIONS. */
  client(port: number, password: string, options = ""): Client {
    const place = { host: "127.0.0.1", port, user: "postgres", password, database: "postgres", options };
    const client = new Client({ ...place, connectionTimeoutMillis: 3_000, query_timeout: 5_000 });
    client.on("error", () => undefined);
    return client;
  }

  /** What a query says at a port: the first field of the first row. */
  async ask(port: number, password: string, query: string): Promise<unknown> {
    const client = this.client(port, password);
    await client.connect();
    try {
      return (await client.query({ text: query, rowMode: "array" })).rows[0]?.[0];
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("down", "--volumes", "--timeout", "5");
  }
}
