import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { StrataError } from "@strata/fragment";
import { installCommand } from "./install.js";
import { attempt, type Outcome } from "./run.js";

/** An engine that can build and run our images. */
export interface Engine {
  /** Path of the client. */
  readonly client: string;
  readonly clientVersion: string;
  readonly serverVersion: string;
  /** `buildx`: the plugin. `builtin`: a client older than 23, which has BuildKit of its own. */
  readonly builder: "buildx" | "builtin";
  /** Environment that its commands need. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Whether the engine knows `COPY --link` and named contexts (Dockerfile 1.4): a server of version 23 or later behind
 * buildx. An older one, and a client with BuildKit of its own, know Dockerfile 1.2.
 */
export function knowsLinks({ builder, serverVersion }: Engine): boolean {
  return builder === "buildx" && Number.parseInt(serverVersion, 10) >= 23;
}

/** A client that was looked at, and why it will not do. */
export interface Rejected {
  readonly client: string;
  readonly reason: "no-server" | "no-permission" | "no-buildkit" | "no-client";
  readonly message: string;
}

/** What was found: the first engine that works, and everything that does not. */
export interface Probe {
  readonly engine?: Engine;
  readonly rejected: readonly Rejected[];
}

/** Every `docker` on the PATH, in its order, each program once. STRATA_ENGINE names the only one to look at. */
export function candidates(environment: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = environment.STRATA_ENGINE;
  if (chosen) return [chosen];
  const found = new Map<string, string>();
  for (const folder of (environment.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, "docker");
    if (existsSync(path) && !found.has(realpathSync(path))) found.set(realpathSync(path), path);
  }
  return [...found.values()];
}

interface Versions {
  Client?: { Version?: string };
  Server?: { Version?: string } | null;
}

/** Looks at one client: does its server answer, and does it build with BuildKit? */
export async function probeClient(client: string): Promise<Engine | Rejected> {
  const version = await attempt(client, ["version", "--format", "{{json .}}"], {
    timeout: 15_000,
  });
  let versions: Versions = {};
  try {
    versions = JSON.parse(version.stdout) as Versions;
  } catch {
    // An old client prints nothing when no server answers; its reason says more than a parse error.
  }
  const clientVersion = versions.Client?.Version;
  const serverVersion = versions.Server?.Version;
  if (!serverVersion) return { client, ...whyNoServer(version, clientVersion) };
  const about = { client, clientVersion: clientVersion ?? "unknown", serverVersion };
  const major = (text: string): number => Number.parseInt(text, 10);
  if (major(serverVersion) < 20)
    return {
      client,
      reason: "no-buildkit",
      message: `server ${serverVersion} is older than 20.10, whose BuildKit is the first that will do`,
    };
  if (major(about.clientVersion) < 23) return { ...about, builder: "builtin", env: { DOCKER_BUILDKIT: "1" } };
  const buildx = await attempt(client, ["buildx", "version"], { timeout: 15_000 });
  if (buildx.ok) return { ...about, builder: "buildx", env: {} };
  const message = `client ${about.clientVersion} has no buildx plugin, and would silently use the old builder`;
  return { client, reason: "no-buildkit", message };
}

function whyNoServer(outcome: Outcome, clientVersion: string | undefined): Omit<Rejected, "client"> {
  const message = outcome.reason || "it printed no version";
  if (/permission denied/i.test(outcome.stderr)) return { reason: "no-permission", message };
  const slow = /daemon|connect|deadline|time/i.test(`${outcome.stderr} ${outcome.reason}`);
  return { reason: clientVersion || slow ? "no-server" : "no-client", message };
}

/** Looks at every candidate in turn and stops at the first that works. */
export async function probe(environment: NodeJS.ProcessEnv = process.env): Promise<Probe> {
  const rejected: Rejected[] = [];
  for (const client of candidates(environment)) {
    const result = await probeClient(client);
    if (!("reason" in result)) return { engine: result, rejected };
    rejected.push(result);
  }
  return { rejected };
}

/** What to do about an engine that was not found: one sentence with the command. */
export function remedy(rejected: readonly Rejected[]): string {
  const has = (reason: Rejected["reason"]): boolean => rejected.some((one) => one.reason === reason);
  const doctor = "or as root on Debian `pnpm strata doctor --install`";
  if (has("no-permission")) return "let your user reach the engine: `sudo usermod -aG docker $USER`, then log in again";
  if (has("no-buildkit"))
    return `install the buildx plugin (Debian 13: \`${installCommand(["docker-buildx"])}\`), or Debian 12's client, which has BuildKit built in (\`${installCommand(["docker.io"])}\`), ${doctor}`;
  if (has("no-server")) return `start the engine: \`sudo systemctl start docker\`, ${doctor}`;
  return `install an engine: \`${installCommand(["docker.io", "iptables"])}\` (on Debian 13 also docker-cli and docker-buildx), ${doctor}`;
}

/** The engine to use; raises a StrataError that names every client that was tried, why it will not do, and the fix. */
export async function findEngine(environment: NodeJS.ProcessEnv = process.env): Promise<Engine> {
  const { engine, rejected } = await probe(environment);
  if (engine) return engine;
  const tried = rejected.map(({ client, message }) => `\n    ${client}: ${message}`).join("");
  const found = tried ? `found none that works:${tried}` : "found no docker on the PATH";
  throw new StrataError([
    {
      subject: "container engine",
      message: `expected a Docker with BuildKit, ${found}`,
      fix: environment.STRATA_ENGINE
        ? `STRATA_ENGINE names the only client that is looked at: correct it, or unset it`
        : remedy(rejected),
    },
  ]);
}
