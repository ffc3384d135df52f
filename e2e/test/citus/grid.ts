import { inspectImage } from "@strata/engine";
import { Container, engine, type Given, imageOf, VARIANTS } from "@strata/image-postgresql/test/container.js";
import { Volume } from "@strata/image-postgresql/test/support.js";
import { Network } from "@strata/testing";

/** The superuser's password of every node; with letters that a password file has a meaning for. */
export const PASSWORD = "c1tus:'secret'\\pässwörd";

/** Releases of Citus by variant, as the extension and the library name them. */
export const RELEASES: Record<string, { extension: string; library: string }> = {
  "17-trixie": { extension: "13.2-1", library: "13.2.2" },
  "15-bookworm": { extension: "11.3-2", library: "11.3.1" },
};

/** The variants, each with why its image has no Citus, if it has none. */
export const SITES = await Promise.all(
  VARIANTS.map(async ({ variant }) => {
    const labels = (await inspectImage(engine, imageOf(variant)))?.labels ?? {};
    const without = (labels["dev.strata.without"] ?? "").split(" ").includes("setup-citus");
    return { variant, without, reason: without ? "the image was built without Citus, whose sources are not here" : "" };
  }),
);

/** A node as pg_dist_node has it. */
export interface Node {
  readonly name: string;
  readonly group: number;
  readonly active: boolean;
  readonly synced: boolean;
  readonly shards: boolean;
}

/** A network with nodes of Citus on it; all are gone when the test is. */
export class Grid implements AsyncDisposable {
  private readonly nodes: Container[] = [];
  private readonly volumes: Volume[] = [];
  private constructor(
    private readonly variant: string,
    readonly network: Network,
  ) {}

  static async make(variant: string): Promise<Grid> {
    return new Grid(variant, await Network.make());
  }

  /** Starts a node by its name, at which the others reach it too; variables without a value are not set. */
  async node(name: string, { env = {}, options = [], command = [] }: Given = {}): Promise<Container> {
    const place = ["--network", this.network.name, "--network-alias", name, "--hostname", name];
    const all: Record<string, string> = { CITUS_ENABLE: "true", POSTGRES_PASSWORD: PASSWORD, ...env };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
    const node = await Container.start(this.variant, { env: given, options: [...place, ...options], command });
    this.nodes.push(node);
    return node;
  }

  /** Starts a worker of the coordinator that is called c. */
  async worker(name: string, { env = {}, options = [] }: Given = {}): Promise<Container> {
    return this.node(name, { env: { CITUS_ROLE: "worker", CITUS_COORDINATOR_HOST: "c", ...env }, options });
  }

  /** Starts a coordinator that is called c and so many workers, and waits until all are in their places. */
  async cluster(workers: number, { env = {}, options = [] }: Given = {}): Promise<[Container, ...Container[]]> {
    const coordinator = await this.node("c", { env, options });
    const names = Array.from({ length: workers }, (_, index) => `w${index + 1}`);
    const others = await Promise.all(names.map((name) => this.worker(name, { env })));
    for (const node of [coordinator, ...others]) await node.healthy();
    return [coordinator, ...others];
  }

  /** A volume that is gone with the nodes. */
  async volume(): Promise<Volume> {
    const volume = await Volume.make();
    this.volumes.push(volume);
    return volume;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node[Symbol.asyncDispose]()));
    await Promise.all(this.volumes.splice(0).map((volume) => volume[Symbol.asyncDispose]()));
    await this.network[Symbol.asyncDispose]();
  }
}

/** The nodes that a coordinator, or a worker's copy of its metadata, knows. */
export async function known(node: Container, database = "postgres"): Promise<Node[]> {
  const rows = await node.sql(
    "select json_agg(json_build_object('name', nodename, 'group', groupid, 'active', isactive, 'synced', metadatasynced," +
      " 'shards', shouldhaveshards) order by groupid, nodeid) from pg_dist_node",
    "postgres",
    database,
  );
  return (JSON.parse(rows || "null") as Node[] | null) ?? [];
}

/** Runs statements one after the other in one session of a node. */
export async function together(node: Container, ...statements: string[]): Promise<void> {
  const words = statements.flatMap((statement) => ["--command", statement]);
  const { ok, stderr } = await node.exec("psql", "-XAtqU", "postgres", "--set=ON_ERROR_STOP=1", ...words);
  if (!ok) throw new Error(stderr);
}

/** The address of a container on its network. */
export async function addressOf(node: Container): Promise<string> {
  return (await node.exec("hostname", "-i")).stdout.trim();
}
