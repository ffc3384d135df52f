import { attempt } from "@strata/engine";

/** Labels that say from which commit an image was built, and when. */
export async function revisionLabels(
  cwd: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const git = async (...args: string[]): Promise<string | undefined> => {
    const result = await attempt("git", args, { cwd });
    return result.ok ? result.stdout.trim() : undefined;
  };
  const commit = await git("rev-parse", "--verify", "HEAD");
  const dirty = commit !== undefined && (await git("status", "--porcelain")) !== "";
  // The commit's time, not the clock's: building a commit twice gives one image.
  const epoch =
    environment.SOURCE_DATE_EPOCH ?? (commit === undefined ? undefined : await git("log", "-1", "--format=%ct"));
  const created = epoch !== undefined && /^\d+$/.test(epoch) ? new Date(Number(epoch) * 1_000) : new Date();
  return {
    "org.opencontainers.image.revision": commit === undefined ? "unknown" : `${commit}${dirty ? "-dirty" : ""}`,
    "org.opencontainers.image.created": created.toISOString(),
  };
}
