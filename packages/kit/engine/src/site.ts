import { attempt } from "./run.js";

/** How this machine reaches Debian's packages. Needed while building, and never part of an image. */
export interface Site {
  /** `sources.list` lines for the suite; undefined where this machine's own APT names no Debian mirror. */
  readonly sources?: string;
  /** `apt.conf` text with the proxies; undefined where there are none. */
  readonly conf?: string;
}

/** One repository of this machine's APT, as `apt-get indextargets` prints it. */
const FORMAT = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";

/** The sources for `suite` from what `apt-get indextargets` printed in FORMAT, or undefined without Debian's. */
export function sourcesFor(suite: string, targets: string): string | undefined {
  const uris = new Map<string, string>();
  for (const line of targets.split("\n")) {
    const [origin, label, uri] = line.split("|");
    if (origin === "Debian" && label && uri && /^https?:/.test(uri) && !uris.has(label))
      uris.set(label, uri.replace(/\/$/, ""));
  }
  const main = uris.get("Debian");
  if (main === undefined) return undefined;
  const security = uris.get("Debian-Security");
  const lines = [`deb ${main} ${suite} main`, `deb ${main} ${suite}-updates main`];
  if (security !== undefined) lines.push(`deb ${security} ${suite}-security main`);
  return `${lines.join("\n")}\n`;
}

/** Asks this machine's APT, through its own commands, which know every format of its configuration. */
export async function readSite(suite: string): Promise<Site> {
  const [targets, proxies] = await Promise.all([
    attempt("apt-get", ["indextargets", "--format", FORMAT, "Created-By: Packages"]),
    attempt("apt-config", ["dump", "--format", '%f "%v";%n', "Acquire::http::Proxy", "Acquire::https::Proxy"]),
  ]);
  const sources = targets.ok ? sourcesFor(suite, targets.stdout) : undefined;
  const conf = proxies.stdout.split("\n").filter((line) => line.trim() && !line.includes('""'));
  return {
    ...(sources ? { sources } : {}),
    ...(conf.length > 0 ? { conf: `${conf.join("\n")}\n` } : {}),
  };
}
