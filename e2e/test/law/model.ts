import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A script of a generated fragment that is run while the image is built. */
export interface Script {
  /** Below the fragment's own folder in /mnt/setup: `install/install.sh`. */
  readonly path: string;
  uses: string[];
}

/** How a generated fragment is compiled. */
export interface Compile extends Script {
  needs: string[];
  /** Whether only the channel `source` compiles it. */
  conditional: boolean;
  /** Whether it has an archive, of the release in the option `version`. */
  source: boolean;
  optional: boolean;
}

/** A generated fragment. What it is written as stands in `definitionOf`. */
export interface Fragment {
  readonly name: string;
  summary: string;
  version: string;
  dependsOn: string[];
  installsAfter: string[];
  /** Defaults of options by name; the ARG follows from the names. */
  options: Record<string, string>;
  reads: string[];
  buildPackages: string[];
  runtimePackages: string[];
  toolchain?: Script;
  install?: Script;
  build?: Compile;
  imageEnv: Record<string, string>;
  runtime: boolean;
  /** Defaults of variables of the contract. */
  env: Record<string, string>;
  expose: number[];
  modes: Record<string, string>;
  /** Files of rootfs/ by path. */
  files: Record<string, string>;
}

/** A generated image with its fragments: everything that an edit can change. */
export interface Model {
  title: string;
  fragments: Record<string, Fragment>;
  /** Values that the image sets, by fragment and option. */
  values: Record<string, Record<string, string>>;
  /** READMEs and the like, by path in the workspace. */
  others: Record<string, string>;
}

/** Releases of every component that has a source. */
export const RELEASES = ["1.0", "1.1", "1.2", "1.3"];
/** Where the archives of a workspace lie. */
export const SOURCES = "sources";

/** The ARG of an option. */
export const argOf = (fragment: string, option: string): string =>
  `LAW_${fragment}_${option}`.replaceAll("-", "_").toUpperCase();
/** The value of an option in the image. */
export const optionValue = (model: Model, fragment: string, option: string): string =>
  model.values[fragment]?.[option] ?? model.fragments[fragment]!.options[option]!;
/** Whether a fragment is compiled in the image. */
export const isCompiled = (model: Model, { name, build }: Fragment): boolean =>
  build !== undefined && (!build.conditional || optionValue(model, name, "channel") === "source");
/** The text of a component's archive. */
export const archiveText = (fragment: string, release: string, nonce: string): string =>
  `${fragment} ${release} ${nonce}\n`;
/** The path of a setup file. */
export const setupPath = (fragment: string, file: string): string => `/mnt/setup/${fragment}/${file}`;

const sum = (content: string): string => createHash("sha256").update(content).digest("hex");

/** The definition as fragment.ts has it. */
function definitionOf(fragment: Fragment, nonce: string): object {
  const { name, summary, dependsOn, installsAfter, options, modes, install, toolchain, build, runtime } = fragment;
  const typed = Object.entries(options).map(([key, value]) => {
    const common = { arg: argOf(name, key), default: value };
    return [
      key,
      key === "channel" ? { type: "enum", values: ["debian", "source"], ...common } : { type: "string", ...common },
    ];
  });
  const file = `${name}-\${version}.txt`;
  const source = {
    name,
    option: "version",
    file,
    url: `https://127.0.0.1:9/${file}`,
    sha256: Object.fromEntries(RELEASES.map((release) => [release, sum(archiveText(name, release, nonce))])),
  };
  const setup = {
    reads: fragment.reads,
    buildPackages: fragment.buildPackages,
    runtimePackages: fragment.runtimePackages,
    imageEnv: fragment.imageEnv,
    ...(install || toolchain ? { uses: (install ?? toolchain)!.uses } : {}),
    ...(install ? { install: install.path } : {}),
    ...(toolchain ? { toolchain: toolchain.path } : {}),
    ...(build
      ? {
          build: {
            script: build.path,
            uses: build.uses,
            needs: build.needs,
            optional: build.optional,
            sources: build.source ? [source] : [],
            ...(build.conditional ? { when: { option: "channel", is: "source" } } : {}),
          },
        }
      : {}),
  };
  const env = Object.entries(fragment.env).map(([key, value]) => [
    key,
    { type: "string", text: "A variable", default: value },
  ]);
  return {
    name,
    summary,
    dependsOn,
    installsAfter,
    options: Object.fromEntries(typed),
    modes,
    ...(install || toolchain || build ? { setup } : {}),
    ...(runtime ? { runtime: { env: Object.fromEntries(env), expose: fragment.expose } } : {}),
  };
}

const moduleText = (definition: object, imports = ""): string => {
  const json = JSON.stringify(definition, null, 2);
  return `${imports}export default { module: import.meta.url, ...${json} };\n`;
};

/** The image's definition. */
function imageText(model: Model): string {
  const names = Object.keys(model.fragments).sort();
  const imports = names.map((name, index) => `import f${index} from "../../packages/${name}/fragment.ts";\n`).join("");
  const definition = {
    name: "law",
    repository: "strata-e2e/law",
    title: model.title,
    description: "A generated image",
    user: "999:999",
    variants: {
      only: {
        // The base of the real image, which the engine has already.
        base: {
          name: "debian:trixie-slim",
          digest: "sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f",
          suite: "trixie",
        },
        options: model.values,
      },
    },
  };
  const list = names.map((_, index) => `f${index}`).join(", ");
  return moduleText(definition, imports).replace(/ \};\n$/, `, fragments: [${list}] };\n`);
}

/** Every file of the workspace by path. */
function textsOf(model: Model, nonce: string): Map<string, string> {
  const texts = new Map<string, string>([
    ["pnpm-workspace.yaml", "packages: []\n"],
    ["images/law/package.json", '{ "name": "law", "version": "1.0.0", "type": "module" }\n'],
    ["images/law/image.ts", imageText(model)],
    ...Object.entries(model.others),
  ]);
  for (const fragment of Object.values(model.fragments)) {
    const { name, version, files, build } = fragment;
    texts.set(`packages/${name}/package.json`, `${JSON.stringify({ name, version, type: "module" })}\n`);
    texts.set(`packages/${name}/fragment.ts`, moduleText(definitionOf(fragment, nonce)));
    for (const [path, text] of Object.entries(files)) texts.set(`packages/${name}/rootfs${path}`, text);
    if (build?.source)
      for (const release of RELEASES) texts.set(`${SOURCES}/${name}-${release}.txt`, archiveText(name, release, nonce));
  }
  return texts;
}

/** Keeps a folder what the model says, and touches no file that is right already. */
export class Workspace {
  #written = new Map<string, string>();

  constructor(
    readonly folder: string,
    readonly nonce: string,
  ) {}

  async write(model: Model): Promise<void> {
    const texts = textsOf(model, this.nonce);
    for (const path of this.#written.keys()) if (!texts.has(path)) await rm(join(this.folder, path));
    for (const [path, text] of texts) {
      const at = join(this.folder, path);
      if (existsSync(at) && (await readFile(at, "utf8")) === text) continue;
      await mkdir(dirname(at), { recursive: true });
      await writeFile(at, text);
    }
    this.#written = texts;
  }
}
