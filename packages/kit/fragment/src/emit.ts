import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { archive } from "./archive.js";
import type { AnyFragment } from "./definition.js";
import { runtimeDockerfile, setupDockerfile } from "./dockerfile.js";
import { contractText } from "./environment.js";
import { Problems } from "./errors.js";
import { readRootfs, type SourceFile, sha256, sourceFile } from "./files.js";
import type { Manifest } from "./manifest.js";
import { replaceFolder } from "./replace.js";
import { validateDefinition } from "./validate.js";

/** The folder in the image that holds one contract file per fragment. */
export const CONTRACT_FOLDER = "/opt/container/environment.d";

/** The runtime files of a fragment as one archive, in dist/. */
export const ARCHIVE = "rootfs.tar";

/** A fragment ready to be written: its manifest and the content of every file in dist/. */
export interface Emission {
  readonly manifest: Manifest;
  /** Content by path relative to dist/. */
  readonly files: ReadonlyMap<string, string | Buffer>;
}

/** The folder of a definition: rootfs/ and dist/ lie in it. */
export function fragmentFolder(definition: Pick<AnyFragment, "module">): string {
  return dirname(fileURLToPath(definition.module));
}

/** The manifest of a definition with these files: every default filled in, everything in a fixed order. */
function manifestOf(
  definition: AnyFragment,
  version: string,
  files: readonly SourceFile[],
  archived: Uint8Array | undefined,
): Manifest {
  const { runtime, setup } = definition;
  const draft: Omit<Manifest, "dockerfiles" | "archive"> = {
    schema: 1,
    name: definition.name,
    version,
    summary: definition.summary,
    options: (definition.options ?? {}) as Manifest["options"],
    dependsOn: [...(definition.dependsOn ?? [])].sort(),
    installsAfter: [...(definition.installsAfter ?? [])].sort(),
    conflictsWith: [...(definition.conflictsWith ?? [])].sort(),
    setup: setup
      ? {
          install: setup.install ?? null,
          uses: [...(setup.uses ?? [])].sort(),
          reads: [...(setup.reads ?? [])].sort(),
          buildPackages: [...(setup.buildPackages ?? [])].sort(),
          runtimePackages: [...(setup.runtimePackages ?? [])].sort(),
          toolchain: setup.toolchain ?? null,
          build: setup.build
            ? {
                script: setup.build.script,
                uses: [...(setup.build.uses ?? [])].sort(),
                when: setup.build.when ? { ...setup.build.when } : null,
                needs: [...(setup.build.needs ?? [])].sort(),
                sources: setup.build.sources.map((source) => ({ ...source })),
                optional: setup.build.optional ?? false,
              }
            : null,
          supports: setup.supports ? { ...setup.supports, ranges: { ...setup.supports.ranges } } : null,
          imageEnv: { ...setup.imageEnv },
        }
      : null,
    runtime: runtime
      ? {
          env: (runtime.env ?? {}) as NonNullable<Manifest["runtime"]>["env"],
          envPrefixes: [...(runtime.envPrefixes ?? [])].sort(),
          expose: [...(runtime.expose ?? [])],
          volumes: [...(runtime.volumes ?? [])],
          labels: { ...runtime.labels },
          healthcheck: runtime.healthcheck
            ? {
                ...runtime.healthcheck,
                command: [...runtime.healthcheck.command],
              }
            : null,
          entrypoint: runtime.entrypoint ? [...runtime.entrypoint] : null,
          cmd: runtime.cmd ? [...runtime.cmd] : null,
          stopSignal: runtime.stopSignal ?? null,
        }
      : null,
    files: files.map(({ path, mode, sha256, kind }) => ({
      path,
      mode,
      sha256,
      kind,
    })),
  };
  const [setupText, runtimeText] = [setupDockerfile(draft), runtimeDockerfile(draft)];
  return {
    ...draft,
    archive: archived === undefined ? null : sha256(archived),
    dockerfiles: {
      setup: setupText === undefined ? null : sha256(setupText),
      runtime: runtimeText === undefined ? null : sha256(runtimeText),
    },
  };
}

/** What a definition emits, as data. Reads rootfs/ beside it; writes nothing. Raises all that is wrong with it. */
export async function emission(definition: AnyFragment, version: string): Promise<Emission> {
  const problems = new Problems();
  const subject = `fragment ${definition.name}`;
  const files = await readRootfs(join(fragmentFolder(definition), "rootfs"), definition.modes ?? {}, subject, problems);
  const { env = {}, envPrefixes = [] } = definition.runtime ?? {};
  const contract = `${CONTRACT_FOLDER}/${definition.name}.contract`;
  if (files.some((file) => file.path === contract))
    problems.add(subject, `rootfs${contract} is generated from runtime.env`, "take it out of rootfs");
  else if (Object.keys(env).length + envPrefixes.length > 0)
    files.push(sourceFile(contract, Buffer.from(contractText(env, envPrefixes))));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const inImage = files.filter((file) => file.kind === "runtime");
  const archived = inImage.length > 0 ? await archive(inImage) : undefined;
  const manifest = manifestOf(definition, version, files, archived);
  validateDefinition(definition, manifest, problems);
  problems.throwIfAny();
  const written = new Map<string, string | Buffer>(files.map((file) => [`rootfs${file.path}`, file.content]));
  if (archived !== undefined) written.set(ARCHIVE, archived);
  written.set("fragment.json", `${JSON.stringify(manifest, null, 2)}\n`);
  const [setupText, runtimeText] = [setupDockerfile(manifest), runtimeDockerfile(manifest)];
  if (setupText !== undefined) written.set("setup.Dockerfile", setupText);
  if (runtimeText !== undefined) written.set("runtime.Dockerfile", runtimeText);
  return { manifest, files: written };
}

/** What the package.json that holds a folder says; nothing where there is none. */
async function packageOf(folder: string): Promise<{ name?: string; version?: string }> {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, "package.json");
    if (existsSync(file)) return JSON.parse(await readFile(file, "utf8"));
    if (dirname(at) === at) return {};
  }
}

/** The version of the package that holds the folder; 0.0.0 where no package.json is found. */
export async function packageVersion(folder: string): Promise<string> {
  return (await packageOf(folder)).version ?? "0.0.0";
}

/** The name of the package that holds the folder; empty where no package.json is found. */
export async function packageName(folder: string): Promise<string> {
  return (await packageOf(folder)).name ?? "";
}

/** Emits a definition to dist/ beside it. The folder is swapped whole: an interrupted run leaves the old one. */
export async function emit(definition: AnyFragment): Promise<Emission> {
  const folder = fragmentFolder(definition);
  const emitted = await emission(definition, await packageVersion(folder));
  await replaceFolder(join(folder, "dist"), emitted.files);
  return emitted;
}
