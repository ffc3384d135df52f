import type { Healthcheck } from "./definition.js";
import type { FragmentFile, Manifest } from "./manifest.js";
import type { Option } from "./option.js";

/** Where setup files are mounted during the build; nothing of it stays in a layer. */
export const SETUP_ROOT = "/mnt/setup";

/** The line that begins a build stage of its own in a Dockerfile fragment. */
export const STAGE_MARK = "# strata:stage";
/** The line that begins the instructions for the image itself in a Dockerfile fragment. */
export const IMAGE_MARK = "# strata:image";

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

function bindMount(fragment: string): string {
  const target = `${SETUP_ROOT}/${fragment}`;
  return `--mount=type=bind,source=${contextPath(fragment, target)},target=${target}`;
}

/**
 * The instructions that install the fragment, or undefined when it installs nothing.
 * /mnt is covered by a tmpfs first: an engine of BuildKit 0.8 leaves mount points behind in the layer.
 * The two secrets carry the site's APT mirror and proxy, which must not become part of the image.
 */
export function setupDockerfile(manifest: Omit<Manifest, "dockerfiles">): string | undefined {
  const { setup, name } = manifest;
  if (!setup) return undefined;
  const args = Object.values(manifest.options).map((option) => argLine(option as Option));
  const run = [
    "RUN --mount=type=tmpfs,target=/mnt",
    ...[...setup.uses, name].map(bindMount),
    "--mount=type=secret,id=apt-sources,target=/mnt/secrets/apt-sources",
    "--mount=type=secret,id=apt-conf,target=/mnt/secrets/apt-conf",
    `bash ${SETUP_ROOT}/${name}/${setup.install}`,
  ].join(" \\\n    ");
  const env = Object.entries(setup.imageEnv).map(([key, value]) => `ENV ${key}="${value}"`);
  return `${[IMAGE_MARK, ...args, run, ...env].join("\n")}\n`;
}

/** COPY lines that give every file its mode: all as programs first, then each other mode, by folder. */
function copyLines(name: string, files: readonly FragmentFile[]): string[] {
  const groups = new Map<string, FragmentFile[]>();
  for (const file of files) {
    if (file.mode === "0755") continue;
    const key = `${file.mode} ${file.path.slice(0, file.path.lastIndexOf("/") + 1)}`;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  const others = [...groups].map(([key, group]) => {
    const [mode, folder] = [key.slice(0, 4), key.slice(5)];
    return `COPY --chmod=${mode} ${json([...group.map((file) => contextPath(name, file.path)), folder])}`;
  });
  return [`COPY --chmod=0755 fragments/${name}/rootfs/ /`, ...others];
}

function healthcheckLine(given: Healthcheck): string {
  const { interval, timeout, startPeriod, retries, command } = given;
  const timing = `--interval=${interval} --timeout=${timeout} --start-period=${startPeriod} --retries=${retries}`;
  return `HEALTHCHECK ${timing} CMD ${json(command)}`;
}

/**
 * The instructions that put the fragment's files and settings into the image, or undefined when it adds none.
 * The files are gathered in a stage of their own, so that any number of modes makes one layer.
 */
export function runtimeDockerfile(manifest: Omit<Manifest, "dockerfiles">): string | undefined {
  const { runtime, name } = manifest;
  const files = manifest.files.filter((file) => file.kind === "runtime");
  if (!runtime && files.length === 0) return undefined;
  const lines: string[] = [];
  if (files.length > 0) lines.push(`${STAGE_MARK} ${name}`, `FROM scratch AS ${name}`, ...copyLines(name, files), "");
  lines.push(IMAGE_MARK);
  if (files.length > 0) lines.push(`COPY --from=${name} / /`);
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
