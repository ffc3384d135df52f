import type { Healthcheck } from "./definition.js";
import type { Manifest } from "./manifest.js";
import type { Option } from "./option.js";

/** Where setup files are mounted during the build; nothing of it stays in a layer. */
export const SETUP_ROOT = "/mnt/setup";

/** The line that begins a build stage of its own in a Dockerfile fragment. */
export const STAGE_MARK = "# strata:stage";
/** The line that begins the instructions for the image itself in a Dockerfile fragment. */
export const IMAGE_MARK = "# strata:image";
/** The line that begins the copy of what was compiled: it comes after the instructions of all fragments. */
export const COMPONENT_MARK = "# strata:component";

/** Text as a double-quoted Dockerfile word, in which nothing is expanded. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"$]/g, "\\$&")}"`;
}

/** The `ARG` line of an option; render replaces it where an image sets another value. */
export function argLine(option: Option, value: string | boolean = option.default): string {
  return `ARG ${option.arg}=${quote(String(value))}`;
}

/** Where a fragment's file lies in the rendered context: setup files apart from those of the image. */
export function contextPath(fragment: string, path: string): string {
  const setup = `${SETUP_ROOT}/${fragment}`;
  if (path === setup || path.startsWith(`${setup}/`)) return `fragments/${fragment}/setup${path.slice(setup.length)}`;
  return `fragments/${fragment}/rootfs${path}`;
}

const json = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;

/** The stage from which the stages of compiled components start. */
export const TOOLCHAIN_STAGE = "toolchain";
/** The folder that a component is compiled into; all of it is copied into the image. */
export const OUT = "/out";

/** The stage in which a fragment is compiled. */
export const buildStage = (fragment: string): string => `build-${fragment}`;
/** Where a fragment's sources lie in the rendered context: their list, and the archives that are at hand. */
export const sourcesPath = (fragment: string): string => `sources/${fragment}`;
/** Where the archive of a fragment's runtime files lies in the rendered context. */
export const archivePath = (fragment: string): string => `fragments/${fragment}.tar`;

/** The line that copies what a fragment was compiled to: into the image, or into the stage of one that needs it. */
export const copyOut = (fragment: string): string => `COPY --from=${buildStage(fragment)} ${OUT}/ /`;
/** The line that adds a fragment's runtime files. */
export const addArchive = (fragment: string): string => `ADD ${archivePath(fragment)} /`;

/** A variable with packages, in front of a command; nothing where there are none. */
const assigned = (variable: string, packages: readonly string[]): string =>
  packages.length > 0 ? `${variable}=${quote(packages.join(" "))} ` : "";

/**
 * The folders below /mnt/setup that a script of a fragment sees: those it uses, and its own: the one it lies in, or all
 * of the fragment's where it lies in none.
 */
export function seenBy(fragment: string, script: string, uses: readonly string[]): string[] {
  const slash = script.lastIndexOf("/");
  return [...uses, slash < 0 ? fragment : `${fragment}/${script.slice(0, slash)}`];
}

const mount = (source: string, target: string): string => `--mount=type=bind,source=${source},target=${target}`;

/**
 * A line that runs one of the fragment's scripts over mounts alone.
 * /mnt is covered by a tmpfs first: an engine of BuildKit 0.8 leaves mount points behind in the layer.
 * The two secrets carry the site's APT mirror and proxy, which must not become part of the image.
 */
function runLine(
  { name }: Draft,
  script: string,
  uses: readonly string[],
  more: readonly string[],
  variables: string,
): string {
  const folders = seenBy(name, script, uses).map((seen) => `${SETUP_ROOT}/${seen}`);
  return [
    "RUN --mount=type=tmpfs,target=/mnt",
    ...folders.map((folder) => mount(contextPath(folder.split("/")[3]!, folder), folder)),
    ...more,
    "--mount=type=secret,id=apt-sources,target=/mnt/secrets/apt-sources",
    "--mount=type=secret,id=apt-conf,target=/mnt/secrets/apt-conf",
    `${variables}bash ${SETUP_ROOT}/${name}/${script}`,
  ].join(" \\\n    ");
}

type Draft = Omit<Manifest, "dockerfiles" | "archive">;

/**
 * The instructions that install the fragment, or undefined when it installs nothing: stages of its own, what runs in
 * the image, and the copy of what was compiled. An ARG of another fragment has no value here; render gives it one.
 */
export function setupDockerfile(manifest: Draft): string | undefined {
  const { setup, name } = manifest;
  if (!setup) return undefined;
  const own = Object.values(manifest.options).map((option) => argLine(option as Option));
  // A new release is a matter of the stage alone: the image's own instructions must not change with it.
  const releases = new Set(setup.build?.sources.flatMap((source) => [source.option, source.sumOption]));
  const inImage = Object.entries(manifest.options)
    .filter(([key]) => !releases.has(key))
    .map(([, option]) => argLine(option as Option));
  const read = setup.reads.map((arg) => `ARG ${arg.replace("?", "")}`);
  const lines: string[] = [];
  if (setup.toolchain) {
    const run = runLine(manifest, setup.toolchain, setup.uses, [], assigned("BUILD_PACKAGES", setup.buildPackages));
    lines.push(
      `${STAGE_MARK} ${TOOLCHAIN_STAGE}`,
      `FROM ${"${BASE_IMAGE}"} AS ${TOOLCHAIN_STAGE}`,
      ...own,
      ...read,
      run,
    );
  }
  if (setup.build) {
    const { script, needs, uses, optional } = setup.build;
    const sources = [mount(sourcesPath(name), "/mnt/sources")];
    const variables = `${optional ? "OPTIONAL=true " : ""}${assigned("BUILD_PACKAGES", setup.buildPackages)}`;
    const run = runLine(manifest, script, uses, sources, variables);
    lines.push(`${STAGE_MARK} ${buildStage(name)}`, `FROM ${TOOLCHAIN_STAGE} AS ${buildStage(name)}`);
    lines.push(...own, ...read, ...needs.map(copyOut), run);
  }
  const env = Object.entries(setup.imageEnv).map(([key, value]) => `ENV ${key}="${value}"`);
  if (setup.install) {
    const packages = assigned("RUNTIME_PACKAGES", setup.runtimePackages);
    const run = runLine(manifest, setup.install, setup.uses, [], packages);
    lines.push(IMAGE_MARK, ...inImage, ...read, run, ...env);
  } else if (env.length > 0) lines.push(IMAGE_MARK, ...inImage, ...read, ...env);
  if (setup.build) lines.push(COMPONENT_MARK, copyOut(name));
  return `${lines.join("\n")}\n`;
}

function healthcheckLine(given: Healthcheck): string {
  const { interval, timeout, startPeriod, retries, command } = given;
  const timing = `--interval=${interval} --timeout=${timeout} --start-period=${startPeriod} --retries=${retries}`;
  return `HEALTHCHECK ${timing} CMD ${json(command)}`;
}

/**
 * The instructions that put the fragment's files and settings into the image, or undefined when it adds none.
 * The files come as one archive: it carries every mode, owner and time, so the layer is the same wherever it is built.
 */
export function runtimeDockerfile(manifest: Draft): string | undefined {
  const { runtime, name } = manifest;
  const hasFiles = manifest.files.some((file) => file.kind === "runtime");
  if (!runtime && !hasFiles) return undefined;
  const lines = [IMAGE_MARK];
  if (hasFiles) lines.push(addArchive(name));
  if (runtime) {
    for (const [key, { default: value, inImage }] of Object.entries(runtime.env))
      if (inImage && value !== undefined) lines.push(`ENV ${key}=${quote(value)}`);
    for (const [key, value] of Object.entries(runtime.labels)) lines.push(`LABEL ${quote(key)}=${quote(value)}`);
    if (runtime.expose.length > 0) lines.push(`EXPOSE ${runtime.expose.join(" ")}`);
    if (runtime.volumes.length > 0) lines.push(`VOLUME ${json(runtime.volumes)}`);
    if (runtime.stopSignal) lines.push(`STOPSIGNAL ${runtime.stopSignal}`);
    if (runtime.healthcheck) lines.push(healthcheckLine(runtime.healthcheck));
    if (runtime.entrypoint) lines.push(`ENTRYPOINT ${json(runtime.entrypoint)}`);
    if (runtime.cmd) lines.push(`CMD ${json(runtime.cmd)}`);
  }
  return `${lines.join("\n")}\n`;
}
