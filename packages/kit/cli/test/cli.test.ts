import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch, strata, workspace, write } from "./helpers.js";

const COMMANDS = ["plan", "build", "image", "up", "down", "doctor"];
const JSON_COMMANDS = ["plan", "build", "image", "up", "doctor"];
const ESCAPE = "\u001b";

describe.concurrent("strata --help", () => {
  it("lists every command with a sentence", async () => {
    const { code, stdout } = await strata(await scratch(), ["--help"]);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b.* [A-Z].*`, "m"));
  });

  it.each(COMMANDS)("of %s says what it does, and its options", async (command) => {
    const { code, stdout } = await strata(await scratch(), [command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: strata ${command}`);
    expect(stdout.includes("--json")).toBe(JSON_COMMANDS.includes(command));
  });
});

describe.concurrent("a command line that is wrong", () => {
  it("names the nearest command, and fails", async () => {
    const { code, stderr } = await strata(await scratch(), ["biuld"]);
    expect(code).toBe(1);
    expect(stderr).toContain("unknown command 'biuld'");
    expect(stderr).toContain("Did you mean build?");
    expect(stderr).toContain("strata --help lists the commands");
  });

  it("names the nearest option, and fails", async () => {
    const { code, stderr } = await strata(await scratch(), ["plan", "--jsn"]);
    expect(code).toBe(1);
    expect(stderr).toContain("unknown option '--jsn'");
    expect(stderr).toContain("Did you mean --json?");
  });

  it("is refused for a word too many", async () => {
    const { code, stderr } = await strata(await scratch(), ["plan", "a", "b", "c"]);
    expect(code).toBe(1);
    expect(stderr).toContain("too many arguments");
  });

  it("is refused where there is no image, with what was expected", async () => {
    const folder = await scratch();
    const { code, stderr } = await strata(folder, ["plan"]);
    expect(code).toBe(1);
    expect(stderr).toContain("expected an image.ts here, or a workspace with images/, found neither");
  });
});

describe.concurrent("naming images and variants", () => {
  it("takes the only image, and all of its variants", async () => {
    const { code, stdout } = await strata(await workspace("alpha"), ["plan", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).map(({ tags }: { tags: string[] }) => tags[0])).toEqual([
      "strata/alpha:17-trixie",
      "strata/alpha:15-bookworm",
    ]);
  });

  it("takes a variant's name alone where there is one image", async () => {
    const { stdout } = await strata(await workspace("alpha"), ["plan", "15-bookworm", "--json"]);
    expect(JSON.parse(stdout)).toHaveLength(1);
  });

  it("asks for a name where there are several images, and says which", async () => {
    const folder = await workspace("alpha", "beta");
    const { code, stderr } = await strata(folder, ["plan"]);
    expect(code).toBe(1);
    expect(stderr).toContain("expected the name of one, found none; known: alpha, beta");
    const named = await strata(folder, ["plan", "beta", "17-trixie", "--json"]);
    expect(JSON.parse(named.stdout)[0].image).toBe("beta");
  });

  it("takes the image of the folder, of several", async () => {
    const folder = await workspace("alpha", "beta");
    const { stdout } = await strata(join(folder, "images/beta"), ["plan", "--json"]);
    expect(JSON.parse(stdout)[0].image).toBe("beta");
  });

  it("finds the workspace from a folder deep inside it", async () => {
    const folder = await workspace("alpha");
    const { stdout } = await strata(join(folder, "packages/part/rootfs"), ["plan", "--json"]);
    expect(JSON.parse(stdout)[0].image).toBe("alpha");
  });

  it("names the nearest image for an unknown one", async () => {
    const { code, stderr } = await strata(await workspace("alpha", "beta"), ["plan", "alpa"]);
    expect(code).toBe(1);
    expect(stderr).toContain("image alpa: unknown image; known: alpha, beta");
    expect(stderr).toContain('did you mean "alpha"?');
  });

  it("names the nearest variant for an unknown one", async () => {
    const { code, stderr } = await strata(await workspace("alpha"), ["plan", "alpha", "17-trixi"]);
    expect(code).toBe(1);
    expect(stderr).toContain("variant 17-trixi: unknown variant of image alpha; known: 15-bookworm, 17-trixie");
    expect(stderr).toContain('did you mean "17-trixie"?');
  });

  it("names the nearest variant for a single word that is neither", async () => {
    const { code, stderr } = await strata(await workspace("alpha"), ["plan", "17-trixi"]);
    expect(code).toBe(1);
    expect(stderr).toContain('did you mean "17-trixie"?');
  });

  it("is not kept from one image by another that is broken", async () => {
    const folder = await workspace("alpha", "beta");
    await writeFile(join(folder, "images/beta/image.ts"), "export default {");
    const { code, stdout } = await strata(folder, ["plan", "alpha", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)[0].image).toBe("alpha");
  });
});

describe.concurrent("strata plan", () => {
  it("shows the layers with their digests, without escape codes where no terminal is", async () => {
    const { code, stdout, stderr } = await strata(await workspace("alpha"), ["plan", "17-trixie"]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^strata\/alpha:17-trixie {2}on debian:trixie-slim, 1 fragments?$/m);
    expect(stdout).toMatch(/^ {2}setup\/part +[0-9a-f]{12}$/m);
    expect(stdout).not.toContain(ESCAPE);
  });

  it("minds NO_COLOR, though colour is forced elsewhere", async () => {
    const { stdout } = await strata(await workspace("alpha"), ["plan"], { NO_COLOR: "1" });
    expect(stdout).not.toContain(ESCAPE);
  });

  it("renders nothing", async () => {
    const folder = await workspace("alpha");
    await strata(folder, ["plan"]);
    expect((await readdir(join(folder, "images/alpha"))).sort()).toEqual(["image.ts", "package.json"]);
  });

  it("tells every problem at once, each line with who says it", async () => {
    const folder = await workspace("alpha");
    const file = join(folder, "images/alpha/image.ts");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('{ major: "17" }', '{ majr: "17" }').replace('"999:999"', '"0:0"'));
    const { code, stdout, stderr } = await strata(folder, ["plan"]);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain('option majr: there is no such option\n  → did you mean "major"?');
    expect(stderr.match(/user: expected uid:gid/g)).toHaveLength(1);
    for (const line of stderr.trim().split("\n")) expect(line).toMatch(/^(strata: | {2}→ )/);
  });
});

describe.concurrent("strata build", () => {
  it("renders every variant beside the image, and says where", async () => {
    const folder = await workspace("alpha");
    await strata(join(folder, "packages/part"), ["build"]);
    const { code, stderr } = await strata(folder, ["build"]);
    expect([code, stderr]).toEqual([
      0,
      "rendered strata/alpha:17-trixie in images/alpha/dist/17-trixie\nrendered strata/alpha:15-bookworm in images/alpha/dist/15-bookworm\n",
    ]);
    const text = await readFile(join(folder, "images/alpha/dist/17-trixie/Dockerfile"), "utf8");
    expect(text).toContain('ARG MAJOR="17"');
  });

  it("emits the fragment of the folder, also as JSON", async () => {
    const folder = await workspace("alpha");
    const at = join(folder, "packages/part");
    const { code, stderr } = await strata(at, ["build"]);
    expect([code, stderr]).toEqual([0, "emitted part 1.0.0: 2 files\n"]);
    const { stdout } = await strata(at, ["build", "--json"]);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(join(at, "dist/fragment.json"), "utf8")));
  });

  it("writes the same bytes when it runs again", async () => {
    const folder = await workspace("alpha");
    await strata(join(folder, "packages/part"), ["build"]);
    await strata(folder, ["build"]);
    const file = join(folder, "images/alpha/dist/17-trixie/image.json");
    const first = await readFile(file, "utf8");
    await strata(folder, ["build"]);
    expect(await readFile(file, "utf8")).toBe(first);
  });

  it("says what to run when a fragment has emitted nothing, and renders nothing", async () => {
    const folder = await workspace("alpha");
    const { code, stderr } = await strata(folder, ["build"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /fragment part: expected .*dist\/fragment\.json, found nothing\n {2}→ run `pnpm turbo build`/,
    );
    expect(existsSync(join(folder, "images/alpha/dist"))).toBe(false);
  });

  it("says what is damaged in a fragment's dist", async () => {
    const folder = await workspace("alpha");
    await strata(join(folder, "packages/part"), ["build"]);
    await write(folder, { "packages/part/dist/rootfs/etc/part.conf": "other" });
    const { code, stderr } = await strata(folder, ["build"]);
    expect(code).toBe(1);
    expect(stderr).toContain("part.conf is damaged: expected sha256");
  });

  it("names a definition that cannot be loaded, without a stack trace", async () => {
    const folder = await workspace("alpha");
    await writeFile(join(folder, "images/alpha/image.ts"), "export default {");
    const { code, stderr } = await strata(folder, ["build"]);
    expect(code).toBe(1);
    expect(stderr).toContain("images/alpha/image.ts cannot be loaded");
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it("asks no engine", async () => {
    const folder = await workspace("alpha");
    await strata(join(folder, "packages/part"), ["build"]);
    expect((await strata(folder, ["build"], { STRATA_ENGINE: "/nowhere/docker" })).code).toBe(0);
  });
});
