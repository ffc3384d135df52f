import { execa, type Options } from "execa";

/** How a command ended, with what it printed. */
export interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line that says why it failed; empty when it did not. */
  readonly reason: string;
}

/** Runs a command to its end and never raises: a program that is not there is an outcome too. */
export async function attempt(file: string, args: readonly string[], options: Options = {}): Promise<Outcome> {
  const result = await execa(file, args, {
    stdin: "ignore",
    ...options,
    reject: false,
  });
  const [stdout, stderr] = [String(result.stdout ?? ""), String(result.stderr ?? "")];
  const ok = !result.failed;
  const said = stderr.trim() || stdout.trim();
  const lines = said.split("\n").filter((line) => line.trim());
  const reason = ok
    ? ""
    : result.timedOut
      ? "no answer in time"
      : (lines.at(-1) ?? result.shortMessage?.split("\n")[0] ?? "failed");
  return { ok, stdout, stderr, reason };
}
