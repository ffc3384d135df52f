import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { archive } from "../src/archive.js";
import { emit } from "../src/emit.js";
import { sha256 } from "../src/files.js";
import { fragmentIn, scratch, write } from "./helpers.js";

const run = promisify(execFile);
const file = (path: string, mode = "0644") => ({ path, mode, content: Buffer.from(path) });

/** What tar itself lists: mode, owner, size, date and name of every entry. */
async function listed(content: Buffer): Promise<string[]> {
  const folder = await scratch();
  await write(folder, { "a.tar": content });
  const { stdout } = await run("tar", [
    "--quoting-style=literal",
    "--utc",
    "--full-time",
    "--numeric-owner",
    "-tvf",
    join(folder, "a.tar"),
  ]);
  return stdout.trim().split("\n");
}

describe("archive", () => {
  it("holds folders and files with their modes, all root's, all of one time", async () => {
    const lines = await listed(await archive([file("/opt/a/x.sh", "0755"), file("/etc/b.conf", "0640")]));
    expect(lines.map((line) => line.replace(/ +/g, " "))).toEqual([
      "drwxr-xr-x 0/0 0 2000-01-01 00:00:00 etc/",
      "drwxr-xr-x 0/0 0 2000-01-01 00:00:00 opt/",
      "drwxr-xr-x 0/0 0 2000-01-01 00:00:00 opt/a/",
      "-rw-r----- 0/0 11 2000-01-01 00:00:00 etc/b.conf",
      "-rwxr-xr-x 0/0 11 2000-01-01 00:00:00 opt/a/x.sh",
    ]);
  });

  it("is the same for the same files in any order", async () => {
    const [a, b] = [file("/a/x"), file("/b/y")];
    expect(await archive([a, b])).toEqual(await archive([b, a]));
  });

  it("takes long paths and names that are not ASCII", async () => {
    const long = `/opt/${"folder/".repeat(30)}ü.conf`;
    const lines = await listed(await archive([file(long)]));
    expect(lines.at(-1)).toContain("ü.conf".normalize());
  });

  it("is the same in another folder and under another umask", async () => {
    const sums: string[] = [];
    for (const umask of [0o022, 0o077]) {
      const before = process.umask(umask);
      try {
        const folder = await scratch();
        await emit(await fragmentIn(folder, { "opt/x.sh": "x", "etc/y": "y" }));
        sums.push(sha256(await readFile(join(folder, "dist/rootfs.tar"))));
      } finally {
        process.umask(before);
      }
    }
    expect(sums[0]).toBe(sums[1]);
  });
});
