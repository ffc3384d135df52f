import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type EmittedFragment,
  formatProblem,
  type Problem,
  Problems,
  replaceFolder,
  StrataError,
} from "@strata/fragment";
import type { ImageDefinition } from "./definition.js";
import { loadFragments, loadImagePackage, type OnEmit } from "./load.js";
import { type ImagePackage, type Plan, plan } from "./plan.js";
import { render } from "./render.js";
import { pick } from "./suggest.js";

/** The folder into which a variant of an image is rendered. */
export function variantFolder(image: ImageDefinition, variant: string): string {
  return join(dirname(fileURLToPath(image.module)), "dist", variant);
}

/** The variant that is meant when none is named. Raises a StrataError unless exactly one is the default. */
export function defaultVariant(image: ImageDefinition): string {
  const names = Object.keys(image.variants);
  const chosen = names.length === 1 ? names : names.filter((name) => image.variants[name]!.default);
  const problems = new Problems();
  if (chosen.length !== 1)
    problems.add(
      `image ${image.name}`,
      `expected one default variant, found ${chosen.length} of ${names.length}`,
      "set default: true on one",
    );
  problems.throwIfAny();
  return chosen[0]!;
}

/** The variants of that name, or all of them; an unknown name is an error with the nearest one. */
export function chooseVariants(image: ImageDefinition, name?: string): string[] {
  if (name === undefined) return Object.keys(image.variants);
  pick("variant", name, image.variants, `variant of image ${image.name}`);
  return [name];
}

function planAll(
  image: ImageDefinition,
  variants: readonly string[],
  fragments: readonly EmittedFragment[],
  about: ImagePackage,
): Plan[] {
  const problems = new Map<string, Problem>();
  const plans = variants.flatMap((variant) => {
    try {
      return [plan(image, variant, fragments, about)];
    } catch (error) {
      if (!(error instanceof StrataError)) throw error;
      for (const problem of error.problems) problems.set(formatProblem(problem), problem);
      return [];
    }
  });
  if (problems.size > 0) throw new StrataError([...problems.values()]);
  return plans;
}

/** Plans variants of an image. Problems of all variants are told at once, and each once. */
export async function planImage(image: ImageDefinition, variants: readonly string[], onEmit?: OnEmit): Promise<Plan[]> {
  return planAll(image, variants, await loadFragments(image, onEmit), await loadImagePackage(image));
}

/** An image that is planned and rendered, with all that planning it anew takes. */
export interface Prepared {
  readonly plans: readonly Plan[];
  readonly fragments: readonly EmittedFragment[];
  readonly about: ImagePackage;
}

/**
 * Plans and renders variants of an image to dist/<variant>/ beside it, each swapped whole. Folders of variants that
 * the definition no longer has are taken away.
 */
export async function prepareImage(
  image: ImageDefinition,
  variants: readonly string[],
  onEmit?: OnEmit,
): Promise<Prepared> {
  const fragments = await loadFragments(image, onEmit);
  const about = await loadImagePackage(image);
  const plans = planAll(image, variants, fragments, about);
  for (const planned of plans) await replaceFolder(variantFolder(image, planned.variant), render(planned, fragments));
  const dist = dirname(variantFolder(image, "any"));
  // A name with a dot is another build's, not whole yet.
  for (const name of await readdir(dist))
    if (!name.startsWith(".") && !Object.hasOwn(image.variants, name))
      await rm(join(dist, name), { recursive: true, force: true });
  return { plans, fragments, about };
}

/** As prepareImage; gives the plans. */
export async function buildImage(
  image: ImageDefinition,
  variants: readonly string[],
  onEmit?: OnEmit,
): Promise<Plan[]> {
  return [...(await prepareImage(image, variants, onEmit)).plans];
}
