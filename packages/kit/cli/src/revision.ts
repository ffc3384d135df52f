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
  const [head, status] = await Promise.all([git("log", "-1", "--format=%H %ct"), git("status", "--porcelain")]);
  const [commit, time] = head?.split(" ") ?? [];
  const dirty = commit !== undefined && status !== "";
  // The commit's time, not the clock's: building a commit twice gives one image.
  const epoch = environment.SOURCE_DATE_EPOCH ?? time;
  const created = epoch !== undefined && /^\d+$/.test(epoch) ? new Date(Number(epoch) * 1_000) : new Date();
  return {
    "org.opencontainers.image.revision": commit === undefined ? "unknown" : `${commit}${dirty ? "-dirty" : ""}`,
    "org.opencontainers.image.created": created.toISOString(),
  };
}
