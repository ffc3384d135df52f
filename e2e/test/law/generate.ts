import { argOf, type Fragment, type Model, RELEASES, setupPath } from "./model.js";
import type { Random } from "./random.js";

const NAMES = ["alder", "birch", "cedar", "elder", "hazel", "larch", "maple", "rowan"];

/**
 * Writes down what it reads and what was written down before it. So what comes out is another with everything that goes
 * in: an engine may leave alone what is made of a script's result where that is what it was, which is no matter here.
 */
const report = (file: string): string => `mkdir -p "${file.slice(0, file.lastIndexOf("/"))}"
{
  cd /mnt
  find setup sources -type f 2>/dev/null | LC_ALL=C sort | while read -r name; do
    echo "$name"
    cat "$name"
  done
  env | grep '^LAW_' | LC_ALL=C sort || true
  echo "\${BUILD_PACKAGES-} \${RUNTIME_PACKAGES-} \${OPTIONAL-}"
  cat /usr/share/law/* 2>/dev/null || true
} >/law-report
mv /law-report "${file}"
`;

const scriptText = (body: string, nonce: string): string => `#!/usr/bin/env bash\nset -Eeu\n# ${nonce}\n${body}`;

function blank(name: string, dependsOn: string[]): Fragment {
  return {
    name,
    summary: `Generated ${name}`,
    version: "1.0.0",
    dependsOn,
    installsAfter: [],
    options: {},
    reads: [],
    buildPackages: [],
    runtimePackages: [],
    imageEnv: {},
    runtime: false,
    env: {},
    expose: [],
    modes: {},
    files: {},
  };
}

/** A text of some setup files, others' too, that scripts may use. */
const withLib = (fragment: Fragment, nonce: string): void => {
  fragment.files[setupPath(fragment.name, "lib/lib.sh")] = `# ${nonce}\n: lib of ${fragment.name}\n`;
};

function addInstall(fragment: Fragment, uses: string[], nonce: string): void {
  const { name } = fragment;
  fragment.install = { path: "install/install.sh", uses };
  fragment.files[setupPath(name, "install/install.sh")] = scriptText(report(`/usr/share/law/installed-${name}`), nonce);
}

/** Some of the ARGs of these fragments. */
const someArgs = (random: Random, fragments: readonly Fragment[]): string[] =>
  fragments.flatMap(({ name, options }) =>
    Object.keys(options)
      .map((option) => argOf(name, option))
      .filter(() => random.chance(0.5)),
  );

/** A random image of six to nine small fragments: their scripts install nothing, so that they take no time. */
export function generate(random: Random, nonce: string): Model {
  const names = random.shuffle(NAMES);
  const take = (): string => names.pop()!;

  const base = blank("setup-base", []);
  base.options = { user: "somebody" };
  withLib(base, nonce);
  addInstall(base, [], nonce);

  const tools = blank("setup-toolchain", ["setup-base"]);
  tools.options = { release: "1" };
  tools.reads = [argOf("setup-base", "user")].filter(() => random.chance(0.5));
  tools.buildPackages = ["gcc", "make"];
  tools.toolchain = { path: "stage/toolchain.sh", uses: ["setup-base/lib"].filter(() => random.chance(0.5)) };
  tools.files[setupPath(tools.name, "stage/toolchain.sh")] = scriptText(report("/usr/share/law/toolchain"), nonce);
  withLib(tools, nonce);

  const compiled: Fragment[] = [];
  for (let count = random.between(2, 3); count > 0; count--) {
    const needs = compiled.filter(() => random.chance(0.5));
    const name = take();
    const fragment = blank(name, ["setup-base", "setup-toolchain", ...needs.map((need) => need.name)]);
    const conditional = compiled.length > 0 && random.chance(0.4);
    // The first one has a source, so that there always is one.
    const source = compiled.length === 0 || random.chance(0.5);
    fragment.options = {
      flavour: "plain",
      ...(conditional ? { channel: random.pick(["debian", "source"]) } : {}),
      ...(source ? { version: RELEASES[0]! } : {}),
    };
    fragment.reads = someArgs(random, [base, ...needs]);
    fragment.buildPackages = ["libfirst-dev", "libsecond-dev"].filter(() => random.chance(0.7));
    fragment.build = {
      path: "build/build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib"].filter(() => random.chance(0.5)),
      needs: needs.map((need) => need.name),
      conditional,
      source,
      optional: random.chance(0.5),
    };
    fragment.files[setupPath(name, "build/build.sh")] = scriptText(report(`/out/usr/share/law/${name}`), nonce);
    if (random.chance(0.5)) {
      addInstall(
        fragment,
        ["setup-base/lib"].filter(() => random.chance(0.5)),
        nonce,
      );
      fragment.runtimePackages = ["libfirst1", "libsecond2"];
    }
    compiled.push(fragment);
  }

  const plain: Fragment[] = [];
  for (let count = random.between(1, 2); count > 0; count--) {
    const fragment = blank(take(), ["setup-base", ...plain.map(({ name }) => name).filter(() => random.chance(0.5))]);
    fragment.options = { mood: "good" };
    fragment.reads = someArgs(random, [base]);
    addInstall(fragment, ["setup-base/lib"], nonce);
    fragment.runtimePackages = ["tzdata", "zlib1g"];
    if (random.chance(0.7)) fragment.imageEnv = { [`${fragment.name.toUpperCase()}_HOME`]: "/srv" };
    plain.push(fragment);
  }

  const running: Fragment[] = [];
  for (let count = random.between(1, 2); count > 0; count--) {
    const fragment = blank(
      take(),
      running.map(({ name }) => name).filter(() => random.chance(0.4)),
    );
    const { name } = fragment;
    fragment.runtime = true;
    fragment.env = { [`${name.toUpperCase()}_LEVEL`]: "one" };
    fragment.expose = [4_000];
    fragment.files = { [`/opt/${name}/main.sh`]: `# ${nonce}\n`, [`/opt/${name}/main.conf`]: `# ${nonce}\n` };
    running.push(fragment);
  }
  // One that is both: it installs, and it drives what it installed.
  const both = random.pick(plain);
  both.files[`/opt/${both.name}/both.sh`] = `# ${nonce}\n`;

  const all = [base, tools, ...compiled, ...plain, ...running];
  return {
    title: "Law",
    fragments: Object.fromEntries(all.map((fragment) => [fragment.name, fragment])),
    values: { "setup-base": { user: "law" } },
    others: { "README.md": "What the law says\n" },
  };
}
