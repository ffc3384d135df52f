import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A variable as the image's environment contract declares it. */
export interface Declared {
  readonly name: string;
  readonly type: string;
  readonly flags: readonly string[];
}

/** Every variable of a variant, from the contract files that are in the image. */
export function contract(variant: string): Declared[] {
  const fragments = fileURLToPath(new URL(`../dist/${variant}/fragments`, import.meta.url));
  return readdirSync(fragments, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".contract"))
    .flatMap((path) => readFileSync(`${fragments}/${path}`, "utf8").split("\n"))
    .map((line) => line.split("|"))
    .filter(([kind]) => kind === "var")
    .map(([, name = "", type = "", , flags = ""]) => ({ name, type, flags: flags.split(",").filter(Boolean) }));
}
