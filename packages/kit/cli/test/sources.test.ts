import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { StrataError } from "@strata/fragment";
import { afterAll, describe, expect, it } from "vitest";
import { obtainSource, sourcesFolder } from "../src/sources.js";
import { scratch, smallDisk, write } from "./helpers.js";

const run = promisify(execFile);
const sum = (text: string): string => createHash("sha256").update(text).digest("hex");
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** The address of a server that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/thing.tar.gz`;
}

const thing = (more: object) => ({ name: "thing", file: "thing-1.tar.gz", ...more });
const options = (folder: string, said: string[] = []) => ({ folder, say: (line: string) => void said.push(line) });

/** What is raised, as text. */
async function raised(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StrataError) return error.message;
  throw error ?? new Error("expected a StrataError, found none");
}

describe("sourcesFolder", () => {
  it("is STRATA_SOURCES, else the cache's", () => {
    expect(sourcesFolder({ STRATA_SOURCES: "/s", XDG_CACHE_HOME: "/c" })).toBe("/s");
    expect(sourcesFolder({ STRATA_SOURCES: "", XDG_CACHE_HOME: "/c" })).toBe("/c/strata/sources");
    expect(sourcesFolder({ HOME: "/h" })).toBe("/h/.cache/strata/sources");
  });
});

describe("a source in the folder", () => {
  it("is taken when it has the sum, and nobody is asked", async () => {
    const folder = await scratch();
    await write(folder, { "thing-1.tar.gz": "thing" });
    const given = thing({ url: "http://127.0.0.1:1/x", sha256: sum("thing") });
    expect(await obtainSource(given, options(folder))).toEqual({
      path: join(folder, "thing-1.tar.gz"),
      sha256: sum("thing"),
    });
  });

  it("stops everything when it has another, and says both", async () => {
    const folder = await scratch();
    await write(folder, { "thing-1.tar.gz": "other" });
    const text = await raised(
      obtainSource(thing({ url: "http://127.0.0.1:1/x", sha256: sum("thing") }), options(folder)),
    );
    expect(text).toContain(`expected sha256 ${sum("thing")}, found ${sum("other")}`);
  });

  it("of which nobody published a sum needs one that the site vouches for", async () => {
    const folder = await scratch();
    const given = thing({ git: "https://127.0.0.1:1/x", commit: "c".repeat(40) });
    await write(folder, { "thing-1.tar.gz": "thing" });
    expect(await raised(obtainSource(given, options(folder)))).toContain("write the sum that you trust to");
    await write(folder, { "thing-1.tar.gz.sha256": `${sum("thing")}  thing-1.tar.gz\n` });
    expect(await obtainSource(given, options(folder))).toMatchObject({ sha256: sum("thing") });
    await write(folder, { "thing-1.tar.gz.sha256": `${sum("other")}  thing-1.tar.gz\n` });
    expect(await raised(obtainSource(given, options(folder)))).toContain(`expected sha256 ${sum("other")}`);
  });
});

describe("a source that is fetched", () => {
  it("is verified, kept in the folder, and not fetched again", async () => {
    const folder = join(await scratch(), "new");
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.end("thing");
    });
    const said: string[] = [];
    for (let times = 0; times < 2; times++)
      expect(await obtainSource(thing({ url, sha256: sum("thing") }), options(folder, said))).toMatchObject({
        sha256: sum("thing"),
      });
    expect([asked, said]).toEqual([1, [`fetching thing-1.tar.gz from ${url}`]]);
    expect(await readdir(folder)).toEqual(["thing-1.tar.gz"]);
  });

  it("is refused with both sums when it is something else, and nothing of it is kept", async () => {
    const folder = await scratch();
    const url = await serve((_, response) => response.end("evil"));
    const text = await raised(obtainSource(thing({ url, sha256: sum("thing") }), options(folder)));
    expect(text).toContain(`gave something else: expected sha256 ${sum("thing")}, found ${sum("evil")}`);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, RequestListener, string]>([
    ["an answer that is none", (_, response) => response.writeHead(404).end(), "answered 404 Not Found"],
    [
      "a transfer that breaks off",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write("thi");
        setTimeout(() => response.destroy(), 50);
      },
      "thing.tar.gz: ",
    ],
    ["a server that hangs up", (request) => request.socket.destroy(), "thing.tar.gz: "],
  ])("cannot be had with %s: a reason and no error, and nothing is kept", async (_, answer, reason) => {
    const folder = await scratch();
    const got = await obtainSource(thing({ url: await serve(answer), sha256: sum("thing") }), options(folder));
    expect(got).toEqual({ reason: expect.stringContaining(reason) });
    expect(got).toEqual({ reason: expect.stringContaining(`thing-1.tar.gz is not in ${folder}`) });
    expect(await readdir(folder)).toEqual([]);
  });

  it("cannot be had where nobody listens", async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => servers.at(-1)!.close(resolve));
    const got = await obtainSource(thing({ url, sha256: sum("x") }), options(await scratch()));
    expect(got).toEqual({ reason: expect.stringContaining("ECONNREFUSED") });
  });

  it("as a commit is packed, and its sum is kept beside it", async () => {
    const [repository, folder] = [await scratch(), await scratch()];
    const git = (...words: string[]) =>
      run("git", ["-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", ...words]);
    await git("init", "--quiet");
    await write(repository, { Makefile: "all:\n" });
    await git("add", ".");
    await git("commit", "--quiet", "-m", "one");
    const commit = (await git("rev-parse", "HEAD")).stdout.trim();
    const given = thing({ git: `file://${repository}`, commit });
    const got = await obtainSource(given, options(folder));
    const { stdout } = await run("tar", ["-tzf", join(folder, "thing-1.tar.gz")]);
    expect(stdout.split("\n")).toContain("thing/Makefile");
    expect(await readFile(join(folder, "thing-1.tar.gz.sha256"), "utf8")).toContain((got as { sha256: string }).sha256);
    expect(await obtainSource(given, options(folder))).toEqual(got);
    const wrong = { ...given, file: "b.tar.gz", commit: "0".repeat(40) };
    expect(await obtainSource(wrong, options(folder))).toEqual({ reason: expect.stringContaining("000000000000") });
  });
});

describe("a sources folder that takes nothing", () => {
  it("because its disk is full stops the build, and nothing is left behind", async ({ skip }) => {
    const folder = await scratch();
    if (!(await smallDisk(folder))) return skip("this user may mount no tmpfs");
    const content = "x".repeat(1_000_000);
    const url = await serve((_, response) => response.end(content));
    const text = await raised(obtainSource(thing({ url, sha256: sum(content) }), options(folder)));
    expect(text).toMatch(/^sources folder .*: expected room for thing-1\.tar\.gz, found none: ENOSPC/);
    expect(text).toContain("\u2192 make room there, or name another folder with STRATA_SOURCES");
    expect(await readdir(folder)).toEqual([]);
  });

  it("because it is a file gives a reason", async () => {
    const folder = await scratch();
    await write(folder, { sources: "" });
    const got = await obtainSource(thing({ url: "http://127.0.0.1:1/x" }), options(join(folder, "sources")));
    expect(got).toEqual({ reason: expect.stringMatching(/is not in .*sources, and nothing can be put there: EEXIST/) });
  });
});
