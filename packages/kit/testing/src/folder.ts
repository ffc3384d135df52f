import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

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
