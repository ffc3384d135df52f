import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

const isCode = (error: unknown, ...codes: string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? "");

/** Whether a folder holds exactly these files already. */
async function holds(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<boolean> {
  const folders = new Set(
    [...files.keys()].flatMap((name) => name.split("/").map((_, i, all) => all.slice(0, i).join("/"))),
  );
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const found = entries.filter((entry) => entry.isFile());
    if (found.length !== files.size) return false;
    const odd = (name: string, isFolder: boolean): boolean => (isFolder ? !folders.has(name) : !files.has(name));
    for (const entry of entries) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      const name = relative(folder, path);
      if ((!entry.isFile() && !entry.isDirectory()) || odd(name, entry.isDirectory())) return false;
      if (entry.isFile() && !(await readFile(path)).equals(Buffer.from(files.get(name) as Uint8Array))) return false;
    }
    return true;
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/**
 * Puts `fresh` in the place of `folder`, which goes to `old` unless it holds the same; whoever comes in between, the
 * last one stays.
 */
async function swap(fresh: string, folder: string, old: string, same: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const aside = `${old}-${attempt}`;
    let moved = false;
    try {
      return await rename(fresh, folder);
    } catch (error) {
      if (!isCode(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
    }
    if (await same()) return;
    await rename(folder, aside).then(
      () => {
        moved = true;
      },
      (error: unknown) => {
        if (!isCode(error, "ENOENT")) throw error;
      },
    );
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
 * no reader and no interrupted run ever sees a half-written folder. One that holds them already is left alone: while
 * folders change places there is none for a moment, in which another build of the same could look for it.
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
    await swap(fresh, folder, join(room, "old"), () => holds(folder, files));
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
