import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Names of stages that a rendered Dockerfile has, or that an engine gives a meaning of its own. */
const RESERVED = ["final", "scratch", "context", "toolchain", "sources", "artifacts"];
const name = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "expected a name of lower case words with hyphens")
  .refine((text) => !RESERVED.includes(text), `expected a name other than ${RESERVED.join(", ")}`);

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;
/** Text that becomes part of a Dockerfile's line; a line break would begin an instruction of its own. */
const line = z.string().refine((text) => !CONTROL.test(text), "expected one line of text, found a control character");
const duration = z.string().regex(/^(\d+(\.\d+)?(ns|us|ms|s|m|h))+$/, "expected a duration such as 30s");
/** An absolute path that leads where it says, in which COPY expands nothing. */
const path = line
  .regex(/^(\/[^/]+)+$/, "expected an absolute path without empty parts")
  .refine((text) => !/\/\.\.?(\/|$)/.test(text), "expected a path without . and .. as parts")
  .refine((text) => !/[$*?[\\]/.test(text), "expected a path without $ * ? [ and \\, which COPY would expand");
const sentence = line.refine((text) => text.trim() !== "", "expected a summary of one sentence");

/** A file that a fragment puts into the image or its build, with everything that reaches the engine. */
export const FileSchema = z.object({
  /** Absolute path in the image, or in the build for a setup file. */
  path,
  /** Four octal digits. Data, not read from the file system: Turbo and Git do not keep modes. */
  mode: z.string().regex(/^[0-7]{4}$/),
  sha256,
  kind: z.enum(["setup", "runtime"]),
});

const OptionSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("string"),
    arg: z.string(),
    default: z.string(),
    pattern: z.string().optional(),
    text: z.string().optional(),
  }),
  z.object({
    type: z.literal("enum"),
    arg: z.string(),
    default: z.string(),
    values: z.array(z.string()),
    text: z.string().optional(),
  }),
  z.object({
    type: z.literal("boolean"),
    arg: z.string(),
    default: z.boolean(),
    text: z.string().optional(),
  }),
]);

const VariableSchema = z.object({
  type: z.enum(["string", "integer", "boolean", "enum", "path", "port"]),
  text: z.string(),
  default: z.string().optional(),
  secret: z.boolean().optional(),
  file: z.boolean().optional(),
  inImage: z.boolean().optional(),
  values: z.array(z.string()).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
});

const HealthcheckSchema = z.object({
  command: z.array(line).min(1),
  interval: duration,
  timeout: duration,
  startPeriod: duration,
  retries: z.number().int().positive(),
});

const script = z.string().regex(/^[A-Za-z0-9._/-]+\.sh$/, "expected a Bash script such as install.sh");
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "expected the name of a Debian package");
/** An `ARG` that scripts read; with `?` they do without it. */
const arg = z.string().regex(/^[A-Z][A-Z0-9_]*\??$/, "expected the name of an ARG");
const address = line.regex(/^https:\/\/[^\s"'\\]+$/, "expected an address that begins with https://");

/** Setup files of a fragment: all of them, or those of one folder. */
const used = z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*(\/[A-Za-z0-9._-]+)?$/, "expected name or name/folder");

const SourceSchema = z.object({
  name,
  option: z.string(),
  file: z.string().regex(/^[A-Za-z0-9._${}+-]+$/, "expected the name of a file"),
  url: address.optional(),
  sha256: z.record(z.string(), sha256).optional(),
  sumOption: z.string().optional(),
  git: address.optional(),
  commit: z.record(z.string(), z.string().regex(/^[0-9a-f]{40}$/, "expected a commit of 40 digits")).optional(),
});

const SetupSchema = z.object({
  install: script.nullable(),
  uses: z.array(used),
  reads: z.array(arg),
  buildPackages: z.array(packageName),
  runtimePackages: z.array(packageName),
  toolchain: script.nullable(),
  build: z
    .object({
      script,
      uses: z.array(used),
      when: z.object({ option: z.string(), is: z.string() }).nullable(),
      needs: z.array(name),
      sources: z.array(SourceSchema),
      optional: z.boolean(),
    })
    .nullable(),
  supports: z
    .object({
      fragment: name,
      option: z.string(),
      own: z.string(),
      ranges: z.record(z.string(), z.string().regex(/^\d+-\d+$/, "expected a range such as 15-17")),
    })
    .nullable(),
  imageEnv: z.record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of a variable"),
    line.refine((text) => !/["\\]/.test(text), 'expected a value without " and \\'),
  ),
});

/** `dist/fragment.json`: a whole fragment as data. */
export const ManifestSchema = z.object({
  schema: z.literal(1),
  name,
  version: z.string(),
  summary: sentence,
  options: z.record(z.string(), OptionSchema),
  dependsOn: z.array(name),
  installsAfter: z.array(name),
  conflictsWith: z.array(name),
  setup: SetupSchema.nullable(),
  runtime: z
    .object({
      env: z.record(z.string(), VariableSchema),
      envPrefixes: z.array(z.string()),
      expose: z.array(z.number().int().min(1).max(65535)),
      volumes: z.array(path),
      labels: z.record(line, line),
      healthcheck: HealthcheckSchema.nullable(),
      entrypoint: z.array(line).nullable(),
      cmd: z.array(line).nullable(),
      stopSignal: z
        .string()
        .regex(/^(SIG[A-Z0-9+]+|\d+)$/, "expected a signal such as SIGTERM")
        .nullable(),
    })
    .nullable(),
  files: z.array(FileSchema),
  /** sha256 of rootfs.tar, the runtime files as one archive; null where there are none. */
  archive: sha256.nullable(),
  /** sha256 of each Dockerfile fragment, null where there is none. */
  dockerfiles: z.object({
    setup: sha256.nullable(),
    runtime: sha256.nullable(),
  }),
});

/** What `fragment.json` says. */
export type Manifest = z.infer<typeof ManifestSchema>;
/** What a fragment does while the image is built, every default filled in. */
export type ManifestSetup = z.infer<typeof SetupSchema>;
/** One file of a fragment. */
export type FragmentFile = z.infer<typeof FileSchema>;
