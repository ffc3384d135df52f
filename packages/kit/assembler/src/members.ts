import {
  argLine,
  type EmittedFragment,
  type FragmentFile,
  type Manifest,
  type Option,
  SETUP_ROOT,
  seenBy,
} from "@strata/fragment";
import type { Values } from "./digest.js";
import { type Sections, splitDockerfile } from "./sections.js";
import { isCompiled } from "./sources.js";

/** A fragment of the image with everything that planning it takes. */
export interface Member {
  readonly manifest: Manifest;
  readonly values: Values;
  readonly sections: Sections;
  /** Whether it is compiled in this variant. */
  readonly compiled: boolean;
}

/** Files that a script of a fragment sees: those it uses and its own. */
export function filesSeen(
  fragment: string,
  script: string,
  uses: readonly string[],
  members: ReadonlyMap<string, Member>,
): FragmentFile[] {
  return seenBy(fragment, script, uses).flatMap((seen) => {
    const files = members.get(seen.split("/")[0]!)?.manifest.files ?? [];
    return files.filter(({ path }) => path.startsWith(`${SETUP_ROOT}/${seen}/`));
  });
}

/** The ARG lines of these fragments with the image's values, by ARG. */
function argLines(manifests: readonly Manifest[], values: ReadonlyMap<string, Values>): Map<string, string> {
  return new Map(
    manifests.flatMap(({ name, options }) =>
      Object.entries(options).map(([key, option]) => [option.arg, argLine(option as Option, values.get(name)![key]!)]),
    ),
  );
}

/** Instructions with the image's values in place of whatever their ARG lines said. */
function withValues(text: string, lines: ReadonlyMap<string, string>): string {
  return text
    .split("\n")
    .map((line) => lines.get(/^ARG ([A-Z][A-Z0-9_]*)(=|$)/.exec(line)?.[1] ?? "") ?? line)
    .join("\n");
}

/** The fragments of an image by name, in their order, with the values of their options filled in. */
export function membersOf(
  manifests: readonly Manifest[],
  fragments: readonly EmittedFragment[],
  values: ReadonlyMap<string, Values>,
): Map<string, Member> {
  const lines = argLines(manifests, values);
  return new Map(
    manifests.map((manifest) => {
      const { dockerfiles } = fragments.find((fragment) => fragment.manifest === manifest)!;
      const own = values.get(manifest.name)!;
      const sections = splitDockerfile(withValues(dockerfiles.setup ?? "", lines));
      return [manifest.name, { manifest, values: own, sections, compiled: isCompiled(manifest, own) }];
    }),
  );
}
