import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { SETUP_ROOT } from "./dockerfile.js";
import type { Problems } from "./errors.js";
import type { FragmentFile } from "./manifest.js";

/** A file of a fragment with its content. */
export interface SourceFile extends FragmentFile {
  readonly content: Buffer;
}

/** The sha256 of some bytes, in hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The mode of a file unless its definition says another: programs 0755, everything else 0644. */
export function defaultMode(path: string): string {
  return /\.sh$|\/s?bin\/[^/]+$/.test(path) ? "0755" : "0644";
}

/** A file as a fragment carries it. */
export function sourceFile(path: string, content: Buffer, mode = defaultMode(path)): SourceFile {
  const kind = path.startsWith(`${SETUP_ROOT}/`) ? "setup" : "runtime";
  return { path, mode, sha256: sha256(content), kind, content };
}

/**
 * Every file below `rootfs`, sorted by path. A folder that is not there has no files. What is neither file nor folder
 * cannot be carried as data and is added to `problems`.
 * @param subject whose rootfs it is, for messages
 */
export async function readRootfs(
  rootfs: string,
  modes: Readonly<Record<string, string>>,
  subject: string,
  problems: Problems,
): Promise<SourceFile[]> {
  const entries = existsSync(rootfs) ? await readdir(rootfs, { recursive: true, withFileTypes: true }) : [];
  const files: SourceFile[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const name = join(entry.parentPath, entry.name);
    const path = `/${relative(rootfs, name).split(sep).join("/")}`;
    if (entry.isFile()) files.push(sourceFile(path, await readFile(name), modes[path]));
    else
      problems.add(
        subject,
        `rootfs${path} is no plain file, expected files and folders alone`,
        "make links while installing",
      );
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
