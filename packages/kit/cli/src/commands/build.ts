import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { buildImage, loadFragment, variantFolder } from "@strata/assembler";
import { emit } from "@strata/fragment";
import { say } from "../output.js";
import { select } from "../workspace.js";

/** `strata build`: emits the fragment here, or renders an image. Asks no engine; Turbo runs it as the task `build`. */
export async function buildCommand(words: readonly string[], options: { json?: boolean }): Promise<void> {
  const cwd = process.cwd();
  if (words.length === 0 && existsSync(join(cwd, "fragment.ts"))) {
    const { manifest } = await emit(await loadFragment(cwd));
    if (options.json) process.stdout.write(`${JSON.stringify(manifest, null, 2)}\n`);
    else say(`emitted ${manifest.name} ${manifest.version}: ${manifest.files.length} files`);
    return;
  }
  const { image, variants } = await select(cwd, words, true);
  const plans = await buildImage(image, variants);
  if (options.json) process.stdout.write(`${JSON.stringify(plans, null, 2)}\n`);
  else
    for (const plan of plans) say(`rendered ${plan.tags[0]} in ${relative(cwd, variantFolder(image, plan.variant))}`);
}
