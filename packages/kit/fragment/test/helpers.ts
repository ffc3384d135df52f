import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import type { AnyFragment } from "../src/definition.js";
import { StrataError } from "../src/errors.js";

/** A folder of the running test's own; gone when the test is. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strata fragment-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files by path relative to a folder. */
export async function write(folder: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** A fragment in a scratch folder, with these files below rootfs/. */
export async function fragmentIn(
  folder: string,
  files: Readonly<Record<string, string | Buffer>> = {},
  more: Partial<AnyFragment> = {},
): Promise<AnyFragment> {
  await write(join(folder, "rootfs"), files);
  return {
    name: "sample",
    module: pathToFileURL(join(folder, "fragment.ts")).href,
    summary: "A sample",
    ...more,
  };
}

/** What a call raises, as one text; fails when it raises nothing or something that is no StrataError. */
export async function problemsOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof StrataError) return error.message;
    throw error;
  }
  throw new Error("expected a StrataError, found none");
}
