import { statfs } from "node:fs/promises";
import { delimiter } from "node:path";
import {
  attempt,
  type Engine,
  installCommand,
  installEngine,
  installPackages,
  isDebian,
  isRoot,
  type Outcome,
  probe,
  remedy,
  steadyBridge,
} from "@strata/engine";
import { StrataError } from "@strata/fragment";
import pc from "picocolors";
import { say } from "../output.js";

/** One thing that was looked at. */
interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** Nothing stops without it. */
  readonly optional?: boolean;
  readonly found: string;
  readonly fix?: string;
}

/** Whether a program of the machine runs. pnpm puts node_modules/.bin first, where `shellcheck` only downloads one. */
async function runs(name: string): Promise<Outcome> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return attempt(name, ["--version"], { env: { PATH: folders.join(delimiter) } });
}

async function program(name: string, packages: readonly string[], why: string): Promise<Finding> {
  const found = await runs(name);
  const version = /\d+\.[\d.]+/.exec(found.stdout)?.[0];
  if (found.ok) return { what: name, ok: true, found: version ?? "there" };
  return {
    what: name,
    ok: false,
    optional: true,
    found: `none: ${why}`,
    fix: `run \`${installCommand(packages)}\``,
  };
}

async function findings(): Promise<Finding[]> {
  const { engine, rejected } = await probe();
  const major = Number.parseInt(process.versions.node, 10);
  const disk = await statfs(process.cwd());
  const free = (disk.bavail * disk.bsize) / 1e9;
  return [
    {
      what: "Node.js",
      ok: major >= 20,
      found: process.versions.node,
      fix: "install Node.js 20 or later",
    },
    engine
      ? {
          what: "engine",
          ok: true,
          found: `${engine.client} ${engine.clientVersion}, server ${engine.serverVersion}, BuildKit by ${engine.builder}`,
        }
      : {
          what: "engine",
          ok: false,
          found: "none that works",
          fix: remedy(rejected),
        },
    ...rejected.map(({ client, message }) => ({
      what: "passed over",
      ok: true,
      found: `${client}: ${message}`,
    })),
    await program("mmdebstrap", ["mmdebstrap", "debian-archive-keyring"], "a base can come from a registry alone"),
    await program("shellcheck", ["shellcheck"], "the lint task falls back to the npm package's download"),
    {
      what: "disk",
      ok: free >= 5,
      found: `${free.toFixed(0)} GB free here`,
      fix: "free 5 GB: base, image and build cache need about that",
    },
  ];
}

/** Installs what is missing and can be installed: an engine, and what bootstraps a base and checks shell. */
async function install(engine: Engine | undefined): Promise<void> {
  const missing: string[] = [];
  if (!(await runs("mmdebstrap")).ok) missing.push("mmdebstrap", "debian-archive-keyring");
  if (!(await runs("shellcheck")).ok) missing.push("shellcheck");
  if (!(await runs("shfmt")).ok) missing.push("shfmt");
  const log = (line: string): void => say(`strata: ${line}`);
  if (!engine) await installEngine(log);
  await steadyBridge(log);
  // Without them everything still works where a registry answers, so only who can install them is asked to.
  if (missing.length > 0 && isRoot() && (await isDebian())) await installPackages(missing, log);
}

/** `strata doctor`: whether this machine has what Strata needs; with --install, as root on Debian, it makes it so. */
export async function doctorCommand(options: { json?: boolean; install?: boolean }): Promise<void> {
  if (options.install) {
    const { engine, rejected } = await probe();
    if (!engine && (!isRoot() || !(await isDebian())))
      throw new StrataError([
        {
          subject: "container engine",
          message:
            "expected a Docker with BuildKit, found none that works, and installing one takes root on Debian or Ubuntu",
          fix: remedy(rejected),
        },
      ]);
    await install(engine);
  }
  const all = await findings();
  if (options.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else
    for (const { what, ok, optional, found, fix } of all) {
      const mark = ok ? pc.green("ok  ") : optional ? pc.yellow("warn") : pc.red("FAIL");
      process.stdout.write(`${mark} ${what.padEnd(12)} ${found}\n${ok || !fix ? "" : `     → ${fix}\n`}`);
    }
  if (all.some(({ ok, optional }) => !ok && !optional)) process.exitCode = 1;
}
