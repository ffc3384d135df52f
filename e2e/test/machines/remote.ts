import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { must, ROOT, Scratch } from "../scratch.js";

const TOKEN = "token of a team";

/** What Turbo is told of a remote cache. */
export type RemoteSettings = Readonly<Record<"TURBO_API" | "TURBO_TOKEN" | "TURBO_TEAM", string>>;

/** Settings for the remote cache at an address. */
export const remoteAt = (url: string): RemoteSettings => ({
  TURBO_API: url,
  TURBO_TOKEN: TOKEN,
  TURBO_TEAM: "team",
});

/** A turborepo-remote-cache server as a team would run it, on 127.0.0.1, that keeps what it gets in a folder. */
export class RemoteCache implements AsyncDisposable {
  private constructor(
    readonly settings: RemoteSettings,
    private readonly store: Scratch,
    private readonly server: Scratch,
    private readonly child: ChildProcess,
  ) {}

  /** Installs it in a folder of its own, starts it and waits until it listens. */
  static async start(): Promise<RemoteCache> {
    const store = await Scratch.empty();
    const server = await Scratch.empty();
    await cp(join(ROOT, "e2e/remote-cache"), server.folder, { recursive: true });
    await must(server.folder, "pnpm", "install", "--frozen-lockfile", "--prefer-offline");
    const child = spawn(process.execPath, [join(server.folder, "node_modules/turborepo-remote-cache/dist/cli.js")], {
      cwd: store.folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: "production",
        HOST: "127.0.0.1",
        PORT: "0",
        TURBO_TOKEN: TOKEN,
        STORAGE_PROVIDER: "local",
        STORAGE_PATH: store.folder,
        STORAGE_PATH_USE_TMP_FOLDER: "false",
      },
    });
    let said = "";
    const url = await new Promise<string>((resolve, reject) => {
      const listen = (data: Buffer): void => {
        said += data;
        const address = /listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
        if (address) resolve(address);
      };
      child.stdout.on("data", listen);
      child.stderr.on("data", listen);
      child.once("close", (code) =>
        reject(new Error(`the remote cache ended with ${code} before it listened\n${said}`)),
      );
    });
    return new RemoteCache(remoteAt(url), store, server, child);
  }

  /** The folder with what was uploaded, one file per task. */
  get folder(): string {
    return join(this.store.folder, "team");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.child, "close");
    this.child.kill("SIGKILL");
    await ended;
    await this.store[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** A server that is no remote cache: it answers every request so. Counts what it is asked. */
export class OddRemote implements AsyncDisposable {
  #asked = 0;

  private constructor(private readonly server: Server) {}

  static async start(answer: RequestListener): Promise<OddRemote> {
    const server = createServer();
    const odd = new OddRemote(server);
    server.on("request", (request, response) => {
      odd.#asked++;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return odd;
  }

  /** How many requests came. */
  get asked(): number {
    return this.#asked;
  }

  /** What Turbo is told of it. */
  get settings(): RemoteSettings {
    return remoteAt(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}
