import { describe, expect, it } from "vitest";
import { argLine, contextPath, quote } from "../src/dockerfile.js";
import { emission } from "../src/emit.js";
import { env } from "../src/environment.js";
import { option } from "../src/option.js";
import { fragmentIn, problemsOf, scratch } from "./helpers.js";

type Given = Parameters<typeof fragmentIn>;

/** The two Dockerfile fragments of a definition. */
async function texts(files: Given[1], more: Given[2]) {
  const emitted = await emission(await fragmentIn(await scratch(), files, more), "1.0.0");
  return {
    setup: emitted.files.get("setup.Dockerfile"),
    runtime: String(emitted.files.get("runtime.Dockerfile") ?? ""),
  };
}

describe("quote", () => {
  it("makes one word in which nothing is expanded", () => {
    expect(quote("plain")).toBe('"plain"');
    expect(quote('a "b" $c \\d')).toBe('"a \\"b\\" \\$c \\\\d"');
  });
});

describe("argLine", () => {
  it("is the default unless a value is given", () => {
    const flag = option.boolean({ arg: "FLAG", default: true });
    expect(argLine(flag)).toBe('ARG FLAG="true"');
    expect(argLine(flag, false)).toBe('ARG FLAG="false"');
    expect(argLine(option.string({ arg: "A", default: "$HOME" }))).toBe('ARG A="\\$HOME"');
  });
});

describe("contextPath", () => {
  it("keeps setup files apart from those of the image", () => {
    expect(contextPath("a", "/etc/x")).toBe("fragments/a/rootfs/etc/x");
    expect(contextPath("a", "/mnt/setup/a")).toBe("fragments/a/setup");
    expect(contextPath("a", "/mnt/setup/a/install.sh")).toBe("fragments/a/setup/install.sh");
    expect(contextPath("a", "/mnt/setup/ab/x")).toBe("fragments/a/rootfs/mnt/setup/ab/x");
  });
});

describe("setup.Dockerfile", () => {
  it("declares the ARGs, runs the script over mounts alone, and sets what follows from it", async () => {
    const { setup } = await texts(
      { "mnt/setup/sample/install.sh": "" },
      {
        dependsOn: ["setup-base"],
        options: {
          major: option.string({ arg: "MAJOR", default: "17" }),
          fast: option.boolean({ arg: "FAST", default: false }),
        },
        setup: {
          install: "install.sh",
          uses: ["setup-base"],
          imageEnv: { PATH: "/opt/${MAJOR}/bin:${PATH}" },
        },
      },
    );
    await expect(setup).toMatchFileSnapshot("./__snapshots__/setup.Dockerfile");
  });

  it("is not there for a fragment that installs nothing", async () => {
    expect((await texts({ "etc/x": "" }, {})).setup).toBeUndefined();
  });

  it("leaves nothing of the build in a layer: every mount is below a tmpfs", async () => {
    const { setup } = await texts({ "mnt/setup/sample/install.sh": "" }, { setup: { install: "install.sh" } });
    const mounts = String(setup).match(/--mount=\S+/g) ?? [];
    expect(mounts[0]).toBe("--mount=type=tmpfs,target=/mnt");
    for (const mount of mounts.slice(1)) expect(mount).toMatch(/,target=\/mnt\//);
    expect(setup).not.toMatch(/^(COPY|ADD) /m);
  });
});

describe("setup.Dockerfile of a component that is compiled", () => {
  const source = {
    name: "thing",
    option: "version",
    file: "thing-${version}.tar.gz",
    url: "https://example.org/${version}.tar.gz",
    sha256: { "1.0": "0".repeat(64) },
  };

  it("has a stage of its own that starts from the toolchain, and a copy of what it made", async () => {
    const { setup } = await texts(
      { "mnt/setup/sample/build/build.sh": "", "mnt/setup/sample/install.sh": "" },
      {
        dependsOn: ["setup-base", "setup-postgresql", "setup-toolchain"],
        options: { version: option.string({ arg: "THING_VERSION", default: "1.0" }) },
        setup: {
          install: "install.sh",
          uses: ["setup-base"],
          reads: ["PG_MAJOR"],
          buildPackages: ["libz-dev", "libicu-dev"],
          runtimePackages: ["libz1"],
          build: {
            script: "build/build.sh",
            uses: ["setup-base", "setup-toolchain/lib"],
            needs: ["setup-postgresql"],
            sources: [source],
          },
        },
      },
    );
    await expect(setup).toMatchFileSnapshot("./__snapshots__/component.Dockerfile");
  });

  it("has the toolchain itself where a fragment makes it, and nothing in the image", async () => {
    const { setup } = await texts({ "mnt/setup/sample/toolchain.sh": "" }, { setup: { toolchain: "toolchain.sh" } });
    expect(setup).toMatch(/^# strata:stage toolchain\nFROM \$\{BASE_IMAGE\} AS toolchain\nRUN /);
    expect(setup).not.toContain("# strata:image");
  });

  it.each([
    ["a script that is not there", { build: { script: "no.sh", sources: [] } }, "setup.build.script names no.sh"],
    ["a toolchain that is not there", { toolchain: "no.sh" }, "setup.toolchain names no.sh"],
    ["nothing at all", {}, "expected install, toolchain or build, found none"],
    [
      "an option it does not have",
      { build: { script: "build.sh", when: { option: "chanel", is: "source" }, sources: [source] } },
      "setup.build.when names option chanel",
    ],
    [
      "a source with two origins",
      { build: { script: "build.sh", sources: [{ ...source, git: "https://example.org/thing" }] } },
      "setup.build.sources thing: expected either url or git",
    ],
    [
      "two sources of one file",
      { build: { script: "build.sh", sources: [source, { ...source, name: "other" }] } },
      "is another source's file already",
    ],
    [
      "a need without dependency",
      { build: { script: "build.sh", needs: ["setup-postgresql"], sources: [] } },
      'add "setup-postgresql" to dependsOn',
    ],
    [
      "an address that is not https",
      { build: { script: "build.sh", sources: [{ ...source, url: "http://example.org/x" }] } },
      "expected an address that begins with https://",
    ],
  ])("is refused with %s", async (_what, setup, message) => {
    const options = { version: option.string({ arg: "V", default: "1.0" }) };
    const text = await problemsOf(() => texts({ "mnt/setup/sample/build.sh": "" }, { options, setup }));
    expect(text).toContain(message);
  });
});

describe("runtime.Dockerfile", () => {
  it("adds files of any mode as one archive, and the settings", async () => {
    const { runtime } = await texts(
      {
        "opt/container/run.sh": "#!/bin/bash\n",
        "etc/app/plain.conf": "a",
        "etc/app/other.conf": "b",
        "etc/app/secret.conf": "c",
        "etc/with space/it's.conf": "d",
        "usr/local/bin/tool": "#!/bin/bash\n",
      },
      {
        modes: { "/etc/app/secret.conf": "0640" },
        runtime: {
          env: {
            DATA: env.path({ text: "t", default: "/data", inImage: true }),
            HIDDEN: env.string({ text: "t", default: "x" }),
          },
          labels: { "com.example.price": '5 $ "net"' },
          expose: [5432, 8008],
          volumes: ["/data"],
          stopSignal: "SIGINT",
          healthcheck: {
            command: ["/bin/check", "--fast"],
            interval: "30s",
            timeout: "10s",
            startPeriod: "60s",
            retries: 3,
          },
          entrypoint: ["/opt/container/run.sh"],
          cmd: ["serve", "--now"],
        },
      },
    );
    await expect(runtime).toMatchFileSnapshot("./__snapshots__/runtime.Dockerfile");
  });

  it("has exactly one layer of files whatever their modes", async () => {
    const { runtime } = await texts({ "a.sh": "", "b.conf": "", "c/d.conf": "" }, { modes: { "/b.conf": "0600" } });
    expect(runtime.match(/^(COPY|ADD|RUN) .*$/gm)).toEqual(["ADD fragments/sample.tar /"]);
  });

  it("holds settings alone for a fragment without files", async () => {
    const { runtime } = await texts({}, { runtime: { cmd: ["postgres"] } });
    expect(runtime).toBe('# strata:image\nCMD ["postgres"]\n');
  });

  it("keeps words of a command as they are, commas and quotes too", async () => {
    const words = [",", 'x","y', "a\\b", ""];
    const { runtime } = await texts({}, { runtime: { cmd: words } });
    const line = /^CMD (.*)$/m.exec(runtime)?.[1];
    expect(JSON.parse(line ?? "null")).toEqual(words);
  });

  it.each(["etc/$HOME.conf", "etc/a*.conf", "etc/a?.conf", "etc/[ab].conf", "etc/a\\b.conf", "etc/a\nb.conf"])(
    "cannot name the path %j, in which COPY would expand something, so it is refused",
    async (path) => {
      const text = await problemsOf(() => texts({ [path]: "" }, {}));
      expect(text).toContain(JSON.stringify(path).slice(1, -1));
    },
  );
});
