import { chmod, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Scratch } from "../scratch.js";
import type { Random } from "./random.js";
import { filesOf } from "./tree.js";

/** An edit that was made, in words, and how to take it back. */
export interface Edit {
  readonly text: string;
  readonly undo: () => Promise<void>;
}

/** Makes an edit; undefined where the tree has no place for it. */
type Editor = (scratch: Scratch, random: Random, nonce: string) => Promise<Edit | undefined>;

/** Writes another content into a file. */
async function rewrite(scratch: Scratch, path: string, text: string, content: string): Promise<Edit> {
  const before = await scratch.read(path);
  await scratch.write(path, content);
  return { text: `${text} in ${path}`, undo: () => scratch.write(path, before) };
}

/** Adds text to the end of one of the files that fit. */
const appends =
  (what: string, fits: RegExp, tail: (nonce: string) => string): Editor =>
  async (scratch, random, nonce) => {
    const path = random.pick((await filesOf(scratch)).filter((name) => fits.test(name)));
    return rewrite(scratch, path, what, `${await scratch.read(path)}${tail(nonce)}`);
  };

/** Replaces what matches in one of the files that fit and that have it. */
const replaces =
  (what: string, fits: RegExp, pattern: RegExp, by: (match: string, nonce: string) => string): Editor =>
  async (scratch, random, nonce) => {
    for (const path of random.shuffle((await filesOf(scratch)).filter((name) => fits.test(name)))) {
      const content = await scratch.read(path);
      const places = [...content.matchAll(new RegExp(pattern, "g"))];
      if (places.length === 0) continue;
      const { 0: match, index } = random.pick(places);
      const changed = `${content.slice(0, index)}${by(match, nonce)}${content.slice(index + match.length)}`;
      return rewrite(scratch, path, `${what} (${match.trim()})`, changed);
    }
    return undefined;
  };

/** Adds a file. */
const adds =
  (what: string, folder: (name: string) => string, fits: RegExp): Editor =>
  async (scratch, random, nonce) => {
    const fragment = random.pick((await filesOf(scratch)).filter((name) => fits.test(name)));
    const path = folder(fragment.slice(0, fragment.lastIndexOf("/"))).replace("NONCE", nonce);
    await scratch.write(path, `# ${nonce}\n`);
    return { text: `${what} ${path}`, undo: () => rm(join(scratch.folder, path)) };
  };

/** Takes a file away that no definition names. */
const deletes: Editor = async (scratch, random) => {
  const fits = /^packages\/runtime\/(entrypoint|postgresql)\/rootfs\/.*\.sh$|\/law-[^/]*$/;
  const path = random.pick((await filesOf(scratch)).filter((name) => fits.test(name)));
  const before = await scratch.read(path);
  await rm(join(scratch.folder, path));
  return { text: `delete ${path}`, undo: () => scratch.write(path, before) };
};

const chmods: Editor = async (scratch, random) => {
  const files = (await filesOf(scratch)).filter((name) => /^(packages\/(setup|runtime)|images)\//.test(name));
  const path = random.pick(files);
  const { mode } = await stat(join(scratch.folder, path));
  await chmod(join(scratch.folder, path), mode & 0o100 ? 0o600 : 0o755);
  return { text: `chmod ${path}`, undo: () => chmod(join(scratch.folder, path), mode & 0o777) };
};

const touches: Editor = async (scratch) => {
  for (const path of await filesOf(scratch)) await utimes(join(scratch.folder, path), new Date(), new Date());
  return { text: "touch every file", undo: async () => undefined };
};

/** Puts one option of a variant to another value. */
const options: Editor = async (scratch, random, nonce) => {
  const path = "images/postgresql/image.ts";
  const content = await scratch.read(path);
  const changes = (
    [
      ['"setup-postgresql": { major: "15" }', '"setup-postgresql": { major: "15", jit: false }'],
      ['"setup-citus": { version: "13.2.2" }', '"setup-citus": { version: "14.0.1" }'],
      ['"setup-pg-stat-monitor": { version: "2.2.0" }', '"setup-pg-stat-monitor": { version: "2.3.2" }'],
      [
        '"setup-postgresql": { major: "17" }',
        `"setup-base": { home: "/var/lib/${nonce}" }, "setup-postgresql": { major: "17" }`,
      ],
    ] as const
  ).filter(([from]) => content.includes(from));
  if (changes.length === 0) return undefined;
  const [from, to] = random.pick(changes);
  return rewrite(scratch, path, `${from} → ${to}`, content.replace(from, to));
};

const SCRIPT = /^packages\/(setup|runtime)\/[^/]+\/rootfs\/.*\.sh$/;
const DEFINITION = /^packages\/(setup|runtime)\/[^/]+\/fragment\.ts$/;
const script = appends("a comment", SCRIPT, (nonce) => `\n# ${nonce}\n`);

/** Every kind of edit; those that people make often, more than once. */
const EDITORS: readonly Editor[] = [
  script,
  script,
  script,
  script,
  appends("a comment", /\/fragment\.ts$|\/image\.ts$/, (nonce) => `\n// ${nonce}\n`),
  appends("a comment", DEFINITION, (nonce) => `\n// ${nonce}\n`),
  replaces("another default", DEFINITION, /default: "\d+\.\d+(\.\d+)?"/, (text) => text.replace(/\d+"$/, '99"')),
  replaces("another text of an option", DEFINITION, /text: "/, (text, nonce) => `${text}${nonce} `),
  replaces("another summary", DEFINITION, /summary: "/, (text, nonce) => `${text}${nonce} `),
  replaces("a package more", DEFINITION, /Packages: \[/, (text, nonce) => `${text}"${nonce}", `),
  replaces(
    "another version",
    /^packages\/(setup|runtime)\/[^/]+\/package\.json$/,
    /"version": "\d+\.\d+\.\d+/,
    (text) => text.replace(/\d+$/, (patch) => String(Number(patch) + 1)),
  ),
  replaces(
    "another description",
    /^packages\/(setup|runtime)\/[^/]+\/package\.json$/,
    /"description": "/,
    (text, nonce) => `${text}${nonce} `,
  ),
  options,
  options,
  appends("more", /^(packages|images)\/.*README\.md$/, (nonce) => `\n${nonce}\n`),
  appends("a comment", /^packages\/(setup|runtime)\/[^/]+\/test\/.*\.bats$/, (nonce) => `\n# ${nonce}\n`),
  appends("a comment", /^(images|packages)\/.*\/test\/.*\.ts$/, (nonce) => `\n// ${nonce}\n`),
  appends(
    "more",
    /^(docs\/.*\.md|scripts\/.*\.mjs|bench\/.*\.(ts|mjs|md)|e2e\/test\/.*|README\.md|LICENSE)$/,
    (nonce) => `\n${nonce}\n`,
  ),
  adds(
    "a new file",
    (folder) => `${folder}/rootfs/usr/share/law-NONCE.conf`,
    /^packages\/runtime\/[^/]+\/fragment\.ts$/,
  ),
  adds("a new setup file", (folder) => `${folder}/law-NONCE.sh`, /\/rootfs\/mnt\/setup\/.*\.sh$/),
  adds("a new test", (folder) => `${folder}/test/law-NONCE.bats`, DEFINITION),
  adds("a new file outside", () => "docs/law-NONCE.md", /^README\.md$/),
  deletes,
  chmods,
  touches,
];

/** Edits of every kind in a random order, among them some that take the last one back. */
export function* treeEdits(random: Random): Generator<(scratch: Scratch, done: Edit[]) => Promise<Edit>> {
  const nothing = async (): Promise<void> => undefined;
  const takeBack = async (_: Scratch, done: Edit[]): Promise<Edit> => {
    const last = done.pop();
    await last?.undo();
    return { text: `take back: ${last?.text ?? "nothing"}`, undo: nothing };
  };
  let number = 0;
  for (const editor of random.shuffle(EDITORS)) {
    const nonce = `law-${random.seed}-${++number}`;
    yield async (scratch, done) => {
      const made = await editor(scratch, random, nonce);
      if (!made) return { text: "nothing", undo: nothing };
      done.push(made);
      return made;
    };
    if (number % 6 === 0) yield takeBack;
  }
}
