import { rename } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "@strata/engine";
import { Container, type Ended, engine, Folder, type Given, type Network } from "@strata/testing";
import { Client } from "pg";

/** The variants of the image with what each promises. */
export const VARIANTS = [
  { variant: "3.0-trixie", version: "3.0", tags: ["3.0", "latest"], suite: "trixie" },
  { variant: "2.6-bookworm", version: "2.6", tags: ["2.6"], suite: "bookworm" },
] as const;

export const PASSWORD = "a secret of the tests";

/** The reference of a variant; STRATA_TEST_HAPROXY names another image to test, built somewhere else. */
export const imageOf = (variant: string): string => `${process.env.STRATA_TEST_HAPROXY ?? "strata/haproxy"}:${variant}`;

/** What HAProxy knows, in numbers. */
export interface Counts {
  readonly primary: number;
  readonly replicas: number;
}

/** A container of the image, gone when the test is. */
export class HaproxyContainer extends Container {
  /** Starts a container with all three ports published on 127.0.0.1. */
  static async start(variant: string, { options = [], ...given }: Given = {}): Promise<HaproxyContainer> {
    const more = ["--publish", "127.0.0.1::5433", "--publish", "127.0.0.1::8404"];
    return HaproxyContainer.of(imageOf(variant), 5432, { ...given, options: [...more, ...options] });
  }

  /** Runs a container that is expected to end by itself, and gives how it did. */
  static async run(variant: string, given: Given = {}): Promise<Ended> {
    await using proxy = await HaproxyContainer.start(variant, given);
    return await proxy.ended();
  }

  private readonly ports = new Map<number, Promise<number>>();

  /** The port on 127.0.0.1 that leads to one inside. */
  portTo(inside: number): Promise<number> {
    const known = this.ports.get(inside) ?? this.askPort(inside);
    this.ports.set(inside, known);
    return known;
  }

  private async askPort(inside: number): Promise<number> {
    const { stdout } = await attempt(engine.client, ["port", this.name, `${inside}/tcp`]);
    return Number(stdout.split("\n")[0]!.split(":").at(-1));
  }

  /** Asks for a path over HTTP. */
  async get(path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`http://127.0.0.1:${await this.portTo(8404)}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Waits until HAProxy knows so many nodes of each kind. */
  async knows(wanted: Counts, seconds = 30): Promise<void> {
    const expected = `primary ${wanted.primary}\nreplicas ${wanted.replicas}\n`;
    let found = "";
    const look = async (): Promise<true | undefined> => {
      found = await this.get("/nodes").then(
        ({ text }) => text,
        (error: Error) => error.message,
      );
      return found === expected || undefined;
    };
    await this.until(JSON.stringify(wanted), look, seconds).catch((error: Error) => {
      throw new Error(`${error.message}\nit knows: ${found}`);
    });
  }
}

/** One container of each variant, in front of the same nodes: what nodes do happens to all at once. */
export class Proxies implements AsyncDisposable {
  private constructor(private readonly all: readonly HaproxyContainer[]) {}

  static async start(given: Given): Promise<Proxies> {
    const started = await Promise.allSettled(VARIANTS.map(({ variant }) => HaproxyContainer.start(variant, given)));
    const all = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const proxies = new Proxies(all);
    const failed = started.find((one) => one.status === "rejected");
    if (!failed) return proxies;
    await proxies[Symbol.asyncDispose]();
    throw failed.reason;
  }

  /** Does something with each at the same time; an error names the variant. */
  async each<T>(action: (proxy: HaproxyContainer) => Promise<T>): Promise<T[]> {
    return await Promise.all(
      this.all.map(async (proxy, at) => {
        try {
          return await action(proxy);
        } catch (error) {
          throw new Error(`${VARIANTS[at]!.variant}: ${(error as Error).message}`, { cause: error });
        }
      }),
    );
  }

  /** Waits until each knows so many nodes of each kind. */
  async know(wanted: Counts): Promise<void> {
    await this.each((proxy) => proxy.knows(wanted));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((proxy) => proxy[Symbol.asyncDispose]()));
  }
}

/** A session through the proxy, closed when the test is over. */
export class Session implements AsyncDisposable {
  /** Resolves when the connection ends, by whoever's will. */
  readonly ended: Promise<void>;

  private constructor(private readonly client: Client) {
    client.on("error", () => undefined);
    this.ended = new Promise((resolve) => client.once("end", resolve));
  }

  static async open(port: number): Promise<Session> {
    const login = { host: "127.0.0.1", port, user: "postgres", password: PASSWORD, database: "postgres" };
    const session = new Session(new Client({ ...login, connectionTimeoutMillis: 10_000 }));
    await session.client.connect();
    return session;
  }

  /** The node that it leads to. */
  async node(): Promise<string> {
    return (await this.client.query<{ cluster_name: string }>("show cluster_name")).rows[0]!.cluster_name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** The node that a new connection to a port leads to, or why there is none. */
export async function nodeAt(port: number): Promise<string> {
  try {
    await using session = await Session.open(port);
    return await session.node();
  } catch (error) {
    return `none: ${(error as Error).message}`;
  }
}

/** What the REST API of a node answers. */
export type Role = "primary" | "replica" | "none" | `replica ${number}`;

/** A server of the PostgreSQL image beside a stand-in for Patroni's REST API, whose answers a test switches. */
export class Node extends Container {
  private folder?: Folder;

  private static async with(network: Network, host: string, role: Role, given: Given): Promise<Node> {
    const folder = await Folder.with({ role });
    const script = ["--volume", `${import.meta.dirname}/rest.py:/rest.py:ro`];
    const options = [...network.as(host), ...folder.at("/stand-in"), ...script];
    const node = await Node.of("strata/postgresql:17-trixie", 5432, { ...given, options });
    node.folder = folder;
    return node;
  }

  /** A node whose server and REST API are there. */
  static async start(network: Network, host: string, role: Role): Promise<Node> {
    const env = { POSTGRES_PASSWORD: PASSWORD, POSTGRESQL_CLUSTER_NAME: host, POSTGRESQL_FSYNC: "off" };
    const node = await Node.with(network, host, role, { env });
    await node.healthy();
    await node.execWith(["--detach"], "python3", "/rest.py", "8008");
    return node;
  }

  /** A node whose REST API alone is there. */
  static async rest(network: Network, host: string, role: Role): Promise<Node> {
    return Node.with(network, host, role, { command: ["python3", "/rest.py", "8008"] });
  }

  /** Changes what its REST API answers; a number is how many megabytes it is behind. */
  async becomes(role: Role): Promise<void> {
    // Moved into its place: a file that is half written would be a failure.
    await this.folder!.write("role.new", role);
    await rename(join(this.folder!.path, "role.new"), join(this.folder!.path, "role"));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.folder?.[Symbol.asyncDispose]();
  }
}
