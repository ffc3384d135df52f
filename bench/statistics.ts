/** What a series of measurements says: its middle, and the range that its middle half lies in. */
export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The value below which a share of the sorted values lies; between two of them it is interpolated. */
function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** The median and the middle half of some values. */
export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** A line of the table that compares ours with the floor; the ratio is that of the medians. */
export function compare(what: string, unit: string, digits: number, ours: number[], floor: number[], aim?: number) {
  const [a, b] = [summarise(ours), summarise(floor)];
  const show = ({ median, low, high }: Summary): string =>
    `${median.toFixed(digits)} ${unit} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  const ratio = a.median / b.median;
  return [what, show(a), show(b), ratio.toFixed(2), aim === undefined ? "" : judge(ratio, aim)];
}

/** The aim, and whether a value meets it. */
export const judge = (value: number, aim: number): string =>
  `at most ${aim.toFixed(2)}: ${value <= aim ? "met" : "MISSED"}`;

/** The same of a value that has to be large. */
export const atLeast = (value: number, aim: number): string =>
  `at least ${aim.toFixed(2)}: ${value >= aim ? "met" : "MISSED"}`;

/** Lines of cells as a Markdown table, its columns aligned. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [row(head), row(widths.map((width) => "-".repeat(width))), ...lines.map(row)].join("\n");
}
