import type { Manifest, Source } from "@strata/fragment";
import type { PlannedSource } from "./plan.js";

type Values = Readonly<Record<string, string | boolean>>;
/** A source as a manifest has it. */
type ManifestSource = NonNullable<NonNullable<Manifest["setup"]>["build"]>["sources"][number];

/** Whether a fragment with these option values is compiled, and not installed as packages. */
export function isCompiled({ setup }: Manifest, values: Values): boolean {
  const when = setup?.build?.when;
  return setup?.build != null && (when == null || values[when.option] === when.is);
}

/** The release of a source for these option values. */
export const releaseOf = (source: Pick<Source, "option">, values: Values): string => String(values[source.option]);

/** The sum that a source has to have: the image's own, else the known one of its release. */
function sumOf(source: ManifestSource, values: Values): string | undefined {
  const given = source.sumOption === undefined ? "" : String(values[source.sumOption] ?? "");
  return given === "" ? source.sha256?.[releaseOf(source, values)] : given;
}

/** Why the release cannot be verified, or undefined when it can. */
export function sourceProblem(source: ManifestSource, values: Values): string | undefined {
  const release = releaseOf(source, values);
  if (sumOf(source, values) !== undefined || source.commit?.[release] !== undefined) return undefined;
  const known = Object.keys({ ...source.sha256, ...source.commit }).join(", ");
  return `no sum of release ${release} of ${source.name} is known, expected one of ${known}`;
}

/** A source for the release that the option values choose. */
export function planSource(source: ManifestSource, values: Values): PlannedSource {
  const release = releaseOf(source, values);
  const fill = (text: string): string => text.replaceAll("${version}", release);
  const [sha256, commit] = [sumOf(source, values), source.commit?.[release]];
  return {
    name: source.name,
    file: fill(source.file),
    ...(source.url === undefined ? {} : { url: fill(source.url) }),
    ...(source.git === undefined ? {} : { git: source.git }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(commit === undefined ? {} : { commit }),
  };
}

/**
 * The list that a build stage reads: for each source its name, its file in the sources folder, its sum and where it
 * comes from, with `-` for what is not known.
 */
export function sourcesText(sources: readonly PlannedSource[]): string {
  const lines = sources.map(({ name, file, sha256, url, git, commit }) =>
    [name, file, sha256 ?? "-", git ? "git" : "url", git ?? url, commit ?? "-"].join(" "),
  );
  return lines.map((line) => `${line}\n`).join("");
}
