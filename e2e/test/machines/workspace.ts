import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../scratch.js";

/** Where the sample image is tagged. */
export const REPOSITORY = "strata-e2e/sample";
/** Its package in the workspace. */
export const IMAGE_FOLDER = "images/sample";
const IMAGE_PACKAGE = "@sample/image";
/** Each compiles components of its own: they have an option that differs. */
const VARIANTS = ["one", "two"];

/** A release of a component: its source archive has this sum. */
export interface Release {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const packageJson = (name: string, more: object = {}): string =>
  json({ name, version: "1.0.0", private: true, type: "module", scripts: { build: "strata build", ...more } });

const BUILD = `#!/usr/bin/env bash
set -Eeuo pipefail
source /mnt/setup/tools/lib/build-lib.sh
source_unpack "$COMPONENT" /build
mkdir -p "/out/usr/share/$COMPONENT"
tr a-z A-Z </build/text >"/out/usr/share/$COMPONENT/text"
printf '%s\\n' "$FLAVOUR" >>"/out/usr/share/$COMPONENT/text"
out_finish
`;

/** The script that compiles a component. */
export const buildScript = (name: string): string => `packages/${name}/rootfs/mnt/setup/${name}/build.sh`;

/** The files of a component's package: a fragment that compiles one release. */
export function componentPackage({ name, version, sha256 }: Release): [string, string][] {
  const folder = `packages/${name}`;
  const sources = `[{
        name: "${name}",
        option: "version",
        file: "${name}-\${version}.tar",
        url: "https://127.0.0.1:9/${name}-\${version}.tar",
        sha256: { "${version}": "${sha256}" },
      }]`;
  return [
    [`${folder}/package.json`, packageJson(`@sample/${name}`)],
    [
      `${folder}/fragment.ts`,
      `import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "${name}",
  module: import.meta.url,
  summary: "A component that is compiled",
  dependsOn: ["tools"],
  options: {
    version: option.string({ arg: "${name.toUpperCase()}_VERSION", default: "${version}" }),
    flavour: option.string({ arg: "${name.toUpperCase()}_FLAVOUR", default: "plain" }),
  },
  setup: {
    build: { script: "build.sh", uses: ["tools/lib"], optional: true, sources: ${sources} },
  },
});
`,
    ],
    [buildScript(name), BUILD.replaceAll("$COMPONENT", name).replace("$FLAVOUR", `$${name.toUpperCase()}_FLAVOUR`)],
  ];
}

/** The packages that every machine has: the toolchain, which installs nothing, with the real library of build scripts. */
function fixedPackages(): [string, string][] {
  const lib = join(ROOT, "packages/setup/toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh");
  return [
    ["packages/tools/package.json", packageJson("@sample/tools")],
    ["packages/tools/rootfs/mnt/setup/tools/stage/toolchain.sh", "true\n"],
    ["packages/tools/rootfs/mnt/setup/tools/lib/build-lib.sh", readFileSync(lib, "utf8")],
    [
      "packages/tools/fragment.ts",
      `import { defineFragment } from "@strata/fragment";

export default defineFragment({
  name: "tools",
  module: import.meta.url,
  summary: "What components are compiled with",
  setup: { toolchain: "stage/toolchain.sh" },
});
`,
    ],
    ["packages/part/package.json", packageJson("@sample/part")],
    ["packages/part/rootfs/etc/part.conf", "part\n"],
    [
      "packages/part/fragment.ts",
      `import { defineFragment } from "@strata/fragment";

export default defineFragment({
  name: "part",
  module: import.meta.url,
  summary: "A file",
  runtime: { cmd: ["cat", "/etc/part.conf"] },
});
`,
    ],
  ];
}

function imageText(names: readonly string[]): string {
  const real = readFileSync(join(ROOT, "images/postgresql/image.ts"), "utf8");
  const digest = /name: "debian:trixie-slim",\s+digest: "(sha256:[0-9a-f]{64})"/.exec(real)![1];
  const base = `{ name: "debian:trixie-slim", digest: "${digest}", suite: "trixie" }`;
  return `import { defineImage } from "@strata/assembler";
import part from "../../packages/part/fragment.ts";
import tools from "../../packages/tools/fragment.ts";
${names.map((name) => `import ${name} from "../../packages/${name}/fragment.ts";`).join("\n")}

const base = ${base};

export default defineImage({
  name: "sample",
  module: import.meta.url,
  repository: "${REPOSITORY}",
  title: "Sample",
  description: "Components that are compiled",
  user: "999:999",
  fragments: [part, tools, ${names.join(", ")}],
  variants: {
    one: { default: true, base },
    two: { base, options: { ${names.map((name) => `${name}: { flavour: "other" }`).join(", ")} } },
  },
});
`;
}

/** The image's tasks of Turbo: the very ones that images/postgresql has for a component, for those here. */
function imageTurbo(names: readonly string[]): string {
  const real = readFileSync(join(ROOT, "images/postgresql/turbo.json"), "utf8");
  const task = JSON.stringify(JSON.parse(real).tasks["artifact:17-trixie:setup-citus"]);
  const own = (variant: string, name: string): unknown =>
    JSON.parse(task.replaceAll("17-trixie", variant).replaceAll("setup-citus", name));
  const tasks = VARIANTS.flatMap((variant) =>
    names.map((name) => [`artifact:${variant}:${name}`, own(variant, name)] as const),
  );
  return json({ extends: ["//"], tasks: Object.fromEntries(tasks) });
}

/** Every file of the sample workspace, by path. */
export function workspaceFiles(releases: readonly Release[]): [string, string][] {
  const names = releases.map(({ name }) => name);
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { tasks } = JSON.parse(readFileSync(join(ROOT, "turbo.json"), "utf8"));
  const places = ["tools", "part", ...names].map((name) => `packages/${name}`);
  const importers = [".", ...places, IMAGE_FOLDER].map((place) => `  ${place}: {}\n`).join("");
  const dependencies = Object.fromEntries(
    ["part", "tools", ...names].map((name) => [`@sample/${name}`, "workspace:*"]),
  );
  const scripts = Object.fromEntries(
    VARIANTS.flatMap((variant) =>
      names.map((name) => [`artifact:${variant}:${name}`, `strata artifact ${variant} --fragment ${name}`]),
    ),
  );
  return [
    ["package.json", json({ name: "sample", private: true, type: "module", packageManager })],
    ["pnpm-workspace.yaml", "packages:\n  - packages/*\n  - images/*\npmOnFail: ignore\nverifyDepsBeforeRun: false\n"],
    ["pnpm-lock.yaml", `lockfileVersion: '9.0'\nimporters:\n${importers}`],
    ["turbo.json", json({ tasks: { build: tasks.build } })],
    [".gitignore", "node_modules/\ndist/\nartifacts/\n.turbo/\n.strata/\n"],
    ...fixedPackages(),
    ...releases.flatMap(componentPackage),
    [`${IMAGE_FOLDER}/package.json`, json({ ...JSON.parse(packageJson(IMAGE_PACKAGE, scripts)), dependencies })],
    [`${IMAGE_FOLDER}/turbo.json`, imageTurbo(names)],
    [`${IMAGE_FOLDER}/image.ts`, imageText(names)],
  ];
}
