/** Writes a line for the reader. Results go to stdout; this goes to stderr, so that `--json` stays clean. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Tells that a fragment was emitted on the way. */
export function sayEmitted(fragment: string, why: string): void {
  say(`fragment ${fragment} emitted again: ${why}`);
}

/** Bytes as decimal megabytes, as Docker counts them. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** Seconds with one decimal. */
export const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** Rows as columns of equal width. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, index) => Math.max(all[index] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
