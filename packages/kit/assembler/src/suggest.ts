import { fail } from "@strata/fragment";
import { closest, distance } from "fastest-levenshtein";

/** `did you mean "x"?` where one of the names is near enough, else undefined. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const found = closest(name, names);
  const near = distance(name, found) <= Math.max(2, Math.floor(name.length / 3)) || found.startsWith(name);
  return near ? `did you mean "${found}"?` : undefined;
}

/** `did you mean "x"?` where one of the names is near enough, else the list of them all. */
export function suggestion(name: string, names: readonly string[]): string {
  if (names.length === 0) return "there are none";
  return nearest(name, names) ?? `choose one of ${[...names].sort().join(", ")}`;
}

/** The entry of that name; raises a StrataError with the nearest name when there is none. */
export function pick<T>(kind: string, name: string, entries: Readonly<Record<string, T>>, where: string): T {
  const found = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(entries);
  return fail(
    `${kind} ${name}`,
    `unknown ${where}; known: ${names.sort().join(", ") || "none"}`,
    suggestion(name, names),
  );
}
