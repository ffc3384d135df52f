import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail } from "@strata/fragment";
import { installCommand } from "./install.js";
import type { Engine } from "./probe.js";
import { attempt } from "./run.js";
import { readSite, type Site } from "./site.js";

/** Where a base came from. */
export type BaseOrigin = "registry" | "bootstrap" | "given";

/** A base image that is in the engine's store. */
export interface Base {
  /** What the build says in `BASE_IMAGE`. */
  readonly reference: string;
  readonly origin: BaseOrigin;
  /** The registry's digest, or the image's own id where it was bootstrapped. */
  readonly digest: string;
}

/** What is wanted of a base. */
export interface BaseRequest {
  readonly name: string;
  readonly digest: string;
  readonly suite: string;
}

/** How to get a base. */
export interface BaseOptions {
  readonly say: (line: string) => void;
  /** Take this image as it is, and ask nobody. */
  readonly given?: string;
  /** Bootstrap again, or pull again, though there is one already. */
  readonly refresh?: boolean;
  readonly cancelSignal?: AbortSignal;
}

/** The label by which a bootstrapped base is known again; derived images inherit it. */
export const ORIGIN_LABEL = "dev.strata.base.origin";

const SLIM = ["doc", "groff", "info", "linda", "lintian", "locale", "man"];
const HOOK = fileURLToPath(new URL("../assets/bootstrap-hook.sh", import.meta.url));

/** The arguments of mmdebstrap for a slim base, without mirror and target. */
export function bootstrapArguments(site: Site, conf: string | undefined): string[] {
  const exclude = SLIM.map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`);
  const include = ["doc/*/copyright", "doc/apt/examples/*", "locale/locale.alias"];
  return [
    "--variant=minbase",
    "--format=tar",
    // Without it bookworm, which still has both ways to merge /usr, takes the one that brings all of Perl.
    "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
    ...exclude,
    ...include.map((path) => `--dpkgopt=path-include=/usr/share/${path}`),
    ...(site.conf && conf ? [`--aptopt=${conf}`] : []),
    `--customize-hook=bash '${HOOK.replaceAll("'", `'\\''`)}' "$1"`,
  ];
}

interface Inspected {
  Id: string;
  Config?: { Labels?: Record<string, string> | null };
}

async function inspect(engine: Engine, reference: string): Promise<Inspected | undefined> {
  const found = await attempt(engine.client, ["image", "inspect", reference]);
  return found.ok ? (JSON.parse(found.stdout) as Inspected[])[0] : undefined;
}

/**
 * Bootstraps a base from this machine's own APT mirror and imports it under the registry's name, so that a plain
 * `docker build` of a rendered folder finds it. Nothing is imported before the whole tar is there.
 */
async function bootstrap(engine: Engine, request: BaseRequest, { say, cancelSignal }: BaseOptions): Promise<Base> {
  if (!(await attempt("mmdebstrap", ["--version"])).ok)
    fail(
      `base image ${request.name}`,
      "no registry answers, and expected mmdebstrap to make it here, found none",
      `run \`${installCommand(["mmdebstrap", "debian-archive-keyring"])}\``,
    );
  say(`bootstrapping ${request.name} from this machine's APT mirror (about 30 s)`);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "strata");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "base-"));
  try {
    const site = await readSite(request.suite);
    const [tar, sources, conf] = ["base.tar", "sources.list", "apt.conf"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    if (site.sources) await writeFile(sources, site.sources);
    if (site.conf) await writeFile(conf, site.conf);
    const args = [...bootstrapArguments(site, conf), request.suite, tar, ...(site.sources ? [sources] : [])];
    const made = await attempt("mmdebstrap", args, {
      timeout: 900_000,
      ...(cancelSignal ? { cancelSignal } : {}),
    });
    cancelSignal?.throwIfAborted();
    if (!made.ok) {
      const errors = made.stderr.split("\n").filter((line) => /^E:|error/i.test(line));
      fail(
        `base image ${request.name}`,
        `mmdebstrap failed: ${errors.slice(0, 3).join("; ") || made.reason}`,
        "check that the APT sources of this machine answer",
      );
    }
    const changes = [`LABEL ${ORIGIN_LABEL}=bootstrap`, 'CMD ["bash"]'].flatMap((change) => ["--change", change]);
    const imported = await attempt(engine.client, ["import", ...changes, tar, request.name]);
    if (!imported.ok) fail(`base image ${request.name}`, `the engine did not import it: ${imported.reason}`);
    return {
      reference: request.name,
      origin: "bootstrap",
      digest: imported.stdout.trim(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Brings a base into the engine's store: the one that is there, else from the registry by its pinned digest, else
 * bootstrapped here. Raises a StrataError where none of it can be done.
 */
export async function ensureBase(engine: Engine, request: BaseRequest, options: BaseOptions): Promise<Base> {
  const { say, given, refresh, cancelSignal } = options;
  if (given !== undefined) {
    const image = await inspect(engine, given);
    if (!image)
      fail(
        `base image ${given}`,
        "expected it in the engine's store, found none",
        `run \`docker pull ${given}\` first`,
      );
    return { reference: given, origin: "given", digest: image.Id };
  }
  const pinned = `${request.name}@${request.digest}`;
  if (!refresh) {
    const [pulled, local] = await Promise.all([inspect(engine, pinned), inspect(engine, request.name)]);
    if (pulled) return { reference: pinned, origin: "registry", digest: request.digest };
    if (local?.Config?.Labels?.[ORIGIN_LABEL] === "bootstrap")
      return { reference: request.name, origin: "bootstrap", digest: local.Id };
  }
  const pulled = await attempt(engine.client, ["pull", "--quiet", pinned], {
    timeout: 300_000,
    ...(cancelSignal ? { cancelSignal } : {}),
  });
  cancelSignal?.throwIfAborted();
  if (pulled.ok) return { reference: pinned, origin: "registry", digest: request.digest };
  say(`no registry gave ${request.name}: ${pulled.reason}`);
  return bootstrap(engine, request, options);
}
