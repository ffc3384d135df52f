import { type Manifest, type Problems, SETUP_ROOT } from "@strata/fragment";
import type { Variant } from "./definition.js";
import { isCompiled, releaseOf, sourceProblem } from "./sources.js";

type Values = Readonly<Record<string, string | boolean>>;

/** The option values of a fragment in a variant, defaults filled in. */
function valuesOf(manifest: Manifest, given: Variant["options"]): Values {
  const values = (given as Readonly<Record<string, Values>> | undefined)?.[manifest.name] ?? {};
  return Object.fromEntries(
    Object.entries(manifest.options).map(([name, option]) => [name, values[name] ?? option.default]),
  );
}

/** The range for a release: that of the longest beginning that fits. */
function rangeFor(release: string, ranges: Readonly<Record<string, string>>): string | undefined {
  const fits = Object.keys(ranges).filter((prefix) => release.startsWith(prefix));
  return ranges[fits.sort((a, b) => b.length - a.length)[0] ?? ""];
}

function checkSupports(
  subject: string,
  manifest: Manifest,
  values: Values,
  valuesFor: (name: string) => Values | undefined,
  problems: Problems,
): void {
  const supports = manifest.setup?.supports;
  const found = supports && valuesFor(supports.fragment)?.[supports.option];
  if (!supports || found === undefined) return;
  const release = String(values[supports.own]);
  const range = rangeFor(release, supports.ranges);
  if (range === undefined) return;
  const [from, to] = range.split("-").map(Number) as [number, number];
  if (Number(found) >= from && Number(found) <= to) return;
  const others = Object.entries(supports.ranges).filter(([, other]) => {
    const [low, high] = other.split("-").map(Number) as [number, number];
    return Number(found) >= low && Number(found) <= high;
  });
  problems.add(
    subject,
    `${supports.own} ${release} supports ${supports.option} ${from} to ${to} of ${supports.fragment}, found ${found}`,
    others.length > 0
      ? `choose a release that begins with ${others.map(([prefix]) => prefix).join(" or ")}`
      : `choose another ${supports.option}, or leave the fragment out`,
  );
}

/** Adds to `problems` what keeps the fragments' setup parts from working together in this variant. */
export function checkSetup(
  variant: string,
  options: Variant["options"],
  manifests: readonly Manifest[],
  problems: Problems,
): void {
  const present = new Map(manifests.map((manifest) => [manifest.name, manifest]));
  const valuesFor = (name: string): Values | undefined => {
    const manifest = present.get(name);
    return manifest && valuesOf(manifest, options);
  };
  const args = new Set(manifests.flatMap((manifest) => Object.values(manifest.options).map(({ arg }) => arg)));
  const toolchains = manifests.filter((manifest) => manifest.setup?.toolchain).map(({ name }) => name);
  if (toolchains.length > 1)
    problems.add(
      `fragments ${toolchains.join(" and ")}`,
      "each make the toolchain, of which an image has one",
      "leave it to one of them",
    );
  for (const manifest of manifests) {
    const { name, setup } = manifest;
    if (!setup) continue;
    const subject = `variant ${variant}, fragment ${name}`;
    for (const used of new Set([...setup.uses, ...(setup.build?.uses ?? [])])) {
      const owner = present.get(used.split("/")[0]!);
      if (owner?.files.every(({ path }) => !path.startsWith(`${SETUP_ROOT}/${used}/`)))
        problems.add(
          `fragment ${name}`,
          `uses the setup files ${used}, of which there are none`,
          "take it out of setup.uses",
        );
    }
    for (const arg of setup.reads)
      if (!arg.endsWith("?") && !args.has(arg))
        problems.add(subject, `reads ARG ${arg}, which is no fragment's option`, "correct setup.reads");
    const values = valuesOf(manifest, options);
    // A fragment that is installed as packages takes the release that the distribution has.
    if (setup.build && !isCompiled(manifest, values)) continue;
    checkSupports(subject, manifest, values, valuesFor, problems);
    if (!setup.build) continue;
    if (toolchains.length === 0)
      problems.add(subject, "it is compiled, and no fragment makes a toolchain", "add setup-toolchain to the image");
    for (const source of setup.build.sources) {
      const wrong = sourceProblem(source, values);
      if (wrong)
        problems.add(
          `${subject}, option ${source.option}`,
          wrong,
          source.sumOption
            ? `or set its sum in option ${source.sumOption}`
            : `choose a known release, not ${releaseOf(source, values)}`,
        );
    }
  }
}
