import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diskProblem } from "../src/disk.js";
import { FRAGMENT, scratch, smallDisk, strata, workspace, write } from "./helpers.js";

/** What writing to a file raises. */
const raised = (path: string): Promise<unknown> => writeFile(path, "x").catch((error: unknown) => error);

describe("diskProblem", () => {
  it("knows a full disk", async () => {
    expect(diskProblem(await raised("/dev/full"))).toEqual({
      subject: "disk",
      message: expect.stringMatching(/^expected room on the disk, found none: ENOSPC/),
      fix: expect.stringContaining("df -h"),
    });
  });

  it("knows a file that may not be written", async () => {
    const error = Object.assign(new Error("EACCES: permission denied, open '/x/y'"), { code: "EACCES", path: "/x/y" });
    expect(diskProblem(error)).toMatchObject({ subject: "file /x/y", message: expect.stringContaining("EACCES") });
  });

  it("says nothing of another error, or of what is none", async () => {
    expect(diskProblem(await raised(join(await scratch(), "no/file")))).toBeUndefined();
    expect(diskProblem(new Error("x"))).toBeUndefined();
    expect(diskProblem(undefined)).toBeUndefined();
  });
});

it("a command that finds the disk full says what to do, without a stack", async ({ skip }) => {
  const folder = join(await workspace("alpha"), "packages/part");
  if (!(await smallDisk(folder))) return skip("this user may mount no tmpfs");
  await write(folder, {
    "package.json": '{"name":"part","version":"1.0.0"}',
    "fragment.ts": FRAGMENT,
    "rootfs/mnt/setup/part/install.sh": "true\n",
    "rootfs/etc/part.conf": "x".repeat(40_000),
  });
  const { code, stderr } = await strata(folder, ["build"]);
  expect(stderr).toMatch(
    /^strata: (disk|file .*): expected room on the disk, found none: ENOSPC.*\n {2}\u2192 make room .*\n$/,
  );
  expect(code).toBe(1);
});
