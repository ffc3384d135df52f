/** What makes an edit another one each time, so that no cache has seen it. */
export interface Nonce {
  readonly word: string;
  readonly number: number;
}

/** A change of one file of the workspace. It can be made more than once, each time with another nonce. */
export interface Edit {
  readonly file: string;
  readonly change: (text: string, nonce: Nonce) => string;
}

/** The script whose edits count most: process 1 of the container. */
export const SCRIPT = "packages/runtime/entrypoint/rootfs/opt/container/entrypoint.sh";
/** The definition of the image. */
export const IMAGE = "images/postgresql/image.ts";
/** The script of the last setup layer, with its list of packages. */
const LATE = "packages/setup/patroni/rootfs/mnt/setup/setup-patroni/install/install.sh";
const EARLY = "packages/setup/base/rootfs/mnt/setup/setup-base/install.sh";
const CONTRACT = "packages/runtime/entrypoint/fragment.ts";

/** Replaces the first match, which has to be there. */
export function replaced(text: string, what: string | RegExp, by: string): string {
  const fresh = text.replace(what, () => by);
  if (fresh === text)
    throw new Error(`an edit of the bench: expected ${what} in the file, found none; correct the edit`);
  return fresh;
}

const comment = (text: string, { word }: Nonce): string => `${text}\n# ${word}\n`;
const slashes = (text: string, { word }: Nonce): string => `${text}\n// ${word}\n`;
/** A command that does nothing, after the line that names the interpreter. */
const line = (text: string, { word }: Nonce): string => replaced(text, "\n", `\n: "${word}"\n`);
/** One package more; the comment makes the script new to the engine. */
const packages = (text: string, nonce: Nonce): string =>
  comment(replaced(text, "apt_install patroni python3-etcd", "apt_install patroni python3-etcd tree"), nonce);

/** A component whose release can be changed: the bytes of the release that is there, under another number. */
export interface Component {
  readonly fragment: string;
  readonly release: string;
  readonly sha256: string;
}

/** A release that nobody made, of the same line as the one that is there. */
export const freshRelease = (release: string, { number }: Nonce): string => release.replace(/[0-9]+$/, String(number));

/** Another release of a component in the definition of the image, with its sum. */
export function version({ fragment, release, sha256 }: Component): Edit {
  const old = new RegExp(`"${fragment}": \\{ version: "[0-9.]+"(, sha256: "[0-9a-f]+")? \\}`);
  return {
    file: IMAGE,
    change: (text, nonce) =>
      replaced(text, old, `"${fragment}": { version: "${freshRelease(release, nonce)}", sha256: "${sha256}" }`),
  };
}

/** A class of edits that is timed. */
export interface EditClass {
  readonly name: string;
  /** Absent: nothing is changed. */
  readonly edit?: Edit;
  /** Whether a classic Dockerfile runs its one setup layer again. */
  readonly heavy?: boolean;
}

/** The classes of edits, those with a compiled component only where there is one. */
export function editClasses(component: Component | undefined): EditClass[] {
  return [
    { name: "nothing" },
    { name: "comment in entrypoint.sh", edit: { file: SCRIPT, change: comment } },
    { name: "line in entrypoint.sh", edit: { file: SCRIPT, change: line } },
    { name: "definition of the image: its description", edit: { file: IMAGE, change: describe } },
    ...(component ? [{ name: `release of ${component.fragment}`, edit: version(component), heavy: true }] : []),
    { name: "package list of setup-patroni", edit: { file: LATE, change: packages }, heavy: true },
  ];
}

function describe(text: string, { word }: Nonce): string {
  return replaced(text, /description: "[^"]*"/, `description: "PostgreSQL, ${word}"`);
}

/** Another default of a variable, which the contract in the image says. */
const seconds = (text: string, { number }: Nonce): string =>
  replaced(text, /default: [0-9]+,/, `default: ${31 + (number % 3_000)},`);

/** A kind of edits as people make them: how often, at most how many, and which there are. */
export interface Kind {
  readonly name: string;
  readonly weight: number;
  readonly most?: number;
  readonly edits: readonly Edit[];
}

/** The kinds of a replay, for the files that Git lists. Mostly scripts; what costs minutes is seldom. */
export function kindsOf(files: readonly string[], component: Component | undefined): Kind[] {
  const such = (pattern: RegExp, change: Edit["change"]): Edit[] =>
    files.filter((file) => pattern.test(file)).map((file) => ({ file, change }));
  const scripts = /^packages\/runtime\/[^/]+\/rootfs\/.+\.sh$/;
  return [
    { name: "line in a script", weight: 50, edits: such(scripts, line) },
    { name: "comment in a script", weight: 14, edits: such(scripts, comment) },
    { name: "README", weight: 6, edits: such(/^packages\/(runtime|setup)\/[^/]+\/README\.md$/, comment) },
    { name: "test", weight: 6, edits: such(/^packages\/(runtime|setup)\/[^/]+\/test\/.+\.bats$/, comment) },
    {
      name: "comment in a definition",
      weight: 6,
      edits: such(/^packages\/(runtime|setup)\/[^/]+\/fragment\.ts$/, slashes),
    },
    {
      name: "default in the contract",
      weight: 4,
      edits: [{ file: CONTRACT, change: seconds }],
    },
    { name: "description of the image", weight: 4, edits: [{ file: IMAGE, change: describe }] },
    { name: "package list of the last setup layer", weight: 4, most: 3, edits: [{ file: LATE, change: packages }] },
    { name: "script of the first setup layer", weight: 1, most: 1, edits: [{ file: EARLY, change: comment }] },
    ...(component ? [{ name: "release of a component", weight: 5, most: 3, edits: [version(component)] }] : []),
  ].filter(({ edits }) => edits.length > 0);
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some edits by chance, each kind by its weight and no more often than it may be. */
export function draw(kinds: readonly Kind[], count: number, next: () => number): { kind: string; edit: Edit }[] {
  const times = new Map<string, number>();
  return Array.from({ length: count }, () => {
    const left = kinds.filter(({ name, most = Number.POSITIVE_INFINITY }) => (times.get(name) ?? 0) < most);
    let place = next() * left.reduce((sum, { weight }) => sum + weight, 0);
    const kind =
      left.find(({ weight }) => {
        place -= weight;
        return place < 0;
      }) ?? left.at(-1)!;
    times.set(kind.name, (times.get(kind.name) ?? 0) + 1);
    return { kind: kind.name, edit: kind.edits[Math.floor(next() * kind.edits.length)]! };
  });
}
