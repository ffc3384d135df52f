import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { attempt } from "@strata/engine";
import { type Container, engine, imageOf } from "./container.js";

/** Where a new cluster is. */
export const DATA = "/var/lib/postgresql/data";
/** Where init scripts are. */
export const SCRIPTS = "/docker-entrypoint-initdb.d";
/** Where the user's configuration is. */
export const CONFIG = "/usr/local/pgsql/config";

/** A named volume that is gone when the test is. */
export class Volume implements AsyncDisposable {
  private constructor(readonly name: string) {}

  /** Options are those of `docker volume create`. */
  static async make(...options: string[]): Promise<Volume> {
    const name = `strata-test-${randomBytes(6).toString("hex")}`;
    const made = await attempt(engine.client, ["volume", "create", ...options, name]);
    if (!made.ok) throw new Error(made.reason);
    return new Volume(name);
  }

  /** Options of `docker run` that mount it. */
  at(path = DATA): string[] {
    return ["--volume", `${this.name}:${path}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt(engine.client, ["volume", "rm", "--force", this.name]);
  }
}

/** A file of a folder: its text alone, or with a mode. */
export type File = string | Uint8Array | { readonly text: string | Uint8Array; readonly mode: number };

/** A folder of this machine that containers mount, gone when the test is. */
export class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async with(files: Readonly<Record<string, File>> = {}): Promise<Folder> {
    const folder = new Folder(await mkdtemp(join(tmpdir(), "strata-test-")));
    await chmod(folder.path, 0o755);
    for (const [name, file] of Object.entries(files)) await folder.write(name, file);
    return folder;
  }

  /** Writes a file; its mode is 0644 unless it says otherwise, whatever the umask. */
  async write(name: string, file: File): Promise<void> {
    const path = join(this.path, name);
    const { text, mode } = typeof file === "object" && "text" in file ? file : { text: file, mode: 0o644 };
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, text);
    await chmod(path, mode);
  }

  /** Options of `docker run` that mount it; containers cannot write to it unless they may. */
  at(path: string, may: "ro" | "rw" = "ro"): string[] {
    return ["--volume", `${this.path}:${path}:${may}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Runs a script in a fresh container without the entrypoint, as root unless options say otherwise. */
export async function inside(variant: string, script: string, options: readonly string[] = []): Promise<string> {
  const words = ["run", "--rm", "--user", "0", ...options, "--entrypoint", "bash", imageOf(variant), "-ec", script];
  const answer = await attempt(engine.client, words, { timeout: 120_000 });
  if (!answer.ok) throw new Error(`${answer.stdout}\n${answer.stderr}`);
  return answer.stdout.trim();
}

/** Every file below a folder of a container, stopped or not: mode, owner, size, time, path. */
export async function listing(container: Container, path = DATA): Promise<string> {
  const copy = 'set -o pipefail; "$0" cp "$1:$2" - | tar -tv --full-time --numeric-owner -f -';
  const answer = await attempt("bash", ["-c", copy, engine.client, container.name, path], { timeout: 60_000 });
  if (!answer.ok) throw new Error(answer.stderr);
  return answer.stdout;
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Works on every item, `width` at a time; gives the results in the items' order. */
export async function inTurns<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  const ended = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  return results;
}
