import { randomBytes } from "node:crypto";
import { attempt } from "@strata/engine";
import { Container, engine, type Given } from "@strata/image-postgresql/test/container.js";
import { Volume } from "@strata/image-postgresql/test/support.js";

/** The superuser's password of every cluster here; with letters that a careless hand would break. */
export const PASSWORD = "p4tr0ni 'secret' \"with\" $$signs$$ \\ pässwörd €";

const ETCD = "strata/etcd:3.5-trixie";

/** A member of a cluster as the REST API tells it. */
export interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly timeline?: number;
}

/** A network with one etcd, and PostgreSQL nodes on it; all are gone when the tests are. */
export class Site implements AsyncDisposable {
  private readonly nodes: Container[] = [];
  private readonly volumes: Volume[] = [];
  private constructor(
    readonly network: string,
    readonly etcd: string,
  ) {}

  /** Starts the network and its etcd; options are those of `docker run`, for etcd. */
  static async make(...options: string[]): Promise<Site> {
    const network = `strata-test-${randomBytes(6).toString("hex")}`;
    const site = new Site(network, `${network}-etcd`);
    await site.docker("network", "create", network);
    await site.startEtcd(...options);
    return site;
  }

  /** Runs a command of the engine that has to succeed. */
  async docker(...words: string[]): Promise<string> {
    const answer = await attempt(engine.client, words, { timeout: 60_000 });
    if (!answer.ok) throw new Error(`docker ${words[0]}: ${answer.reason}`);
    return answer.stdout.trim();
  }

  /** Starts etcd. */
  async startEtcd(...options: string[]): Promise<void> {
    const place = ["--network", this.network, "--network-alias", "etcd", "--hostname", "etcd"];
    await this.docker("run", "--detach", "--name", this.etcd, ...place, ...options, ETCD);
  }

  /** Starts a node by its name; it joins the scope, or whatever its variables say. */
  async node(variant: string, name: string, scope: string, { env = {}, options = [], command = [] }: Given = {}) {
    const place = ["--network", this.network, "--network-alias", `${scope}-${name}`, "--hostname", name];
    const all = {
      PATRONI_ENABLE: "true",
      PATRONI_SCOPE: scope,
      PATRONI_ETCD3_HOSTS: "etcd:2379",
      POSTGRES_PASSWORD: PASSWORD,
      ...env,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
    const node = await Container.start(variant, { env: given, options: [...place, ...options], command });
    this.nodes.push(node);
    return node;
  }

  /** A volume that is gone with the nodes. */
  async volume(): Promise<Volume> {
    const volume = await Volume.make();
    this.volumes.push(volume);
    return volume;
  }

  /** Removes all nodes, which would go on working while the next test runs, then their volumes. */
  async clear(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node[Symbol.asyncDispose]()));
    await Promise.all(this.volumes.splice(0).map((volume) => volume[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
    await attempt(engine.client, ["rm", "--force", "--volumes", this.etcd]);
    await attempt(engine.client, ["network", "rm", this.network]);
  }
}

/** A name for a cluster that no other test has. */
export const newScope = (): string => `t${randomBytes(4).toString("hex")}`;

/** The members of a node's cluster. */
export async function members(node: Container): Promise<Member[]> {
  const { status, body } = await rest(node, "/cluster");
  return status === 200 ? (JSON.parse(body).members as Member[]) : [];
}

/** Waits until a node's cluster has a leader and so many replicas that stream. */
export async function converged(node: Container, replicas: number): Promise<Member[]> {
  return node.until(`a leader and ${replicas} replicas that stream`, async () => {
    const all = await members(node);
    const leaders = all.filter(({ role, state }) => role === "leader" && state === "running");
    // Patroni before 4 says running of a replica that streams.
    const streaming = all.filter(({ role, state }) => role !== "leader" && /^(streaming|running)$/.test(state));
    return leaders.length === 1 && streaming.length === replicas ? all : undefined;
  });
}

/** What the REST API answers inside a node: the status, and the body as text. */
export async function rest(node: Container, path: string): Promise<{ status: number; body: string }> {
  const ask = `exec 3<>/dev/tcp/127.0.0.1/8008; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
  const { stdout } = await node.exec("bash", "-c", ask);
  const [head, ...body] = stdout.split(/\r?\n\r?\n/);
  return { status: Number(/^HTTP\/1\.\d (\d+)/.exec(head ?? "")?.[1]), body: body.join("\n\n") };
}
