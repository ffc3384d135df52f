import { oneLine } from "./format.js";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that is HTML already. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template. */
export type Content = string | number | Markup | undefined | readonly Content[];

/** Text for HTML, in an element or in a quoted attribute. */
export const escapeHtml = (text: string): string => oneLine(text).replace(/[&<>"']/g, (char) => ENTITIES[char]!);

function render(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (Array.isArray(content)) return content.map(render).join("");
  return escapeHtml(String(content));
}

/** HTML by template: whatever is put in is escaped, unless it comes from such a template itself. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(strings.map((text, index) => text + render(contents[index])).join(""));
}

/** A name that may break after its slashes. */
export const breakable = (name: string): Markup => new Markup(escapeHtml(name).replaceAll("/", "/<wbr>"));

/** A number for an attribute of SVG: two digits, never an exponent. */
export const round = (value: number): number => Math.round(value * 100) / 100;

/** A share of the width, as SVG writes it. */
export const percent = (part: number, whole: number): string => `${round(whole > 0 ? (100 * part) / whole : 0)}%`;
