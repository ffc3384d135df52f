import type { Plan, PlannedVariable } from "./plan.js";

/** What the reference needs of a plan. */
export type Contract = Pick<Plan, "variant" | "fragments" | "environment">;

const cell = (text: string): string => text.replace(/\|/g, "\\|").replace(/\n/g, " ");

/** Plain text as Markdown: names of variables as code, nothing that would be emphasis or HTML. */
const prose = (text: string): string =>
  text.replace(/[A-Z][A-Z0-9]*_[A-Z0-9_*]+|[*<`]/g, (found) => (found.length > 1 ? `\`${found}\`` : `\\${found}`));

const NOUNS: Readonly<Record<PlannedVariable["type"], string>> = {
  string: "text",
  integer: "whole number",
  boolean: "`true` or `false`",
  enum: "one of its values",
  path: "absolute path",
  port: "TCP port",
};

function range({ min, max }: PlannedVariable): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? "" : `, at most ${max}`;
}

/** What a value has to be, in words. */
function valueText(variable: PlannedVariable): string {
  return variable.values?.map((value) => `\`${value}\``).join(", ") ?? `${NOUNS[variable.type]}${range(variable)}`;
}

function fileText(variable: PlannedVariable): string {
  if (variable.secret) return "`_FILE`, secret";
  return variable.file ? "`_FILE`" : "";
}

function row([name, variable]: [string, PlannedVariable]): string {
  const value = variable.default === undefined ? "" : `\`${variable.default}\``;
  const cells = [`\`${name}\``, valueText(variable), value, fileText(variable), prose(variable.text)];
  return `| ${cells.map(cell).join(" | ")} |`.replace(/ {2,}/g, " ");
}

/** What the columns and the values of the tables mean. */
export const ENVIRONMENT_INTRO = [
  "**How to read the tables.** A variable that is empty counts as not set, and then has its default. `_FILE`: the value",
  "may come from a file instead, such as a mounted secret, whose path is in the variable's name with `_FILE` at its end;",
  "setting both is an error. _secret_: the value is in no log, and the server does not inherit it. `true` may also be",
  "written `yes`, `on` or `1`, `false` also `no`, `off` or `0`. A name with `*` at its end is a family: any name that",
  "begins like it.",
].join("\n");

/** The environment contract as Markdown, a section for each fragment that has variables. */
export function environmentSections({ fragments, environment }: Contract): string {
  const entries = Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1));
  const sections = fragments.flatMap(({ name, summary }) => {
    const rows = entries.filter(([, variable]) => variable.fragment === name).map(row);
    if (rows.length === 0) return [];
    const head = "| variable | value | default | file | what it does |\n| --- | --- | --- | --- | --- |";
    return [`## ${name}\n\n${summary}.\n\n${head}\n${rows.join("\n")}`];
  });
  return sections.join("\n\n");
}

/** How the contracts of an image's variants differ from the first one's: a sentence for each variable that does. */
export function environmentDifferences([first, ...others]: readonly Contract[]): string[] {
  if (first === undefined) return [];
  return others.flatMap((other) => {
    const names = [...new Set([...Object.keys(first.environment), ...Object.keys(other.environment)])].sort();
    return names.flatMap((name) => {
      const [here, there] = [first.environment[name], other.environment[name]];
      if (!there) return [`\`${name}\` is not in \`${other.variant}\`.`];
      if (!here) return [`\`${name}\` is in \`${other.variant}\` alone: ${prose(there.text)}`];
      if (row([name, here]) === row([name, there])) return [];
      const value = there.default === undefined ? "no default" : `default \`${there.default}\``;
      return [`\`${name}\` in \`${other.variant}\`: ${valueText(there)}, ${value}. ${prose(there.text)}`];
    });
  });
}

/** The environment contract of an image in one variant as Markdown, by fragment. */
export function environmentReference(plan: Plan): string {
  const parts = ["Generated from the fragments of the image.", ENVIRONMENT_INTRO, environmentSections(plan)];
  return `# Environment of ${plan.tags[0]}\n\n${parts.filter(Boolean).join("\n\n")}\n`;
}
