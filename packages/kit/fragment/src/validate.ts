import type { AnyFragment } from "./definition.js";
import { SETUP_ROOT } from "./dockerfile.js";
import { variableProblems } from "./environment.js";
import type { Problems } from "./errors.js";
import { type FragmentFile, type Manifest, ManifestSchema } from "./manifest.js";
import { optionProblem } from "./option.js";

const ARG_NAME = /^[A-Z][A-Z0-9_]*$/;

/** ARGs with a meaning of their own: the rendered Dockerfile's, BuildKit's, the shell's. */
export function isReservedArg(arg: string): boolean {
  return /^(BASE_IMAGE|PATH|HOME|SOURCE_DATE_EPOCH|BUILDKIT_.*|TARGET.*|[A-Z]+_PROXY)$/.test(arg);
}

function checkOptions(definition: AnyFragment, problems: Problems): void {
  const args = new Map<string, string>();
  for (const [name, given] of Object.entries(definition.options ?? {})) {
    const subject = `fragment ${definition.name}, option ${name}`;
    if (!ARG_NAME.test(given.arg))
      problems.add(subject, `expected an ARG name of capitals, digits and _, found ${given.arg}`);
    if (isReservedArg(given.arg))
      problems.add(subject, `ARG ${given.arg} has a meaning of its own`, "give the option another ARG");
    const other = args.get(given.arg);
    if (other) problems.add(subject, `ARG ${given.arg} is option ${other}'s already`, "give each option its own ARG");
    args.set(given.arg, name);
    const wrong = optionProblem(given, given.default);
    if (wrong) problems.add(subject, `its default is wrong: ${wrong}`);
  }
}

/** Where a file cannot lie: links of a merged /usr, which COPY does not follow, and folders whose mode it would reset. */
const NOT_HERE: readonly [folder: string, instead: string][] = [
  ["/bin", "/usr/bin"],
  ["/sbin", "/usr/sbin"],
  ["/lib", "/usr/lib"],
  ["/lib64", "/usr/lib64"],
  ["/var/run", "/run"],
  ["/var/lock", "/run/lock"],
  ["/tmp", "/usr/share"],
  ["/var/tmp", "/usr/share"],
  ["/root", "/usr/share"],
];

function checkFiles(definition: AnyFragment, files: readonly FragmentFile[], problems: Problems): void {
  const { name, setup, modes = {} } = definition;
  const subject = `fragment ${name}`;
  const paths = new Set(files.map((file) => file.path));
  for (const { path } of files)
    if (path.startsWith(`${SETUP_ROOT}/`) && !path.startsWith(`${SETUP_ROOT}/${name}/`))
      problems.add(
        subject,
        `rootfs${path} is a setup file outside of its own folder`,
        `move it to rootfs${SETUP_ROOT}/${name}/`,
      );
  for (const { path } of files)
    for (const [folder, instead] of NOT_HERE)
      if (path.startsWith(`${folder}/`))
        problems.add(
          subject,
          `rootfs${path}: expected no file in ${folder}, which COPY would break`,
          `write to ${instead}`,
        );
  for (const path of Object.keys(modes))
    if (!paths.has(path)) problems.add(subject, `modes names ${path}, which is not in rootfs`, "correct the path");
  for (const [key, script] of [
    ["install", setup?.install],
    ["toolchain", setup?.toolchain],
    ["build.script", setup?.build?.script],
  ] as const)
    if (script !== undefined && !paths.has(`${SETUP_ROOT}/${name}/${script}`))
      problems.add(
        subject,
        `setup.${key} names ${script}, which is not there`,
        `add rootfs${SETUP_ROOT}/${name}/${script}`,
      );
}

/** Whether every name that setup takes from elsewhere is one that is there. */
function checkSetup(definition: AnyFragment, problems: Problems): void {
  const { name, setup, dependsOn = [], options = {} } = definition;
  if (!setup) return;
  const subject = `fragment ${name}`;
  const depends = (key: string, other: string): void => {
    if (other !== name && !dependsOn.includes(other))
      problems.add(subject, `setup.${key} names ${other}, on which it does not depend`, `add "${other}" to dependsOn`);
  };
  const has = (key: string, option: string): void => {
    if (!Object.hasOwn(options, option))
      problems.add(
        subject,
        `setup.${key} names option ${option}, which it does not have`,
        `options: ${Object.keys(options).join(", ") || "none"}`,
      );
  };
  for (const used of setup.uses ?? []) depends("uses", used.split("/")[0]!);
  for (const used of setup.build?.uses ?? []) depends("build.uses", used.split("/")[0]!);
  for (const needed of setup.build?.needs ?? []) depends("build.needs", needed);
  if (setup.build?.when) has("build.when", setup.build.when.option);
  if (setup.supports) {
    depends("supports", setup.supports.fragment);
    has("supports.own", setup.supports.own);
  }
  const files = new Set<string>();
  for (const source of setup.build?.sources ?? []) {
    const key = `build.sources ${source.name}`;
    has(key, source.option);
    if (source.sumOption !== undefined) has(key, source.sumOption);
    if ((source.url === undefined) === (source.git === undefined))
      problems.add(subject, `setup.${key}: expected either url or git`, "give one of them");
    if (files.has(source.file)) problems.add(subject, `setup.${key}: ${source.file} is another source's file already`);
    files.add(source.file);
  }
  if (!setup.install && !setup.toolchain && !setup.build)
    problems.add(subject, "setup: expected install, toolchain or build, found none", "leave setup away");
}

/** Everything that is wrong with a definition, its files and what it would emit; all of it is added to `problems`. */
export function validateDefinition(definition: AnyFragment, manifest: Manifest, problems: Problems): void {
  const subject = `fragment ${definition.name}`;
  checkOptions(definition, problems);
  checkFiles(definition, manifest.files, problems);
  checkSetup(definition, problems);
  for (const [name, given] of Object.entries(definition.runtime?.env ?? {}))
    for (const message of variableProblems(name, given)) problems.add(`${subject}, variable ${name}`, message);
  for (const [path, mode] of Object.entries(definition.modes ?? {}))
    if (!/^[0-7]{4}$/.test(mode)) problems.add(subject, `mode of ${path}: expected four octal digits, found ${mode}`);
  for (const { path, message } of ManifestSchema.safeParse(manifest).error?.issues ?? []) {
    const found = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], manifest);
    // A wrong mode is told above, where the definition says it.
    if (path.at(-1) !== "mode") problems.add(subject, `${path.join(".")}: ${message}, found ${JSON.stringify(found)}`);
  }
}
