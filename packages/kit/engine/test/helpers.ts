import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { StrataError } from "@strata/fragment";
import { onTestFinished } from "vitest";

/** A folder of the running test's own; gone when the test is. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strata engine-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files by path relative to a folder. */
export async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** A shell script in the place of a program; gives its path. */
export async function program(folder: string, name: string, body: string): Promise<string> {
  await write(folder, { [name]: `#!/bin/sh\n${body}\n` });
  await chmod(join(folder, name), 0o755);
  return join(folder, name);
}

/** Body of a `docker` that logs its arguments to calls.log beside it, a call a line, and does what `cases` says. */
export function docker(cases: string): string {
  return `printf '%s\\n' "$*" >>"\${0%/*}/calls.log"\ncase "$*" in\n${cases}\n*) echo "unexpected: $*" >&2; exit 9 ;;\nesac`;
}

/** The case for \`docker version\` of a client and, unless it is null, a server. */
export function versions(client: string, server: string | null): string {
  const answer = JSON.stringify({
    Client: { Version: client },
    Server: server === null ? null : { Version: server },
  });
  const end =
    server === null ? 'echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1' : "";
  return `version*) echo '${answer}'; ${end} ;;`;
}

/** The calls that a stub got. */
export async function calls(folder: string): Promise<string[]> {
  return (await readFile(join(folder, "calls.log"), "utf8").catch(() => "")).split("\n").filter(Boolean);
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
