/** One thing that is wrong, said so that the reader knows what to do about it. */
export interface Problem {
  /** What it is about: a fragment, a file, an option, an image. */
  readonly subject: string;
  /** What is wrong, with what was expected and what was found. */
  readonly message: string;
  /** What to do. */
  readonly fix?: string;
}

/** Raised once for everything that is wrong with one input, never for the first problem alone. */
export class StrataError extends Error {
  override readonly name = "StrataError";
  readonly problems: readonly Problem[];

  /** @param exitCode the process exit code of a command that ends with this error */
  constructor(
    problems: readonly Problem[],
    readonly exitCode = 1,
  ) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

/** A problem as text: `subject: message`, and what to do on a line of its own. */
export function formatProblem({ subject, message, fix }: Problem): string {
  return fix ? `${subject}: ${message}\n  → ${fix}` : `${subject}: ${message}`;
}

/** Raises a StrataError with one problem. */
export function fail(subject: string, message: string, fix?: string): never {
  throw new StrataError([fix === undefined ? { subject, message } : { subject, message, fix }]);
}

/** Collects problems, so that all of them can be told at once. */
export class Problems {
  readonly list: Problem[] = [];

  /** Notes one problem. */
  add(subject: string, message: string, fix?: string): void {
    this.list.push(fix === undefined ? { subject, message } : { subject, message, fix });
  }

  /** Raises a StrataError when anything was noted. */
  throwIfAny(): void {
    if (this.list.length > 0) throw new StrataError(this.list);
  }
}
