import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PlannedSource } from "@strata/assembler";
import { attempt } from "@strata/engine";
import { fail } from "@strata/fragment";
import { isFull } from "./disk.js";

/** A source that is at hand and is what it has to be, or why it cannot be had. */
export type Obtained =
  | { readonly path: string; readonly sha256: string }
  | { readonly path?: undefined; readonly reason: string };

/** How sources are got. */
export interface SourceOptions {
  /** The folder that is looked into first and that keeps what is fetched. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly cancelSignal?: AbortSignal;
}

const HEADERS_TIMEOUT = 15_000;

/** The folder of sources: STRATA_SOURCES, else the cache folder's. */
export function sourcesFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return (
    environment.STRATA_SOURCES ||
    join(environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), ".cache"), "strata", "sources")
  );
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** The sum that a site itself vouches for, in `<file>.sha256` beside the file, as sha256sum writes it. */
async function sitesSum(path: string): Promise<string | undefined> {
  const text = await readFile(`${path}.sha256`, "utf8").catch(() => "");
  return /^[0-9a-f]{64}(?=\s|$)/.exec(text)?.[0];
}

/** Checks a file of the folder. A sum that is not the expected one stops whatever needs the source. */
async function verified(source: PlannedSource, path: string): Promise<Obtained> {
  const expected = source.sha256 ?? (await sitesSum(path));
  if (expected === undefined)
    return fail(
      `source ${source.name}`,
      `${path} is there, but nobody published a sum of it`,
      `write the sum that you trust to ${path}.sha256 (\`sha256sum ${source.file} >${source.file}.sha256\`)`,
    );
  const found = await sumOf(path);
  if (found === expected) return { path, sha256: found };
  return fail(
    `source ${source.name}`,
    `${path} is not what it has to be: expected sha256 ${expected}, found ${found}`,
    "take the file away, so that it is fetched again, or put the right one in its place",
  );
}

/** Fetches an address into a file. Gives why it could not be had, or nothing. */
async function download(url: string, file: string, cancelSignal?: AbortSignal): Promise<string | undefined> {
  try {
    const { EnvHttpProxyAgent, fetch } = await import("undici");
    const dispatcher = new EnvHttpProxyAgent({
      headersTimeout: HEADERS_TIMEOUT,
      connect: { timeout: HEADERS_TIMEOUT },
    });
    const response = await fetch(url, { dispatcher, ...(cancelSignal ? { signal: cancelSignal } : {}) });
    if (!response.ok || !response.body) return `${url} answered ${response.status} ${response.statusText}`.trim();
    await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
    const [length, { size }] = [response.headers.get("content-length"), await stat(file)];
    // What is sent compressed has another length than what arrives.
    const whole = length === null || response.headers.has("content-encoding") || Number(length) === size;
    return whole ? undefined : `${url} broke off after ${size} of ${length} bytes`;
  } catch (error) {
    cancelSignal?.throwIfAborted();
    // A component is never left out for a disk that is full.
    if (isFull(error)) throw error;
    const { cause, message } = error as Error;
    return `${url}: ${(cause as Error | undefined)?.message || message}`;
  }
}

/** Fetches a commit and packs it as one archive; git checks every byte of it against the commit. */
async function fetchCommit(source: PlannedSource, file: string, room: string): Promise<string | undefined> {
  const git = (...args: string[]) => attempt("git", ["-C", room, ...args], { timeout: 300_000 });
  const steps = [
    ["init", "--quiet", "--bare", "."],
    ["fetch", "--quiet", "--depth=1", source.git!, source.commit!],
    ["archive", "--format=tar.gz", `--prefix=${source.name}/`, `--output=${file}`, source.commit!],
  ];
  for (const step of steps) {
    const done = await git(...step);
    if (/no space left on device|quota exceeded/i.test(done.stderr))
      throw Object.assign(new Error(done.reason), { code: "ENOSPC" });
    if (!done.ok) return `${source.git} ${source.commit?.slice(0, 12)}: ${done.reason}`;
  }
  return undefined;
}

/** Fetches a source into the sources folder, which is made where it is not there. */
async function fetchSource(source: PlannedSource, { folder, say, cancelSignal }: SourceOptions): Promise<Obtained> {
  const path = join(folder, source.file);
  const absent = `${source.file} is not in ${folder}`;
  let room: string;
  try {
    await mkdir(folder, { recursive: true });
    room = await mkdtemp(join(folder, ".fetch-"));
  } catch (error) {
    if (isFull(error)) throw error;
    return { reason: `${absent}, and nothing can be put there: ${(error as Error).message}` };
  }
  try {
    const part = join(room, source.file);
    say(`fetching ${source.file} from ${source.url ?? source.git}`);
    const reason = source.url ? await download(source.url, part, cancelSignal) : await fetchCommit(source, part, room);
    if (reason !== undefined) return { reason: `${absent}, and ${reason}` };
    const found = await sumOf(part);
    if (source.sha256 !== undefined && found !== source.sha256)
      fail(
        `source ${source.name}`,
        `${source.url} gave something else: expected sha256 ${source.sha256}, found ${found}`,
        `see who changed it; a file that you trust can be put to ${path}`,
      );
    if (source.sha256 === undefined) await writeFile(`${path}.sha256`, `${found}  ${source.file}\n`);
    await rename(part, path);
    return { path, sha256: found };
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}

/**
 * Gives a source out of the sources folder, or fetches it into there. Raises a StrataError with both sums where what is
 * there or what was fetched is something else, and where it has no room; one that cannot be reached is no error.
 */
export async function obtainSource(source: PlannedSource, options: SourceOptions): Promise<Obtained> {
  const path = join(options.folder, source.file);
  try {
    return existsSync(path) ? await verified(source, path) : await fetchSource(source, options);
  } catch (error) {
    if (!isFull(error)) throw error;
    return fail(
      `sources folder ${options.folder}`,
      `expected room for ${source.file}, found none: ${(error as Error).message}`,
      "make room there, or name another folder with STRATA_SOURCES",
    );
  }
}
