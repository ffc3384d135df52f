import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A variable as the image's environment contract declares it. */
export interface Declared {
  readonly name: string;
  readonly type: string;
  readonly secret?: boolean;
  readonly file?: boolean;
}

/** Every variable of a variant, a family such as POSTGRESQL_* left out. */
export function contract(variant: string): Declared[] {
  const file = fileURLToPath(new URL(`../dist/${variant}/image.json`, import.meta.url));
  const { environment } = JSON.parse(readFileSync(file, "utf8")) as {
    environment: Record<string, Omit<Declared, "name">>;
  };
  return Object.entries(environment)
    .filter(([name]) => !name.endsWith("*"))
    .map(([name, variable]) => ({ ...variable, name }));
}
