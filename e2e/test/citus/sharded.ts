import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { Deployment } from "../deployment.js";
import { Writer } from "./writer.js";

/** Who leads a group, or follows there: the service, and the address that Patroni gives it. */
export interface Place {
  readonly name: string;
  readonly host: string;
}

/** The containers of the deployment, with all but HAProxy's and the secrets'. */
export const SERVICES = ["etcd1", "etcd2", "etcd3", "c1", "c2", "w1a", "w1b", "w2a", "w2b"] as const;

/** How many containers of it have a health check. */
const HEALTHY = SERVICES.length + 1;

/** deploy/compose/citus-ha.yaml as a user runs it; all of it is gone when the test is. */
export class Sharded implements AsyncDisposable {
  private constructor(
    readonly site: Deployment,
    /** Seconds from `up` until all were healthy. */
    readonly started: number,
    private readonly password: string,
  ) {}

  static async start(image: string): Promise<Sharded> {
    const site = await Deployment.of("citus-ha.yaml", { POSTGRESQL_IMAGE: image });
    try {
      await site.run("up", "--detach");
      const started = await site.healthy(HEALTHY);
      return new Sharded(site, started, await site.run("exec", "-T", "c1", "cat", "/secrets/postgres_password"));
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits until every container is healthy. */
  async healthy(): Promise<void> {
    await this.site.healthy(HEALTHY);
  }

  /** A client that is not connected yet, at the port of writes or of reads. */
  client(port: "write" | "read" = "write", options = ""): Client {
    return this.site.client(this.site.ports[port], this.password, options);
  }

  /** What a query says: the first column of its rows; options are those of the session. */
  async column(query: string, port: "write" | "read" = "write", options = ""): Promise<unknown[]> {
    const client = this.client(port, options);
    await client.connect();
    try {
      return (await client.query({ text: query, rowMode: "array" })).rows.map((row) => row[0]);
    } finally {
      await client.end();
    }
  }

  /** The first field of the first row, as soon as somebody answers. */
  async ask(query: string, seconds = 60): Promise<unknown> {
    for (const end = Date.now() + seconds * 1_000; ; await sleep(200))
      try {
        return (await this.column(query))[0];
      } catch (error) {
        // Nobody leads the coordinator just now, or the one that did was told to end what it did.
        if (Date.now() > end || !/connect|terminat|timeout|recovery|ECONN/i.test(String(error))) throw error;
      }
  }

  /** Makes a distributed table and writes into it. */
  async write(table: string): Promise<Writer> {
    await this.ask(`create table ${table} (id int primary key)`);
    await this.ask(`select create_distributed_table('${table}', 'id')`);
    return new Writer(() => this.client(), table);
  }

  /** The addresses of the primaries by group, as the metadata have them. */
  async primaries(): Promise<string[]> {
    const query = "select string_agg(nodename, ' ' order by groupid) from pg_dist_node where noderole = 'primary'";
    return String(await this.ask(query)).split(" ");
  }

  /** The members of a group that have a role, as a service tells it from Patroni's store. */
  async members(group: number, role: RegExp, asked = "c1"): Promise<Place[]> {
    const listed = await this.site.run("exec", "-T", asked, "patronictl", "list", "--format", "json");
    type Member = { Group: number; Role: string; Member: string; Host: string; State: string };
    return (JSON.parse(listed) as Member[])
      .filter(({ Group, Role, State }) => Group === group && role.test(Role) && /^(running|streaming)$/.test(State))
      .map(({ Member, Host }) => ({ name: Member, host: Host }));
  }

  /** Who leads a group. */
  async leader(group: number, asked?: string): Promise<Place> {
    for (const end = Date.now() + 60_000; ; await sleep(500)) {
      const [found] = await this.members(group, /^Leader$/, asked);
      if (found) return found;
      if (Date.now() > end) throw new Error(`group ${group}: expected a leader within 60 s, found none`);
    }
  }

  /** Waits until the metadata no longer name an address as a group's primary; gives the seconds that it took. */
  async replaced(group: number, host: string): Promise<number> {
    const began = Date.now();
    const passed = (): number => (Date.now() - began) / 1_000;
    while ((await this.primaries())[group] === host) {
      if (passed() > 60) throw new Error(`group ${group}: after 60 s its metadata still name ${host}`);
      await sleep(200);
    }
    return passed();
  }

  /** Waits until each group has one leader and one that follows it, and the metadata name the leaders. */
  async settled(): Promise<void> {
    let found = "";
    let groups: Place[][] = [];
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(500)) {
      groups = await Promise.all([0, 1, 2].map((group) => this.members(group, /./)));
      const leaders = await Promise.all([0, 1, 2].map((group) => this.members(group, /^Leader$/)));
      const known = await this.primaries();
      found = JSON.stringify({ groups, leaders, known });
      if (groups.some(({ length }) => length !== 2)) continue;
      if (leaders.map((all) => all.map(({ host }) => host).join()).join(" ") === known.join(" ")) return;
    }
    throw new Error(
      `expected metadata that name the leader of each whole group within 120 s, found ${found}; Patroni says:\n${await this.account(groups.flat())}`,
    );
  }

  /** What Patroni says of all members, and the last lines of those that are not among the ones that run or stream. */
  private async account(well: readonly Place[]): Promise<string> {
    const list = await this.site.run("exec", "-T", "c1", "patronictl", "list");
    const nodes = SERVICES.filter((name) => !name.startsWith("etcd"));
    const others = nodes.filter((node) => !well.some(({ name }) => name === node));
    if (others.length === 0) return list;
    return `${list}\n${await this.site.run("logs", "--no-color", "--tail", "60", ...others)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]();
  }
}
