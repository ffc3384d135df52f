import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "@strata/fragment";
import { dropLeftovers, dropRules } from "./leftovers.js";
import { attempt } from "./run.js";

/** Whether this process may install packages. */
export const isRoot = (): boolean => process.getuid?.() === 0;

/** The command that installs Debian packages by hand. */
export function installCommand(packages: readonly string[]): string {
  return `sudo apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
}

/** Whether this machine is a Debian or one of its children, by os-release(5). */
export async function isDebian(file = "/etc/os-release"): Promise<boolean> {
  if (!existsSync(file)) return false;
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(await readFile(file, "utf8"));
}

/** Installs Debian packages, saying so. Raises a StrataError where this needs root, another system, or a network. */
export async function installPackages(packages: readonly string[], say: (line: string) => void): Promise<void> {
  const subject = `packages ${packages.join(", ")}`;
  if (!(await isDebian()))
    fail(
      subject,
      "expected Debian or Ubuntu to install them on, found another system",
      "install an engine with BuildKit the way your system does, then run this again",
    );
  if (!isRoot())
    fail(subject, "expected root to install them, found another user", `run \`${installCommand(packages)}\``);
  say(`installing Debian packages: ${packages.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // A third party's source may be out of reach while Debian's are not, so what counts is the install.
  const update = await attempt("apt-get", ["update", "-q"], {
    env,
    timeout: 300_000,
  });
  // A package's own start script must not keep its files from being installed.
  const install = await attempt("apt-get", ["install", "--yes", "-q", "--no-install-recommends", ...packages], {
    env,
    timeout: 900_000,
  });
  if (!install.ok)
    fail(
      subject,
      `apt-get could not install them: ${install.reason}${update.ok ? "" : ` (apt-get update: ${update.reason})`}`,
      "check the network and the APT sources, then run this again",
    );
}

/** The newest lines of a daemon's log that say what went wrong. */
async function lastWords(log: string): Promise<string> {
  if (!existsSync(log)) return "it wrote no log";
  const lines = (await readFile(log, "utf8")).trim().split("\n");
  return lines.filter((line) => /level=(error|fatal)|failed/i.test(line)).at(-1) ?? lines.at(-1) ?? "";
}

/**
 * Starts Docker's daemon and waits until it answers, 60 s at most. Under systemd by its unit, elsewhere as a
 * detached process of its own (Debian's init script stops where it may not raise a limit, as in a container).
 */
export async function startDaemon(client: string, say: (line: string) => void): Promise<void> {
  if (!isRoot())
    fail("container engine", "expected root to start it, found another user", "run `sudo systemctl start docker`");
  const log = "/var/log/strata-dockerd.log";
  if (existsSync("/run/systemd/system")) {
    say("starting the engine: systemctl start docker");
    await attempt("systemctl", ["start", "docker"], { timeout: 120_000 });
  } else {
    const left = await dropLeftovers();
    if (left > 0) say(`taking away ${left} network namespace(s) that a killed engine left`);
    const rules = await dropRules();
    if (rules > 0) say(`taking away ${rules} rule(s) of address translation that a killed engine left`);
    say(`starting the engine: dockerd, in the background, log in ${log}`);
    const output = openSync(log, "a");
    spawn("dockerd", [], { detached: true, stdio: ["ignore", output, output] })
      .on("error", () => undefined)
      .unref();
  }
  let answer = await attempt(client, ["version"], { timeout: 10_000 });
  for (let waited = 0; !answer.ok && waited < 60; waited++) {
    await sleep(1_000);
    answer = await attempt(client, ["version"], { timeout: 10_000 });
  }
  if (!answer.ok)
    fail("container engine", `dockerd did not answer within 60 s: ${await lastWords(log)}`, `read ${log}`);
}

/** Debian 13 has client and buildx in packages of their own; Debian 12 knows neither. */
const ENGINE_PACKAGES = ["docker.io", "iptables", "iproute2", "docker-cli", "docker-buildx"];

async function knownToApt(packages: readonly string[]): Promise<string[]> {
  await attempt("apt-get", ["update", "-q"], { timeout: 300_000 });
  const known = await Promise.all(
    packages.map(async (name) => ((await attempt("apt-cache", ["show", name])).ok ? [name] : [])),
  );
  const found = known.flat();
  return found.length > 0 ? found : packages.slice(0, 2);
}

/** Installs Debian's Docker and starts it. BuildKit becomes the default of its plain `docker build`. */
export async function installEngine(say: (line: string) => void): Promise<void> {
  if (!existsSync("/usr/sbin/dockerd") || !existsSync("/usr/bin/docker"))
    await installPackages(await knownToApt(ENGINE_PACKAGES), say);
  const config = "/etc/docker/daemon.json";
  if (!existsSync(config)) {
    await mkdir("/etc/docker", { recursive: true });
    await writeFile(config, `${JSON.stringify({ features: { buildkit: true } }, null, 2)}\n`);
  }
  if (!(await attempt("/usr/bin/docker", ["version"], { timeout: 10_000 })).ok)
    await startDaemon("/usr/bin/docker", say);
}
