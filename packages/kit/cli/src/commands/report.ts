import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fail } from "@strata/fragment";
import { readBuild, roomOf } from "../build-variant.js";
import { say } from "../output.js";
import { reportHtml, reportText } from "../report/index.js";
import { select } from "../workspace.js";

/** Options of `strata report`. */
export interface ReportOptions {
  /** Where the page goes, in place of .strata/<variant>/report.html beside the image. */
  readonly output?: string;
  readonly json?: boolean;
}

/** `strata report`: what the last build of a variant was, as a page, and as text on the terminal. */
export async function reportCommand(words: readonly string[], options: ReportOptions): Promise<void> {
  const { image, variants } = await select(process.cwd(), words, false);
  const variant = variants[0]!;
  const { failed, ...last } = await readBuild(image, variant);
  // A build that failed is the last one, and what it is compared with is the one that succeeded before.
  const [record, previous] = failed ? [failed, last.record] : [last.record, last.previous];
  if (!record)
    return fail(
      `variant ${variant}`,
      "expected the record of a build, found none",
      `run \`strata image ${image.name} ${variant}\` first`,
    );
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ record, previous }, null, 2)}\n`);
    return;
  }
  const file = options.output ?? join(roomOf(image, variant), "report.html");
  await writeFile(file, reportHtml(record, previous));
  process.stdout.write(`${reportText(record, previous).trimEnd()}\n`);
  say(`page: ${relative(process.cwd(), file) || file}`);
}
