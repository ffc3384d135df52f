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

/** What a fragment does while the image is built. */
export interface Setup {
  /** The Bash script to run, below the fragment's own folder in /mnt/setup, such as `install.sh`. */
  readonly install: string;
  /** Fragments whose setup files are mounted as well, because the script sources them. */
  readonly uses?: readonly string[];
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
