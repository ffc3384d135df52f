import { Container, type Ended, type Given, insideImage, Network, Volume } from "@strata/testing";

/** The variants of the image that are built by themselves, with what each promises. */
export const VARIANTS = [
  { variant: "3.5-trixie", version: "3.5.16", tags: ["3.5", "latest"], suite: "trixie" },
  { variant: "3.4-bookworm", version: "3.4.23", tags: ["3.4"], suite: "bookworm" },
] as const;

/** Where the data is. */
export const DATA = "/var/lib/etcd";
/** Where certificates are mounted. */
export const TLS = "/etc/etcd/tls";

/** The reference of a variant; STRATA_TEST_ETCD_IMAGE names another image to test, built somewhere else. */
export const imageOf = (variant: string): string => `${process.env.STRATA_TEST_ETCD_IMAGE ?? "strata/etcd"}:${variant}`;

/** Runs a script in a fresh container without the entrypoint, as root unless options say otherwise. */
export const inside = (variant: string, script: string, options: readonly string[] = []): Promise<string> =>
  insideImage(imageOf(variant), script, options);

/** A container of the image, gone when the test is. */
export class Etcd extends Container {
  /** Starts a container with its port for clients published on 127.0.0.1. */
  static async start(variant: string, given: Given = {}): Promise<Etcd> {
    return Etcd.of(imageOf(variant), 2379, given);
  }

  /** Runs a container that is expected to end by itself, and gives how it did. */
  static async run(variant: string, given: Given = {}): Promise<Ended> {
    await using container = await Etcd.start(variant, given);
    return await container.ended(30);
  }

  /** Runs etcdctl in the container, with no options for how to reach etcd. */
  async ctl(...words: string[]): Promise<string> {
    const answer = await this.exec("etcdctl", ...words);
    if (!answer.ok) throw new Error(answer.stderr);
    return answer.stdout.trim();
  }

  /** The value of a key. */
  get(key: string): Promise<string> {
    return this.ctl("get", key, "--print-value-only");
  }

  /** Whether this node is the leader, and whether it has one, as it says itself. */
  async role(): Promise<{ leads: boolean; led: boolean }> {
    const [{ Status: status }] = JSON.parse(await this.ctl("endpoint", "status", "--write-out=json"));
    return { leads: status.leader === status.header.member_id, led: (status.leader ?? 0) !== 0 };
  }
}

/** Nodes n1, n2, n3 on a network of their own, each with a volume. */
export class Cluster implements AsyncDisposable {
  readonly nodes = new Map<string, Etcd>();
  readonly #resources: AsyncDisposable[] = [];

  private constructor(
    readonly variant: string,
    readonly network: Network,
    readonly given: Given,
  ) {}

  /** Starts three nodes at once, and waits until each is healthy. */
  static async make(variant: string, given: Given = {}): Promise<Cluster> {
    const cluster = new Cluster(variant, await Network.make(), given);
    try {
      await Promise.all(["n1", "n2", "n3"].map((name) => cluster.start(name)));
      await Promise.all([...cluster.nodes.values()].map((node) => node.healthy()));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a node with an empty volume, and does not wait for it. */
  async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<Etcd> {
    const volume = await Volume.make();
    this.#resources.push(volume);
    const node = await Etcd.start(this.variant, {
      env: { ETCD_NODES: "n1,n2,n3", ...this.given.env, ...env },
      options: [...this.network.as(name), ...volume.at(DATA), ...(this.given.options ?? [])],
    });
    this.nodes.set(name, node);
    this.#resources.push(node);
    return node;
  }

  node(name: string): Etcd {
    return this.nodes.get(name)!;
  }

  /** The name of the leader among some nodes, as soon as one of them says that it leads. */
  leader(names: readonly string[] = [...this.nodes.keys()]): Promise<string> {
    return this.node(names[0]!).until("a leader", async () => {
      for (const name of names) {
        const role = await this.node(name)
          .role()
          .catch(() => undefined);
        if (role?.leads) return name;
      }
      return undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#resources.reverse()) await resource[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }
}
