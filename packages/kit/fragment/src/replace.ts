import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const isCode = (error: unknown, ...codes: string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? "");

/** Puts `fresh` in the place of `folder`, which goes to `old`; whoever comes in between, the last one stays. */
async function swap(fresh: string, folder: string, old: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const aside = `${old}-${attempt}`;
    let moved = true;
    await rename(folder, aside).catch((error: unknown) => {
      if (!isCode(error, "ENOENT")) throw error;
      moved = false;
    });
    try {
      return await rename(fresh, folder);
    } catch (error) {
      if (isCode(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) continue;
      if (moved) await rename(aside, folder);
      throw error;
    }
  }
}

/**
 * Replaces a folder by one with exactly these files. Everything is written beside it first and moved last, so that
 * no reader and no interrupted run ever sees a half-written folder.
 */
export async function replaceFolder(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  // mkdtemp's own folder is private to this user; what is made in it has the modes that the umask gives.
  const room = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    const fresh = join(room, "fresh");
    await mkdir(fresh);
    for (const [name, content] of files) {
      const path = join(fresh, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
    await swap(fresh, folder, join(room, "old"));
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
