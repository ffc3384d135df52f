import type { Environment } from "./environment.js";
import type { Options } from "./option.js";

/** Docker's health check: a command and four timings. Durations are Docker's, such as `30s`. */
export interface Healthcheck {
  readonly command: readonly string[];
  readonly interval: string;
  readonly timeout: string;
  readonly startPeriod: string;
  readonly retries: number;
}

/**
 * An archive that a component is compiled from. In `file`, `url` and `git`, `${version}` stands for the value of the
 * option named in `option`. It is looked up in the sources folder by `file`, else fetched, and always verified.
 */
export interface Source {
  /** How the build script asks for it. */
  readonly name: string;
  /** The fragment's option that chooses the release. Only the stage that compiles sees it: the image's scripts do not. */
  readonly option: string;
  /** Name in the sources folder, such as `citus-${version}.tar.gz`. */
  readonly file: string;
  /** Address of the archive; with it, `sha256` says what it has to be. */
  readonly url?: string;
  /** Sum of the archive by release, for those that are known. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** The fragment's option that gives the sum of any other release. */
  readonly sumOption?: string;
  /** Address of a repository, for projects whose archives have no published sum; with it, `commit`. */
  readonly git?: string;
  /** Commit by release; git itself verifies what it fetches against it. */
  readonly commit?: Readonly<Record<string, string>>;
}

/** How a component is compiled: in a stage of its own, beside all others, into /out. */
export interface Build {
  /** The Bash script to run, as `install` is, such as `build/build.sh`. */
  readonly script: string;
  /** As `uses` of the setup, for this script. */
  readonly uses?: readonly string[];
  /** Only where this option has this value; elsewhere neither stage nor copy is in the image. */
  readonly when?: { readonly option: string; readonly is: string };
  /** Compiled fragments whose /out the stage needs first, such as the server that an extension is built against. */
  readonly needs?: readonly string[];
  readonly sources: readonly Source[];
  /** The image may do without it where a source cannot be had; it says so then. */
  readonly optional?: boolean;
}

/** Which values of another fragment's option a release of this one works with. */
export interface Supports {
  readonly fragment: string;
  readonly option: string;
  /** The fragment's own option whose value is the release. */
  readonly own: string;
  /** Whole numbers `from-to` by the beginning of the release; the longest one that fits counts: `{ "13.": "15-17" }`. */
  readonly ranges: Readonly<Record<string, string>>;
}

/** What a fragment does while the image is built. */
export interface Setup {
  /**
   * The Bash script to run in the image, below the fragment's own folder in /mnt/setup, such as `install.sh`. One in a
   * folder of its own, such as `install/install.sh`, sees that folder alone: an edit of others is no matter to it.
   */
  readonly install?: string;
  /** Setup files of other fragments that it sources: a fragment's name for all, `name/folder` for those of a folder. */
  readonly uses?: readonly string[];
  /** `ARG`s of other fragments that the scripts read; with `?` at the end where they do without it in an image that has none. */
  readonly reads?: readonly string[];
  /** Packages that compiling needs, for the build script as BUILD_PACKAGES. */
  readonly buildPackages?: readonly string[];
  /** Packages that the image needs, for the install script as RUNTIME_PACKAGES. */
  readonly runtimePackages?: readonly string[];
  /** The Bash script that makes the stage from which those of components start, as `install` is. One fragment has it. */
  readonly toolchain?: string;
  readonly build?: Build;
  readonly supports?: Supports;
  /** `ENV` of the image that installing implies; values may name an `ARG` as `${ARG}`. */
  readonly imageEnv?: Readonly<Record<string, string>>;
}

/** What a fragment adds to the running container. Its files are those in rootfs/, outside of /mnt/setup. */
export interface Runtime {
  readonly env?: Environment;
  /** A variable with such a prefix that nobody declared is warned about, with the nearest name. */
  readonly envPrefixes?: readonly string[];
  readonly expose?: readonly number[];
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly healthcheck?: Healthcheck;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly stopSignal?: string;
}

/** One concern of an image: what it needs, what it installs, what it adds at run time. */
export interface FragmentDefinition<N extends string = string, O extends Options = Options> {
  /** Lower case words with hyphens; the package's name without its scope. */
  readonly name: N;
  /** `import.meta.url` of the definition: rootfs/ and dist/ lie beside it. */
  readonly module: string;
  /** One sentence for lists and labels. */
  readonly summary: string;
  readonly options?: O;
  /** Hard: has to be in the image, and comes earlier. */
  readonly dependsOn?: readonly string[];
  /** Soft: comes earlier if it is in the image. */
  readonly installsAfter?: readonly string[];
  /** Must not be in the same image. */
  readonly conflictsWith?: readonly string[];
  /** Modes of files that do not have the default one, by path in the image: `{ "/etc/x.conf": "0640" }`. */
  readonly modes?: Readonly<Record<string, string>>;
  readonly setup?: Setup;
  readonly runtime?: Runtime;
}

/** Any fragment, whatever its options. */
export type AnyFragment = FragmentDefinition<string, Options>;

/** Declares a fragment. Gives back what it is given: the types do the work, in the editor. */
export function defineFragment<const N extends string, const O extends Options = Record<never, never>>(
  definition: FragmentDefinition<N, O>,
): FragmentDefinition<N, O> {
  return definition;
}
