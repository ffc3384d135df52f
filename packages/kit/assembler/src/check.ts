import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isReservedArg, type Manifest, type Option, optionProblem, type Problems } from "@strata/fragment";
import { checkDefinition } from "./check-definition.js";
import { checkSetup } from "./check-setup.js";
import type { ImageDefinition, Variant } from "./definition.js";
import { suggestion } from "./suggest.js";

function checkPaths(manifests: readonly Manifest[], problems: Problems): void {
  const owners = new Map<string, string>();
  for (const { name, files } of manifests)
    for (const { path } of files) {
      const other = owners.get(path);
      if (other !== undefined)
        problems.add(
          `fragments ${other} and ${name}`,
          `both write ${path}, expected one owner`,
          `take rootfs${path} out of one of them`,
        );
      else owners.set(path, name);
    }
  for (const [path, name] of owners)
    for (let at = dirname(path); at !== "/"; at = dirname(at)) {
      const other = owners.get(at);
      if (other !== undefined)
        problems.add(
          `fragments ${other} and ${name}`,
          `write the file ${at} and ${path} in a folder of that name`,
          "rename one of them",
        );
    }
}

/** Names of which an image has one value each: its labels, and its ENV unless a value builds on the one before. */
function checkShared(manifests: readonly Manifest[], problems: Problems): void {
  const owners = new Map<string, { name: string; value: string }>();
  const claim = (what: string, key: string, name: string, value: string): void => {
    const other = owners.get(`${what} ${key}`);
    if (other && other.value !== value && !value.includes(`\${${key}}`))
      problems.add(
        `fragments ${other.name} and ${name}`,
        `set the ${what} ${key} differently: ${JSON.stringify(other.value)} and ${JSON.stringify(value)}`,
        "leave it to one of them",
      );
    else owners.set(`${what} ${key}`, { name, value });
  };
  for (const { name, setup, runtime } of manifests) {
    for (const [key, value] of Object.entries(setup?.imageEnv ?? {})) claim("ENV", key, name, value);
    for (const [key, { inImage, default: value }] of Object.entries(runtime?.env ?? {}))
      if (inImage && value !== undefined) claim("ENV", key, name, value);
    for (const [key, value] of Object.entries(runtime?.labels ?? {})) claim("label", key, name, value);
  }
}

function checkVariables(manifests: readonly Manifest[], problems: Problems): void {
  const owners = new Map<string, { name: string; variable: unknown }>();
  for (const { name, runtime } of manifests)
    for (const [key, variable] of Object.entries(runtime?.env ?? {})) {
      const other = owners.get(key);
      if (other && !isDeepStrictEqual(other.variable, variable))
        problems.add(
          `fragments ${other.name} and ${name}`,
          `declare ${key} differently: expected ${JSON.stringify(other.variable)}, found ${JSON.stringify(variable)}`,
          "declare it once, in the fragment that owns it",
        );
      else owners.set(key, { name, variable });
    }
}

/** Settings of which an image has one. */
const SINGLE = ["entrypoint", "cmd", "stopSignal", "healthcheck"] as const;

function checkSingles(manifests: readonly Manifest[], problems: Problems): void {
  for (const key of SINGLE) {
    const owners = manifests.filter((manifest) => manifest.runtime?.[key]).map((manifest) => manifest.name);
    if (owners.length > 1)
      problems.add(
        `fragments ${owners.join(" and ")}`,
        `each set ${key}, of which an image has one`,
        "leave it to one of them",
      );
  }
}

function checkArgs(manifests: readonly Manifest[], problems: Problems): void {
  const owners = new Map<string, string>();
  for (const { name, options } of manifests)
    for (const { arg } of Object.values(options)) {
      if (isReservedArg(arg))
        problems.add(`fragment ${name}`, `ARG ${arg} has a meaning of its own`, "give the option another ARG");
      const other = owners.get(arg);
      if (other !== undefined)
        problems.add(`fragments ${other} and ${name}`, `both have an option with ARG ${arg}`, "rename one ARG");
      owners.set(arg, name);
    }
}

function checkOptions(
  variant: string,
  given: Variant["options"],
  manifests: readonly Manifest[],
  problems: Problems,
): void {
  const names = manifests.map((manifest) => manifest.name);
  for (const [fragment, values] of Object.entries(given ?? {})) {
    const subject = `variant ${variant}, fragment ${fragment}`;
    const manifest = manifests.find(({ name }) => name === fragment);
    if (!manifest) {
      problems.add(subject, "options are given for a fragment that is not in the image", suggestion(fragment, names));
      continue;
    }
    for (const [name, value] of Object.entries(values ?? {})) {
      const option = Object.hasOwn(manifest.options, name) ? manifest.options[name] : undefined;
      const wrong = option ? optionProblem(option as Option, value) : "there is no such option";
      if (wrong)
        problems.add(
          `${subject}, option ${name}`,
          wrong,
          option ? undefined : suggestion(name, Object.keys(manifest.options)),
        );
    }
  }
}

/**
 * Adds to `problems` whatever keeps these fragments from being one image in this variant.
 * @param manifests those that will be in the image
 * @param all those and the ones that are left out, for which a variant may have options too
 */
export function check(
  image: ImageDefinition,
  variant: string,
  manifests: readonly Manifest[],
  all: readonly Manifest[],
  problems: Problems,
): void {
  checkDefinition(image, variant, problems);
  checkPaths(manifests, problems);
  checkVariables(manifests, problems);
  checkShared(manifests, problems);
  checkSingles(manifests, problems);
  checkArgs(manifests, problems);
  checkOptions(variant, image.variants[variant]?.options, all, problems);
  checkSetup(variant, image.variants[variant]?.options, manifests, problems);
}
