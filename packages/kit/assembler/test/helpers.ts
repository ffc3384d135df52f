import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type AnyFragment, type EmittedFragment, emission, env, option, StrataError } from "@strata/fragment";
import { onTestFinished } from "vitest";
import type { ImageDefinition } from "../src/definition.js";

/** A folder of the running test's own; gone when the test is. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "strata assembler-"));
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

/** A fragment as it is read back after it was emitted. */
export async function emitted(
  name: string,
  more: Partial<AnyFragment> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<EmittedFragment> {
  const folder = await mkdtemp(join(tmpdir(), "strata assembler-"));
  try {
    for (const [path, content] of Object.entries(files)) await write(join(folder, "rootfs"), { [path]: content });
    const module = pathToFileURL(join(folder, "fragment.ts")).href;
    const { manifest, files: written } = await emission({ name, module, summary: `Sample ${name}`, ...more }, "1.0.0");
    const text = (part: string) => {
      const content = written.get(`${part}.Dockerfile`);
      return content === undefined ? {} : { [part]: String(content) };
    };
    const contents = manifest.files.map(({ path }) => [path, Buffer.from(written.get(`rootfs${path}`)!)] as const);
    const archive = written.get("rootfs.tar") as Buffer | undefined;
    return {
      manifest,
      dockerfiles: { ...text("setup"), ...text("runtime") },
      contents: new Map(contents),
      ...(archive ? { archive } : {}),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fragments that use everything a plan knows, in no particular order. */
export async function sampleFragments(): Promise<EmittedFragment[]> {
  return Promise.all([
    emitted(
      "server",
      {
        dependsOn: ["setup-server", "entrypoint"],
        runtime: {
          env: {
            SERVER_PASSWORD: env.string({ secret: true, text: "Password of the superuser." }),
            SERVER_DATA: env.path({ default: "/data", inImage: true, text: "Where | the data lies." }),
          },
          envPrefixes: ["SERVER_"],
          expose: [5432],
          volumes: ["/data"],
          labels: { "com.example.note": 'costs 5$ "net"' },
          cmd: ["serve"],
          stopSignal: "SIGINT",
        },
        modes: { "/etc/server/server.conf": "0640" },
      },
      { "opt/container/modes/serve.sh": "exec serve\n", "etc/server/server.conf": "a = b\n" },
    ),
    emitted(
      "setup-server",
      {
        dependsOn: ["setup-base", "setup-toolchain"],
        options: {
          major: option.string({ arg: "SERVER_MAJOR", default: "17", pattern: "[1-9][0-9]" }),
          channel: option.enum(["debian", "source"], { arg: "SERVER_CHANNEL", default: "debian" }),
          jit: option.boolean({ arg: "SERVER_JIT", default: true }),
          release: option.string({ arg: "SERVER_RELEASE", default: "15.1" }),
        },
        setup: {
          install: "install.sh",
          uses: ["setup-base"],
          build: {
            script: "build.sh",
            when: { option: "channel", is: "source" },
            sources: [
              {
                name: "server",
                option: "release",
                file: "server-${version}.tar.gz",
                git: "https://example.com/server",
                commit: { "15.1": "c".repeat(40) },
              },
            ],
          },
          imageEnv: { PATH: "/opt/${SERVER_MAJOR}/bin:${PATH}" },
        },
      },
      { "mnt/setup/setup-server/install.sh": "install server\n", "mnt/setup/setup-server/build.sh": "make server\n" },
    ),
    emitted(
      "entrypoint",
      {
        runtime: {
          env: {
            TIMEOUT: env.integer({ default: 30, min: 1, max: 3600, text: "Seconds that stopping may take." }),
            LOG_LEVEL: env.enum(["debug", "info"], { default: "info", text: "What is logged." }),
          },
          entrypoint: ["/opt/container/entrypoint.sh"],
        },
      },
      { "opt/container/entrypoint.sh": "exec\n" },
    ),
    emitted(
      "healthcheck",
      {
        dependsOn: ["entrypoint"],
        runtime: {
          healthcheck: {
            command: ["/opt/container/healthcheck.sh"],
            interval: "30s",
            timeout: "10s",
            startPeriod: "60s",
            retries: 3,
          },
        },
      },
      { "opt/container/healthcheck.sh": "check\n" },
    ),
    emitted(
      "setup-toolchain",
      {
        dependsOn: ["setup-base"],
        setup: { toolchain: "toolchain.sh", uses: ["setup-base"], reads: ["SERVER_MAJOR"], buildPackages: ["gcc"] },
      },
      { "mnt/setup/setup-toolchain/toolchain.sh": "gcc\n" },
    ),
    emitted(
      "setup-extension",
      {
        dependsOn: ["setup-server", "setup-toolchain"],
        options: {
          version: option.string({ arg: "EXTENSION_VERSION", default: "2.0" }),
          sum: option.string({ arg: "EXTENSION_SUM", default: "" }),
        },
        setup: {
          reads: ["SERVER_MAJOR"],
          build: {
            script: "build.sh",
            needs: ["setup-server"],
            optional: true,
            sources: [
              {
                name: "extension",
                option: "version",
                file: "extension-${version}.tar.gz",
                url: "https://example.com/v${version}.tar.gz",
                sha256: { "1.0": "1".repeat(64), "2.0": "2".repeat(64) },
                sumOption: "sum",
              },
            ],
          },
          supports: {
            fragment: "setup-server",
            option: "major",
            own: "version",
            ranges: { "1.": "13-15", "2.": "15-17" },
          },
        },
      },
      { "mnt/setup/setup-extension/build.sh": "make\n" },
    ),
    emitted(
      "setup-base",
      {
        options: { user: option.string({ arg: "BASE_USER", default: "app" }) },
        setup: { install: "install.sh" },
      },
      { "mnt/setup/setup-base/install.sh": "install base\n", "mnt/setup/setup-base/apt.sh": "apt\n" },
    ),
  ]);
}

/** An image over the sample fragments. Its own fragments are of no matter to plan and render. */
export function sampleImage(more: Partial<ImageDefinition> = {}): ImageDefinition {
  return {
    name: "sample",
    module: "file:///nowhere/image.ts",
    title: "Sample",
    description: 'A sample for 5$ and "more"',
    licenses: "MIT",
    user: "999:999",
    fragments: [],
    variants: {
      "17-trixie": {
        default: true,
        tags: ["17", "latest"],
        base: { name: "debian:trixie-slim", digest: `sha256:${"a".repeat(64)}`, suite: "trixie" },
        options: { "setup-base": { user: "postgres" }, "setup-server": { major: "17" } },
      },
      "15-bookworm": {
        tags: ["15"],
        base: { name: "debian:bookworm-slim", digest: `sha256:${"b".repeat(64)}`, suite: "bookworm" },
        options: { "setup-server": { major: "15", channel: "source", jit: false } },
      },
    },
    ...more,
  };
}

/** The package of the sample image. */
export const about = { version: "1.2.3", source: "https://example.com/sample" };

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

/** Numbers from 0 up to `below`, the same for the same seed. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The same things in another order. */
export function shuffled<T>(things: readonly T[], roll: (below: number) => number): T[] {
  const left = [...things];
  return things.map(() => left.splice(roll(left.length), 1)[0]!);
}
