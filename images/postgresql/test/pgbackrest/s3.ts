import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import S3rver from "s3rver";
import accounts from "s3rver/lib/models/account.js";
import { Folder, inside } from "../support.js";

/** The server's name in containers: localhost would be ::1 too, where nobody listens. */
const HOST = "s3.strata.test";

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** A port of 127.0.0.1 that takes every connection and never says a word. */
export class Silence implements AsyncDisposable {
  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly port: number,
  ) {}

  static async open(): Promise<Silence> {
    const server = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new Silence(server, (server.address() as { port: number }).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
  }
}

/** A key and a certificate for HOST that signs itself, made by the image's own openssl. */
export async function certificate(variant: string): Promise<{ key: string; cert: string }> {
  const made = await inside(
    variant,
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${HOST} \
      -addext subjectAltName=DNS:${HOST} -keyout /tmp/key -out /tmp/cert 2>/dev/null
    cat /tmp/key /tmp/cert`,
  );
  const cut = made.indexOf("-----BEGIN CERTIFICATE-----");
  return { key: made.slice(0, cut), cert: made.slice(cut) };
}

/** A real S3 server on 127.0.0.1 that speaks TLS and checks every request's signature. */
export class S3 implements AsyncDisposable {
  readonly accessKey = `key${randomBytes(8).toString("hex")}`;
  readonly secretKey = `secret${randomBytes(16).toString("hex")}`;
  readonly bucket = "backups";
  private port = 0;

  private constructor(
    private readonly server: S3rver,
    /** What it stores. */
    private readonly store: Folder,
    /** Its certificate, to be mounted as a CA. */
    readonly authority: Folder,
  ) {}

  static async start(variant: string): Promise<S3> {
    const { key, cert } = await certificate(variant);
    const store = await Folder.with();
    const server = new S3rver({
      address: "127.0.0.1",
      port: 0,
      directory: store.path,
      silent: true,
      vhostBuckets: false,
      key,
      cert,
      configureBuckets: [{ name: "backups" }],
    });
    const s3 = new S3(server, store, await Folder.with({ "ca.crt": cert }));
    accounts.DUMMY_ACCOUNT.createKeyPair(s3.accessKey, s3.secretKey);
    s3.port = (await server.run()).port;
    return s3;
  }

  /** Variables of a repository there, without the keys. */
  get env(): Record<string, string> {
    return {
      PGBACKREST_REPO1_TYPE: "s3",
      PGBACKREST_REPO1_PATH: "/repository",
      PGBACKREST_REPO1_S3_BUCKET: this.bucket,
      PGBACKREST_REPO1_S3_ENDPOINT: HOST,
      PGBACKREST_REPO1_S3_REGION: "us-east-1",
      PGBACKREST_REPO1_S3_URI_STYLE: "path",
      PGBACKREST_REPO1_STORAGE_PORT: String(this.port),
      PGBACKREST_REPO1_STORAGE_CA_FILE: "/authority/ca.crt",
    };
  }

  /** Options of `docker run` with which a container reaches it. */
  readonly network = ["--network", "host", "--add-host", `${HOST}:127.0.0.1`];

  /** Names of all objects. */
  async objects(): Promise<string[]> {
    return (await readdir(this.store.path, { recursive: true })).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    accounts.DUMMY_ACCOUNT.revokeAccessKey(this.accessKey);
    await this.server.close();
    await this.store[Symbol.asyncDispose]();
    await this.authority[Symbol.asyncDispose]();
  }
}
