import { describe, expect, it } from "vitest";
import { classicDockerfile, type Plan } from "../build/classic.ts";

const run = (fragment: string, command: string, more = ""): string =>
  [
    "RUN --mount=type=tmpfs,target=/mnt",
    `--mount=type=bind,source=fragments/base/setup/lib,target=/mnt/setup/base/lib${more}`,
    `--mount=type=bind,source=fragments/${fragment}/setup,target=/mnt/setup/${fragment}`,
    "--mount=type=secret,id=apt-conf,target=/mnt/secrets/apt-conf",
    command,
  ].join(" \\\n    ");
const stage = (fragment: string): Plan["stages"][number] => ({
  id: `build-${fragment}`,
  kind: "build",
  fragment,
  dockerfile: `FROM toolchain AS build-${fragment}\nARG MAJOR="17"\nARG ${fragment.toUpperCase()}="1"\n${run(
    fragment,
    `BUILD_PACKAGES="a b" bash /mnt/setup/${fragment}/build.sh`,
    ` \\\n    --mount=type=bind,source=sources/${fragment},target=/mnt/sources`,
  )}`,
});
const layer = (kind: string, fragment: string | null, dockerfile: string): Plan["layers"][number] => ({
  id: `${kind}/${fragment}`,
  kind,
  fragment,
  dockerfile,
});
const plan: Plan = {
  base: { name: "debian:trixie-slim", digest: "sha256:0", suite: "trixie" },
  stages: [
    {
      id: "toolchain",
      kind: "toolchain",
      fragment: "tools",
      dockerfile: `FROM \${BASE_IMAGE} AS toolchain\nARG MAJOR="17"\n${run("tools", "bash /mnt/setup/tools/tools.sh")}`,
    },
    stage("one"),
    stage("two"),
  ],
  layers: [
    layer("base", null, "FROM ${BASE_IMAGE} AS final"),
    layer("setup", "base", `ARG MAJOR="17"\n${run("base", "bash /mnt/setup/base/install.sh")}\nENV LANG="C"`),
    layer("component", "one", "COPY --from=build-one /out/ /"),
    layer("runtime", "entry", 'ADD fragments/entry.tar /\nENTRYPOINT ["/entry.sh"]'),
    layer("metadata", null, 'LABEL a="b" \\\n      c="d"\nUSER 999:999'),
  ],
};

describe("the classic Dockerfile", () => {
  const text = classicDockerfile(plan, new Set(["one", "two"]));
  const lines = text.split("\n");

  it("has one layer that runs everything in order, and one COPY", () => {
    expect(text.match(/^RUN /gm)).toHaveLength(1);
    expect(lines.filter((line) => /^(COPY|ADD) /.test(line))).toEqual(["COPY rootfs/ /"]);
    const scripts = [...text.matchAll(/bash (\/mnt\/\S+?\.sh)/g)].map((match) => match[1]);
    expect(scripts).toEqual(
      ["base/install", "tools/tools", "one/build", "two/build"].map((name) => `/mnt/setup/${name}.sh`),
    );
  });

  it("takes every argument once, before the layer, and keeps what the image is", () => {
    expect(lines.filter((line) => line === 'ARG MAJOR="17"')).toHaveLength(1);
    expect(text.indexOf("ARG TWO")).toBeLessThan(text.indexOf("RUN "));
    expect(text).toContain('ENV LANG="C"');
    expect(text).toContain('ENTRYPOINT ["/entry.sh"]\nLABEL a="b" \\\n      c="d"\nUSER 999:999\n');
  });

  it("gives each component its own sources, and takes the compilers away", () => {
    expect(text).toContain("source=sources/one,target=/mnt/sources/one");
    expect(text).toContain('SOURCES=/mnt/sources/two BUILD_PACKAGES="a b" bash /mnt/setup/two/build.sh');
    expect(text.match(/cp -a \/out\/\. \//g)).toHaveLength(2);
    expect(text.indexOf("apt-get purge")).toBeGreaterThan(text.indexOf("two/build.sh"));
  });

  it("compiles only what there are sources of, and needs no compilers for nothing", () => {
    expect(classicDockerfile(plan, new Set(["two"]))).not.toContain("one/build.sh");
    const none = classicDockerfile(plan, new Set());
    expect(none).not.toContain("tools.sh");
    expect(none).not.toContain("purge");
  });
});
