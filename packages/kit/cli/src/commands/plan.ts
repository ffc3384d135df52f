import { type Plan, planImage } from "@strata/assembler";
import pc from "picocolors";
import { table } from "../output.js";
import { select } from "../workspace.js";

function planText(plan: Plan): string {
  const rows = plan.layers.map(({ id, digest }) => [`  ${id}`, digest.slice(7, 19)]);
  const head = `${pc.bold(plan.tags[0]!)}  on ${plan.base.name}, ${plan.fragments.length} fragments`;
  return `${head}\n${table(rows)}`;
}

/** `strata plan`: what an image consists of, layer by layer, without building anything. */
export async function planCommand(words: readonly string[], options: { json?: boolean }): Promise<void> {
  const { image, variants } = await select(process.cwd(), words, true);
  const plans = await planImage(image, variants, () => undefined);
  process.stdout.write(`${options.json ? JSON.stringify(plans, null, 2) : plans.map(planText).join("\n\n")}\n`);
}
