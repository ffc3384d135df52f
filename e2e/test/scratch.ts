import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Options } from "execa";

/** The workspace that is tested. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, whatever the end. CI's own flags are kept out: the output is a user's. */
export async function sh(cwd: string, command: string, args: readonly string[], options: Options = {}): Promise<Ended> {
  const env = { TURBO_TELEMETRY_DISABLED: "1", NO_COLOR: "1", FORCE_COLOR: undefined, ...options.env };
  const result = await execa(command, args, { reject: false, stdin: "ignore", ...options, cwd, env });
  return { code: result.exitCode, stdout: String(result.stdout ?? ""), stderr: String(result.stderr ?? "") };
}

/** Runs a command and raises its output when it fails. */
export async function must(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sh(cwd, command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** A folder that is gone when the test is. */
export class Scratch implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** An empty folder. */
  static async empty(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), "strata-e2e-")));
  }

  /** A copy of the workspace as it is on disk, without what is ignored, with its dependencies installed. */
  static async workspace(): Promise<Scratch> {
    const scratch = await Scratch.empty();
    const listed = await must(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard");
    for (const name of listed.split("\0").filter(Boolean)) {
      await mkdir(join(scratch.folder, dirname(name)), { recursive: true });
      await cp(join(ROOT, name), join(scratch.folder, name)).catch((error: NodeJS.ErrnoException) => {
        // A file that Git still lists and that is not there any more.
        if (error.code !== "ENOENT") throw error;
      });
    }
    const author = ["-c", "user.name=e2e", "-c", "user.email=e2e@localhost"];
    await must(scratch.folder, "git", "init", "--quiet");
    await must(scratch.folder, "git", "add", "--all");
    await must(scratch.folder, "git", ...author, "commit", "--quiet", "--message", "as it is");
    await must(scratch.folder, "pnpm", "install", "--frozen-lockfile", "--prefer-offline");
    return scratch;
  }

  /** The content of a file. */
  async read(name: string): Promise<string> {
    return readFile(join(this.folder, name), "utf8");
  }

  /** Writes a file. */
  async write(name: string, content: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), content);
  }

  /** Adds text to the end of a file. */
  async append(name: string, text: string): Promise<void> {
    await this.write(name, `${await this.read(name)}${text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
