/** What is read of a plan (`image.json` of a rendered folder). */
export interface Plan {
  readonly base: { readonly name: string; readonly digest: string; readonly suite: string };
  readonly stages: readonly PlanPart[];
  readonly layers: readonly PlanPart[];
}

/** A stage or a layer of it. */
export interface PlanPart {
  readonly id: string;
  readonly kind: string;
  readonly fragment: string | null;
  readonly dockerfile: string;
  readonly sources?: readonly { readonly file: string; readonly sha256?: string }[];
}

/** The instructions of a part, each on one line. */
const instructions = (dockerfile: string): string[] => dockerfile.replace(/ *\\\n */g, " ").split("\n");

/** The command of a part's RUN, without its mounts, or undefined where it runs nothing. */
function command(part: PlanPart): string | undefined {
  const run = instructions(part.dockerfile).find((line) => line.startsWith("RUN "));
  return run?.slice("RUN ".length).replace(/--mount=\S+ +/g, "");
}

/** Fragments whose setup files a part's RUN sees. */
const mounted = (part: PlanPart): string[] =>
  [...part.dockerfile.matchAll(/source=fragments\/([^/]+)\/setup/g)].map((match) => match[1]!);

/** What a part does about one component: compile it, put it into place, leave nothing behind. */
const compile = (part: PlanPart): string[] => [
  `SOURCES=/mnt/sources/${part.fragment} ${command(part)}`,
  "cp -a /out/. /",
  "rm -rf /out /build",
];

/**
 * A classic Dockerfile with the same content as the plan's: one layer that installs everything, compiles one component
 * after the other and takes the compilers away again, then one COPY of all scripts. It runs the fragments' own setup
 * scripts, so that nothing but the arrangement is another one.
 * @param components fragments that are compiled
 */
export function classicDockerfile({ stages, layers }: Plan, components: ReadonlySet<string>): string {
  const setup = layers.filter(({ kind }) => kind === "setup");
  const compiled = stages.filter(({ kind, fragment }) => kind === "build" && components.has(fragment ?? ""));
  const toolchain = compiled.length > 0 ? stages.filter(({ kind }) => kind === "toolchain") : [];
  const parts = [...setup, ...toolchain, ...compiled];
  const such = (of: readonly PlanPart[], pattern: RegExp): string[] => [
    ...new Set(of.flatMap(({ dockerfile }) => instructions(dockerfile)).filter((line) => pattern.test(line))),
  ];
  const fragments = [...new Set(parts.flatMap(mounted))].sort();
  const mounts = [
    "type=tmpfs,target=/mnt",
    ...fragments.map((name) => `type=bind,source=fragments/${name}/setup,target=/mnt/setup/${name}`),
    ...compiled.map(({ fragment }) => `type=bind,source=sources/${fragment},target=/mnt/sources/${fragment}`),
    ...["apt-sources", "apt-conf"].map((id) => `type=secret,id=${id},target=/mnt/secrets/${id}`),
  ];
  const purge = [
    "apt-mark auto '.*' >/dev/null",
    "apt-mark manual $manual >/dev/null",
    "apt-get purge --yes --auto-remove -o APT::AutoRemove::RecommendsImportant=false",
    "bash -c '. /mnt/setup/setup-base/lib/apt.sh && apt_clean'",
  ];
  const commands = [
    "set -e",
    ...setup.flatMap((part) => command(part) ?? []),
    ...(toolchain.length > 0
      ? ["manual=$(apt-mark showmanual)", ...toolchain.flatMap((part) => command(part) ?? [])]
      : []),
    ...compiled.flatMap(compile),
    ...(toolchain.length > 0 ? purge : []),
  ];
  const rest = layers.filter(({ kind }) => kind === "runtime" || kind === "metadata");
  const after = rest.flatMap(({ dockerfile }) => dockerfile.split("\n")).filter((line) => !/^(ADD|COPY) /.test(line));
  return [
    'ARG BASE_IMAGE="debian"',
    "FROM ${BASE_IMAGE}",
    ...such(parts, /^ARG /),
    ...such(setup, /^ENV /),
    `RUN ${mounts.map((mount) => `--mount=${mount}`).join(" \\\n    ")} \\\n    ${commands.join("; \\\n    ")}`,
    "COPY rootfs/ /",
    ...after,
    "",
  ].join("\n");
}
