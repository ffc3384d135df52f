import type { Problem } from "@strata/fragment";

const FULL = ["ENOSPC", "EDQUOT"];
const CLOSED = ["EACCES", "EPERM", "EROFS"];

/** Whether something failed because a disk is full. */
export const isFull = (error: unknown): boolean => FULL.includes((error as NodeJS.ErrnoException)?.code ?? "");

/** What to say of an error of the disk; nothing where it is another one. */
export function diskProblem(error: unknown): Problem | undefined {
  const { code = "", path, message } = (error ?? {}) as NodeJS.ErrnoException;
  const subject = path ? `file ${path}` : "disk";
  if (isFull(error))
    return {
      subject,
      message: `expected room on the disk, found none: ${message}`,
      fix: "make room where the workspace, the sources folder and TMPDIR are (`df -h`), and run it again",
    };
  if (CLOSED.includes(code) && path)
    return {
      subject,
      message: `expected that this user may write it: ${message}`,
      fix: "see whose it is (`ls -l`), and run it as that user or give it to this one",
    };
  return undefined;
}
