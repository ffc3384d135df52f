import { chmod, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ordered } from "./expected.js";
import { type Fragment, type Model, optionValue, RELEASES, setupPath } from "./model.js";
import type { Random } from "./random.js";

/** Changes a model, and says how; undefined where it has no place for such an edit. */
type Edit = (model: Model, random: Random, nonce: string) => string | undefined;

const all = (model: Model): Fragment[] => Object.values(model.fragments);

/** An edit of one of the fragments that fit. */
const inOne =
  (fits: (fragment: Fragment) => boolean, edit: (fragment: Fragment, random: Random, nonce: string) => string): Edit =>
  (model, random, nonce) => {
    const fitting = all(model).filter(fits);
    if (fitting.length === 0) return undefined;
    const fragment = random.pick(fitting);
    return `${fragment.name}: ${edit(fragment, random, nonce)}`;
  };

/** An edit of the end of one of the files whose paths fit. */
const inFile = (fits: RegExp, what: string, tail: (nonce: string) => string): Edit => {
  const paths = ({ files }: Fragment): string[] => Object.keys(files).filter((path) => fits.test(path));
  return inOne(
    (fragment) => paths(fragment).length > 0,
    (fragment, random, nonce) => {
      const path = random.pick(paths(fragment));
      fragment.files[path] += tail(nonce);
      return `${what} in ${path}`;
    },
  );
};

const comment = (nonce: string): string => `# ${nonce}\n`;
const line = (nonce: string): string => `: ${nonce}\n`;

const adds = (folder: string, fits: (fragment: Fragment) => boolean): Edit =>
  inOne(fits, (fragment, _, nonce) => {
    const path = setupPath(fragment.name, `${folder}/${nonce}.txt`);
    fragment.files[path] = line(nonce);
    return `new file ${path}`;
  });

const modes = (fits: RegExp): Edit =>
  inOne(
    ({ files }) => Object.keys(files).some((path) => fits.test(path)),
    (fragment, random) => {
      const path = random.pick(Object.keys(fragment.files).filter((name) => fits.test(name)));
      fragment.modes[path] = fragment.modes[path] === "0700" ? "0750" : "0700";
      return `mode ${fragment.modes[path]} of ${path}`;
    },
  );

const packages = (kind: "buildPackages" | "runtimePackages", fits: (fragment: Fragment) => boolean): Edit =>
  inOne(fits, (fragment, _, nonce) => {
    fragment[kind].push(nonce);
    return `${kind}: ${nonce}`;
  });

/** Sets an option of the image to another value. */
const option =
  (fits: (name: string) => boolean): Edit =>
  (model, random, nonce) => {
    const found = all(model).flatMap(({ name, options }) =>
      Object.keys(options)
        .filter(fits)
        .map((key) => [name, key] as const),
    );
    if (found.length === 0) return undefined;
    const [name, key] = random.pick(found);
    const before = optionValue(model, name, key);
    const others = { version: RELEASES, channel: ["debian", "source"] }[key] ?? [nonce];
    const after = random.pick(others.filter((value) => value !== before));
    model.values[name] = { ...model.values[name], [key]: after };
    return `${name}: option ${key} ${before} → ${after}`;
  };

/** Another default: what the image sets itself stays as it is. */
const byDefault: Edit = inOne(
  ({ options }) => Object.keys(options).some((key) => key !== "version" && key !== "channel"),
  (fragment, random, nonce) => {
    const key = random.pick(Object.keys(fragment.options).filter((name) => name !== "version" && name !== "channel"));
    fragment.options[key] = nonce;
    return `default of option ${key}`;
  },
);

/** Has two fragments change places, where nothing speaks against it. */
const reorder: Edit = (model, random) => {
  const names = ordered(model)!.map(({ name }) => name);
  for (const first of random.shuffle(names))
    for (const second of random.shuffle(names.slice(names.indexOf(first) + 1))) {
      const fragment = model.fragments[first]!;
      if (fragment.installsAfter.includes(second)) continue;
      fragment.installsAfter.push(second);
      if (ordered(model)) return `${first} is installed after ${second}`;
      fragment.installsAfter.pop();
    }
  return undefined;
};

/** Leaves a fragment out on which none depends. */
const leaveOut: Edit = (model, random) => {
  const isFree = ({ name, runtime }: Fragment): boolean =>
    runtime && !all(model).some(({ dependsOn }) => dependsOn.includes(name));
  const free = all(model).filter(isFree);
  if (free.length === 0) return undefined;
  const { name } = random.pick(free);
  delete model.fragments[name];
  delete model.values[name];
  return `without ${name}`;
};

const hasEnv = ({ imageEnv }: Fragment): boolean => Object.keys(imageEnv).length > 0;

/** Every kind of edit. */
export const EDITS: readonly Edit[] = [
  inFile(/\/install\/[^/]*\.sh$/, "a comment", comment),
  inFile(/\/install\/[^/]*\.sh$/, "a line", line),
  inFile(/\/build\/[^/]*\.sh$/, "a comment", comment),
  inFile(/\/build\/[^/]*\.sh$/, "a line", line),
  inFile(/\/stage\/[^/]*\.sh$/, "a comment", comment),
  inFile(/\/stage\/[^/]*\.sh$/, "a line", line),
  inFile(/setup-base\/lib\//, "a comment", comment),
  inFile(/setup-base\/lib\//, "a line", line),
  inFile(/setup-toolchain\/lib\//, "a line", line),
  inFile(/^\/opt\//, "a comment", comment),
  inFile(/^\/opt\//, "a line", line),
  inOne(
    ({ runtime }) => runtime,
    ({ name, files }, _, nonce) => {
      files[`/opt/${name}/${nonce}.conf`] = line(nonce);
      return "a new file";
    },
  ),
  inOne(
    ({ files }) => Object.keys(files).filter((path) => path.startsWith("/opt/")).length > 1,
    ({ files, modes }, random) => {
      const path = random.pick(Object.keys(files).filter((name) => name.startsWith("/opt/")));
      delete files[path];
      delete modes[path];
      return `without ${path}`;
    },
  ),
  adds("build", ({ build }) => build !== undefined),
  adds("install", ({ install }) => install !== undefined),
  adds("notes", () => true),
  modes(/^\/opt\//),
  modes(/^\/mnt\/setup\//),
  packages("buildPackages", ({ build }) => build !== undefined),
  packages("buildPackages", ({ toolchain }) => toolchain !== undefined),
  packages("runtimePackages", ({ install }) => install !== undefined),
  option((name) => name === "version"),
  option((name) => name === "channel"),
  option((name) => name !== "version" && name !== "channel"),
  byDefault,
  inOne(
    ({ build }) => build !== undefined,
    ({ build }) => {
      build!.optional = !build!.optional;
      return `optional ${build!.optional}`;
    },
  ),
  inOne(hasEnv, ({ imageEnv }, _, nonce) => {
    imageEnv[Object.keys(imageEnv)[0]!] = `/srv/${nonce}`;
    return "another ENV of the image";
  }),
  inOne(
    ({ runtime }) => runtime,
    ({ env }, _, nonce) => {
      env[Object.keys(env)[0]!] = nonce;
      return "another default of a variable";
    },
  ),
  inOne(
    ({ runtime }) => runtime,
    ({ expose }) => {
      expose.push(4_000 + expose.length);
      return "one more port";
    },
  ),
  inOne(
    () => true,
    (fragment, _, nonce) => {
      fragment.summary = `Generated ${nonce}`;
      return "another summary";
    },
  ),
  inOne(
    () => true,
    (fragment) => {
      fragment.version = fragment.version.replace(/\d+$/, (patch) => String(Number(patch) + 1));
      return `version ${fragment.version}`;
    },
  ),
  inOne(
    ({ name }) => name !== "",
    ({ buildPackages, runtimePackages }) => {
      buildPackages.reverse();
      runtimePackages.reverse();
      return "packages in another order";
    },
  ),
  (model, _, nonce) => {
    model.title = nonce;
    return "another title of the image";
  },
  (model, _, nonce) => {
    model.others[`packages/setup-base/test/${nonce}.bats`] = comment(nonce);
    model.others["README.md"] += `${nonce}\n`;
    return "README and a test";
  },
  reorder,
  leaveOut,
];

/** Touches every file of a model's workspace, and changes the mode of one: edits that change no byte. */
export async function touch(folder: string, model: Model, random: Random): Promise<string> {
  const paths = all(model).flatMap(({ name, files }) =>
    Object.keys(files).map((path) => `packages/${name}/rootfs${path}`),
  );
  for (const path of paths) await utimes(join(folder, path), new Date(), new Date());
  const path = random.pick(paths);
  await chmod(join(folder, path), random.chance(0.5) ? 0o600 : 0o755);
  return `touch of every file, chmod of ${path}`;
}
