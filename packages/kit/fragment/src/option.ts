/** What every option has. `arg` is the Dockerfile `ARG` that the option becomes. */
interface OptionBase<T> {
  readonly arg: string;
  readonly default: T;
  readonly text?: string;
}

/** Free text. `pattern` is a regular expression that the whole value has to match. */
export interface StringOption extends OptionBase<string> {
  readonly type: "string";
  readonly pattern?: string;
}

/** One of a fixed set of words. */
export interface EnumOption<V extends string = string> extends OptionBase<V> {
  readonly type: "enum";
  readonly values: readonly V[];
}

/** True or false; `true` and `false` in the Dockerfile. */
export interface BooleanOption extends OptionBase<boolean> {
  readonly type: "boolean";
}

/** An option of a fragment. */
export type Option = StringOption | EnumOption | BooleanOption;

/** The options of a fragment by name. */
export type Options = Readonly<Record<string, Option>>;

/** The TypeScript type of a value of an option. */
export type OptionValue<O extends Option> =
  O extends EnumOption<infer V> ? V : O extends BooleanOption ? boolean : string;

/** The values that an image may set for a fragment with these options. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]?: OptionValue<O[K]>;
};

type Given<O extends OptionBase<unknown>> = Omit<O, "type" | "values">;

/** Makers of typed options. */
export const option = {
  /** Text, optionally restricted by a pattern. */
  string: (given: Given<StringOption>): StringOption => ({
    type: "string",
    ...given,
  }),
  /** One of `values`. */
  enum: <const V extends string>(values: readonly V[], given: OptionBase<NoInfer<V>>): EnumOption<V> => ({
    type: "enum",
    values,
    ...given,
  }),
  /** True or false. */
  boolean: (given: Given<BooleanOption>): BooleanOption => ({
    type: "boolean",
    ...given,
  }),
};

/** The values that an option's pattern allows; undefined for a pattern that is no regular expression. */
function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}

function textProblem(value: unknown, pattern: string | undefined): string | undefined {
  if (typeof value !== "string") return `expected text, found ${JSON.stringify(value)}`;
  if (/[\n\r\0]/.test(value)) return "expected one line of text, found a line break";
  if (pattern === undefined) return undefined;
  const allowed = compile(pattern);
  if (!allowed) return `its pattern ${pattern} is no regular expression`;
  return allowed.test(value) ? undefined : `expected text that matches ${pattern}, found ${JSON.stringify(value)}`;
}

/** Why `value` is not a value of `given`, or undefined when it is one. */
export function optionProblem(given: Option, value: unknown): string | undefined {
  switch (given.type) {
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected true or false, found ${JSON.stringify(value)}`;
    case "enum":
      return given.values.includes(value as string)
        ? undefined
        : `expected one of ${given.values.join(", ")}, found ${JSON.stringify(value)}`;
    case "string":
      return textProblem(value, given.pattern);
  }
}
