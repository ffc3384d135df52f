import type { Plan, PlannedVariable } from "./plan.js";

const cell = (text: string): string => text.replace(/\|/g, "\\|").replace(/\n/g, " ");

function range({ min, max }: PlannedVariable): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? "" : `, at most ${max}`;
}

function row([name, variable]: [string, PlannedVariable]): string {
  const type = variable.values
    ? variable.values.map((value) => `\`${value}\``).join(", ")
    : `${variable.type}${range(variable)}`;
  const text = variable.secret ? `Secret. ${variable.text}` : variable.text;
  const file = variable.secret || variable.file ? ` (\`${name}_FILE\`)` : "";
  const value = variable.default === undefined ? "" : `\`${variable.default}\``;
  return `| \`${name}\`${file} | ${cell(type)} | ${cell(value)} | ${cell(text)} |`;
}

/** The environment contract of an image as Markdown, by fragment. */
export function environmentReference(plan: Plan): string {
  const entries = Object.entries(plan.environment).sort(([a], [b]) => (a < b ? -1 : 1));
  const sections = plan.fragments.flatMap(({ name, summary }) => {
    const own = entries.filter(([, variable]) => variable.fragment === name);
    if (own.length === 0) return [];
    return [
      `## ${name}\n\n${summary}\n\n| variable | value | default | what it does |\n| --- | --- | --- | --- |\n${own.map(row).join("\n")}`,
    ];
  });
  const intro =
    "Generated from the fragments. `NAME_FILE` names a file that holds the value, such as a mounted secret.";
  return `# Environment of ${plan.tags[0]}\n\n${[intro, ...sections].join("\n\n")}\n`;
}
