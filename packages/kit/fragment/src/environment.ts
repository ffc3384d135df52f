/** What a variable's value has to be. */
export type VariableType = "string" | "integer" | "boolean" | "enum" | "path" | "port";

/**
 * One variable of the environment contract. It is declared once, in the fragment that owns it; the check at
 * start, `NAME_FILE`, the reference and the unknown-name warning all come from this record.
 */
export interface Variable {
  readonly type: VariableType;
  /** What it does, for the reference. */
  readonly text: string;
  readonly default?: string;
  /** Never logged, never left in the server's environment; `NAME_FILE` is accepted. */
  readonly secret?: boolean;
  /** `NAME_FILE` is accepted though it is no secret. */
  readonly file?: boolean;
  /** Also an `ENV` of the image, for those who look there. */
  readonly inImage?: boolean;
  readonly values?: readonly string[];
  readonly min?: number;
  readonly max?: number;
}

/** A fragment's variables by name. A name that ends with `*` stands for a family, such as `POSTGRESQL_*`. */
export type Environment = Readonly<Record<string, Variable>>;

interface Given<D> {
  readonly text: string;
  readonly default?: D;
  readonly secret?: boolean;
  readonly file?: boolean;
  readonly inImage?: boolean;
}

function variable<D extends string | number | boolean>(
  type: VariableType,
  { default: value, ...rest }: Given<D> & { min?: number; max?: number },
  more: Partial<Variable> = {},
): Variable {
  return {
    type,
    ...rest,
    ...more,
    ...(value === undefined ? {} : { default: String(value) }),
  };
}

/** Makers of variables of the environment contract. */
export const env = {
  /** Any text. */
  string: (given: Given<string>): Variable => variable("string", given),
  /** A whole number, `min` and `max` included. */
  integer: (given: Given<number> & { min?: number; max?: number }): Variable => variable("integer", given),
  /** true, yes, on, 1 or false, no, off, 0. */
  boolean: (given: Given<boolean>): Variable => variable("boolean", given),
  /** One of `values`. */
  enum: <const V extends string>(values: readonly V[], given: Given<NoInfer<V>>): Variable =>
    variable("enum", given, { values }),
  /** An absolute path in the container. */
  path: (given: Given<string>): Variable => variable("path", given),
  /** A TCP port. */
  port: (given: Given<number>): Variable => variable("port", given),
};

const FIELD_SEPARATOR = "|";

/** Why a default is none for its own type and range; undefined when it is one. */
function defaultProblem({ type, default: value, values, min, max }: Variable): string | undefined {
  if (value === undefined) return undefined;
  const within = (low: number, high: number): boolean =>
    /^-?\d+$/.test(value) && Number(value) >= low && Number(value) <= high;
  switch (type) {
    case "integer":
      return within(min ?? -Infinity, max ?? Infinity) ? undefined : "a whole number within its range";
    case "port":
      return within(1, 65_535) ? undefined : "a port from 1 to 65535";
    case "boolean":
      return ["true", "false"].includes(value) ? undefined : "true or false";
    case "path":
      return value.startsWith("/") ? undefined : "an absolute path";
    case "enum":
      return values?.includes(value) ? undefined : `one of ${values?.join(", ")}`;
    case "string":
      return undefined;
  }
}

/** Why the variable cannot be declared like this; empty when it can. */
export function variableProblems(name: string, given: Variable): string[] {
  const problems: string[] = [];
  if (!/^[A-Z][A-Z0-9_]*\*?$/.test(name))
    problems.push("expected a name of capitals, digits and _, with at most a * at its end");
  const fields = [given.default ?? "", ...(given.values ?? [])];
  if (fields.some((field) => field.includes(FIELD_SEPARATOR) || /[\n\r]/.test(field)))
    problems.push("a default or value may hold neither | nor a line break");
  if (given.values?.some((value) => value.includes(","))) problems.push("a value may hold no comma");
  if (given.default !== undefined && given.secret) problems.push("a secret has no default");
  const expected = defaultProblem(given);
  if (expected) problems.push(`expected a default that is ${expected}, found ${given.default}`);
  return problems;
}

function constraint(given: Variable): string {
  if (given.values) return given.values.join(",");
  return given.min === undefined && given.max === undefined ? "" : `${given.min ?? ""}..${given.max ?? ""}`;
}

/**
 * The contract as the image carries it: `var|NAME|type|default|flags|constraint` and `prefix|PREFIX` lines,
 * read at start by env.sh without a subprocess.
 */
export function contractText(environment: Environment, prefixes: readonly string[]): string {
  const variables = Object.entries(environment)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, given]) => {
      const flags = [given.secret ? "secret" : "", given.secret || given.file ? "file" : ""].filter(Boolean).join(",");
      return ["var", name, given.type, given.default ?? "", flags, constraint(given)].join(FIELD_SEPARATOR);
    });
  return `${[...variables, ...[...prefixes].sort().map((prefix) => `prefix|${prefix}`)].join("\n")}\n`;
}
