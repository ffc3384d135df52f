import { chmod, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StrataError } from "@strata/fragment";
import { beforeEach, describe, expect, it } from "vitest";
import { loadFragment, loadFragments, loadImage, loadImagePackage } from "../src/load.js";
import { problemsOf, scratch, write } from "./helpers.js";

let folder: string;
beforeEach(async () => {
  folder = await scratch();
});

const BASE = `{ name: "debian:trixie-slim", digest: "sha256:${"a".repeat(64)}", suite: "trixie" }`;

/** An image.ts over fragments in these folders. */
const imageText = (...fragments: string[]): string =>
  [
    ...fragments.map((path, index) => `import f${index} from "${path}/fragment.ts";`),
    `export default { name: "sample", module: import.meta.url, title: "T", description: "D", user: "999:999",`,
    `  fragments: [${fragments.map((_, index) => `f${index}`).join(", ")}],`,
    `  variants: { v: { base: ${BASE} } } };`,
  ].join("\n");

const fragmentText = (name: string, more = ""): string =>
  `export default { name: "${name}", module: import.meta.url, summary: "A sample"${more} };`;

describe("loadImage", () => {
  it("loads a definition that imports TypeScript without its own package", async () => {
    await write(folder, { "image.ts": imageText("./a"), "a/fragment.ts": fragmentText("a") });
    const image = await loadImage(folder);
    expect([image.name, image.fragments[0]?.name]).toEqual(["sample", "a"]);
  });

  it("loads the definition again when it has changed", async () => {
    await write(folder, { "image.ts": imageText() });
    await loadImage(folder);
    await write(folder, { "image.ts": imageText().replace('name: "sample"', 'name: "other"') });
    expect((await loadImage(folder)).name).toBe("other");
  });

  it("keeps what it made of a definition in node_modules, and does without where that cannot be written", async () => {
    const cache = join(folder, "node_modules/.cache/strata");
    await write(folder, { "node_modules/.keep": "", "image.ts": imageText() });
    await loadImage(folder);
    const [name] = await readdir(cache);
    await rm(join(cache, name!));
    await symlink(join(folder, "nowhere/at/all"), join(cache, name!));
    expect((await loadImage(folder)).name).toBe("sample");
  });

  it("says what it expected where there is no image.ts", async () => {
    expect(await problemsOf(() => loadImage(folder))).toContain(`expected ${join(folder, "image.ts")}, found nothing`);
  });

  it.each([
    ["cannot be parsed", "export default {", "image.ts"],
    ["raises an error", 'throw new Error("boom");', "boom"],
    ["imports what is not there", 'import x from "@strata/absent"; export default x;', "@strata/absent"],
  ])("names the file and why, when it %s", async (_, text, expected) => {
    await write(folder, { "image.ts": text });
    const message = await problemsOf(() => loadImage(folder));
    expect(message).toContain(join(folder, "image.ts"));
    expect(message).toContain("cannot be loaded");
    expect(message).toContain(expected);
  });

  it.each([
    ["has no default export", "export const image = 1;"],
    ["exports nothing", ""],
    ["exports a text", 'export default "image";'],
    ["exports an image without fragments", 'export default { name: "a", module: import.meta.url, variants: {} };'],
  ])("says what it expected when the file %s", async (_, text) => {
    await write(folder, { "image.ts": text });
    expect(await problemsOf(() => loadImage(folder))).toContain("does not export an image");
  });

  it("says which fragment of the list is none", async () => {
    await write(folder, { "image.ts": imageText("./a"), "a/fragment.ts": "export default undefined;" });
    expect(await problemsOf(() => loadImage(folder))).toContain("fragments[0] is no fragment");
  });

  it("refuses an image without variants, of which nothing can be built", async () => {
    await write(folder, { "image.ts": imageText().replace(/variants: .*/, "variants: {} };") });
    expect(await problemsOf(() => loadImage(folder))).toContain("variants");
  });
});

describe("loadFragment", () => {
  it("loads the definition of a folder, and says when it is none", async () => {
    await write(folder, { "fragment.ts": fragmentText("a") });
    expect((await loadFragment(folder)).name).toBe("a");
    await write(folder, { "fragment.ts": "export default {};" });
    expect(await problemsOf(() => loadFragment(folder))).toContain("does not export a fragment");
  });
});

describe("loadFragments", () => {
  /** An image with a fragment of another package beside it. */
  async function twoPackages(at = "packages/a"): Promise<string> {
    await write(folder, {
      "images/x/image.ts": imageText(`../../${at}`),
      "images/x/package.json": '{"name":"x"}',
      [`${at}/package.json`]: '{"name":"a","version":"2.0.0"}',
      [`${at}/fragment.ts`]: fragmentText("a"),
      [`${at}/rootfs/etc/a.conf`]: "one",
    });
    return join(folder, at);
  }
  const load = async (onEmit?: (name: string, why: string) => void) =>
    loadFragments(await loadImage(join(folder, "images/x")), onEmit);

  it("emits fragments of the image's own package first", async () => {
    await write(folder, {
      "image.ts": imageText("./a"),
      "package.json": '{"name":"x","version":"3.0.0"}',
      "a/fragment.ts": fragmentText("a"),
      "a/rootfs/etc/a.conf": "one",
    });
    const [fragment] = await loadFragments(await loadImage(folder));
    expect(fragment?.manifest.version).toBe("3.0.0");
    expect(fragment?.contents.get("/etc/a.conf")?.toString()).toBe("one");
  });

  it("says what to run for a fragment of another package that emitted nothing", async () => {
    const at = await twoPackages();
    const message = await problemsOf(() => load());
    expect(message).toContain(`fragment a: expected ${join(at, "dist/fragment.json")}, found nothing`);
    expect(message).toContain("pnpm turbo build");
  });

  it("emits such a fragment where it is told to, and says so, once", async () => {
    await twoPackages();
    const said: string[] = [];
    const onEmit = (name: string, why: string) => said.push(`${name}: ${why}`);
    expect(await load(onEmit)).toHaveLength(1);
    expect(await load(onEmit)).toHaveLength(1);
    expect(said).toEqual(["a: it had emitted nothing yet"]);
  });

  it("emits it again when its sources changed, and gives what they are now", async () => {
    const at = await twoPackages();
    const said: string[] = [];
    await load(() => undefined);
    await writeFile(join(at, "rootfs/etc/a.conf"), "two");
    const [fragment] = await load((name, why) => said.push(`${name}: ${why}`));
    expect(said).toEqual(["a: its sources changed"]);
    expect(fragment?.contents.get("/etc/a.conf")?.toString()).toBe("two");
  });

  it("leaves its dist alone when only times, modes or a README changed", async () => {
    const at = await twoPackages();
    await load(() => undefined);
    const before = await stat(join(at, "dist/fragment.json"));
    await writeFile(join(at, "README.md"), "new");
    await chmod(join(at, "rootfs/etc/a.conf"), 0o777);
    await utimes(join(at, "rootfs/etc/a.conf"), 1, 1);
    const said: string[] = [];
    await load((name) => said.push(name));
    expect(said).toEqual([]);
    expect((await stat(join(at, "dist/fragment.json"))).ino).toBe(before.ino);
  });

  it("leaves its dist alone when the definition spells out what is undefined or unknown", async () => {
    const at = await twoPackages();
    const more = ', options: { x: { type: "string", arg: "X", default: "1", text: undefined, note: 1 } }';
    await write(at, { "fragment.ts": fragmentText("a", more) });
    await load(() => undefined);
    const said: string[] = [];
    await load((name) => said.push(name));
    expect(said).toEqual([]);
  });

  it("never emits what was installed from a registry", async () => {
    await twoPackages("node_modules/a");
    expect(await problemsOf(() => load(() => undefined))).toContain("found nothing");
  });

  it("names every damaged fragment, and does not mend it in silence", async () => {
    const at = await twoPackages();
    await load(() => undefined);
    await writeFile(join(at, "dist/rootfs/etc/a.conf"), "damaged");
    expect(await problemsOf(() => load(() => undefined))).toContain("a.conf is damaged");
    expect(await readFile(join(at, "dist/rootfs/etc/a.conf"), "utf8")).toBe("damaged");
  });

  it("keeps two fragments of one folder apart, or says that they cannot be", async () => {
    await write(folder, {
      "package.json": "{}",
      "image.ts": imageText("./a", "./a/b").replaceAll("./a/b/fragment.ts", "./a/second.ts"),
      "a/fragment.ts": fragmentText("one"),
      "a/second.ts": fragmentText("two"),
    });
    const names = await loadImage(folder)
      .then((image) => loadFragments(image))
      .then(
        (fragments) => fragments.map(({ manifest }) => manifest.name),
        (error: unknown) => (error instanceof StrataError ? ["one", "two"] : [String(error)]),
      );
    expect(names).toEqual(["one", "two"]);
  });
});

describe("loadImagePackage", () => {
  it.each([
    ["{}", { version: "0.0.0" }],
    ['{"version":"1.0.0","repository":"https://x.example/y"}', { version: "1.0.0", source: "https://x.example/y" }],
    [
      '{"version":"1.0.0","repository":{"type":"git","url":"git+https://x.example/y.git"}}',
      { version: "1.0.0", source: "https://x.example/y" },
    ],
  ])("reads version and source of %s", async (text, expected) => {
    await write(folder, { "image.ts": imageText(), "package.json": text });
    expect(await loadImagePackage(await loadImage(folder))).toEqual(expected);
  });

  it("names a package.json that cannot be read", async () => {
    await write(folder, { "image.ts": imageText() });
    const image = await loadImage(folder);
    await write(folder, { "package.json": "{" });
    expect(await problemsOf(() => loadImagePackage(image))).toContain("package.json");
  });

  it("does without a package", async () => {
    await write(folder, { "image.ts": imageText() });
    const image = await loadImage(folder);
    await rm(join(folder, "package.json"), { force: true });
    await mkdir(join(folder, "x"));
    expect((await loadImagePackage(image)).version).toBe("0.0.0");
  });
});
