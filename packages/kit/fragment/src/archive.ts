import { buffer } from "node:stream/consumers";
import { type Headers, pack } from "tar-stream";

/** The time of every file in an archive, so that its bytes say nothing of when and where it was made. */
export const FILE_TIME = new Date("2000-01-01T00:00:00Z");

/** A file to put into an archive. */
export interface ArchiveFile {
  /** Absolute path in the image. */
  readonly path: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly content: Uint8Array;
}

/** The folders that lead to these paths, each once, outer ones first. */
function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/").slice(1, -1);
    parts.forEach((_, index) => void folders.add(parts.slice(0, index + 1).join("/")));
  }
  return [...folders].sort();
}

/**
 * The files as a tar archive: the same bytes for the same files, everywhere. Everything belongs to root; folders have
 * mode 0755 and are in it too, so that unpacking leaves no time of its own in them.
 */
export async function archive(files: readonly ArchiveFile[]): Promise<Buffer> {
  const tar = pack();
  const common: Partial<Headers> = { uid: 0, gid: 0, mtime: FILE_TIME };
  const whole = buffer(tar);
  for (const folder of foldersOf(files.map((file) => file.path)))
    tar.entry({ ...common, name: `${folder}/`, type: "directory", mode: 0o755 });
  for (const { path, mode, content } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    tar.entry({ ...common, name: path.slice(1), mode: Number.parseInt(mode, 8) }, Buffer.from(content));
  tar.finalize();
  return whole;
}
