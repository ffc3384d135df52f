import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, vi } from "vitest";

const STRATA = fileURLToPath(new URL("../bin/strata.mjs", import.meta.url));

// Tests run side by side here, so what they leave is taken away when all of a file are done.
const folders: string[] = [];
const disks: string[] = [];
const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const disk of disks) await promisify(execFile)("umount", [disk]);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

// Every run starts a Node of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 120_000 });

/** A folder of the running test's own. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strata cli-"));
  folders.push(folder);
  return folder;
}

/** Puts a disk with room for 64 KiB in the place of a folder; false where this user may mount none. */
export async function smallDisk(folder: string): Promise<boolean> {
  const words = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder];
  const mounted = await promisify(execFile)("mount", words).catch(() => undefined);
  if (mounted) disks.push(folder);
  return mounted !== undefined;
}

/** Writes files by path relative to a folder. */
export async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** How a run of the command ended. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command with nothing of this machine on its PATH but what `env` gives. */
export function start(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; ended: Promise<Run> } {
  const child = spawn(process.execPath, [STRATA, ...words], {
    cwd,
    env: { PATH: "/nowhere", HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data: Buffer) => {
    output.stdout += data;
  });
  child.stderr.on("data", (data: Buffer) => {
    output.stderr += data;
  });
  const ended = new Promise<Run>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
  return { child, ended };
}

/** Runs the command to its end. */
export const strata = (
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> => start(cwd, words, env).ended;

const base = (suite: string): string =>
  `{ name: "debian:${suite}-slim", digest: "sha256:${"a".repeat(64)}", suite: "${suite}" }`;

/** The text of an image.ts in images/<name>/ of the sample workspace. */
export const imageText = (name: string): string => `
import part from "../../packages/part/fragment.ts";
export default {
  name: "${name}", module: import.meta.url, title: "T", description: "D", user: "999:999",
  fragments: [part],
  up: { secrets: ["PASSWORD"], connect: "{host}:{port}" },
  variants: {
    "17-trixie": { default: true, tags: ["17"], base: ${base("trixie")}, options: { part: { major: "17" } } },
    "15-bookworm": { base: ${base("bookworm")} },
  },
};
`;

/** The text of the sample fragment. */
export const FRAGMENT = `
export default {
  name: "part", module: import.meta.url, summary: "A part",
  options: { major: { type: "string", arg: "MAJOR", default: "16" } },
  setup: { install: "install.sh" },
  runtime: { expose: [5432], volumes: ["/data"], cmd: ["serve"] },
};
`;

/** The texts of a toolchain and a component that is compiled with it. */
const COMPONENT = {
  "packages/tools/package.json": '{"name":"tools","version":"1.0.0"}',
  "packages/tools/fragment.ts": `
export default {
  name: "tools", module: import.meta.url, summary: "Tools", setup: { toolchain: "toolchain.sh" },
};
`,
  "packages/tools/rootfs/mnt/setup/tools/toolchain.sh": "true\n",
  "packages/thing/package.json": '{"name":"thing","version":"1.0.0"}',
  "packages/thing/rootfs/mnt/setup/thing/build.sh": "true\n",
};

const thingText = (sha256: string, optional: boolean): string => `
export default {
  name: "thing", module: import.meta.url, summary: "A thing", dependsOn: ["tools"],
  options: { version: { type: "string", arg: "THING_VERSION", default: "1.0" } },
  setup: {
    build: {
      script: "build.sh", optional: ${optional},
      sources: [{
        name: "thing", option: "version", file: "thing-\${version}.tar.gz",
        url: "https://127.0.0.1:9/thing.tar.gz", sha256: { "1.0": "${sha256}" },
      }],
    },
  },
};
`;

/** A workspace with an image `alpha` over one fragment and a component whose source has this sum. */
export async function componentWorkspace(sha256: string, optional = true): Promise<string> {
  const folder = await workspace("alpha");
  const image = imageText("alpha")
    .replace(
      "export default",
      'import tools from "../../packages/tools/fragment.ts";\nimport thing from "../../packages/thing/fragment.ts";\nexport default',
    )
    .replace("fragments: [part]", "fragments: [part, tools, thing]");
  await write(folder, {
    ...COMPONENT,
    "packages/thing/fragment.ts": thingText(sha256, optional),
    "images/alpha/image.ts": image,
  });
  return folder;
}

/** A workspace with these images over one fragment; gives its folder. */
export async function workspace(...images: readonly string[]): Promise<string> {
  const folder = await scratch();
  await write(folder, {
    "pnpm-workspace.yaml": "packages: []\n",
    "packages/part/package.json": '{"name":"part","version":"1.0.0"}',
    "packages/part/fragment.ts": FRAGMENT,
    "packages/part/rootfs/mnt/setup/part/install.sh": "true\n",
    "packages/part/rootfs/etc/part.conf": "part\n",
  });
  for (const name of images)
    await write(folder, {
      [`images/${name}/package.json`]: `{"name":"${name}","version":"2.0.0"}`,
      [`images/${name}/image.ts`]: imageText(name),
    });
  return folder;
}

/** A stub of `docker` that answers as these cases of a shell script say; gives the PATH that finds it. */
export async function dockerPath(folder: string, cases: string): Promise<string> {
  const bin = join(folder, "bin");
  const version = '{"Client":{"Version":"26.1.5"},"Server":{"Version":"26.1.5"}}';
  await write(bin, {
    docker: `#!/bin/sh
printf '%s\\n' "$*" >>"\${0%/*}/calls.log"
case "$*" in
version*) echo '${version}' ;;
buildx\\ version) echo v0.13.1 ;;
${cases}
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
`,
  });
  await chmod(join(bin, "docker"), 0o755);
  return bin;
}

/** The calls that the stub got. */
export async function calls(folder: string): Promise<string[]> {
  return (await readFile(join(folder, "bin/calls.log"), "utf8").catch(() => "")).split("\n").filter(Boolean);
}
