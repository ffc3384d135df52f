import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-python",
  module: import.meta.url,
  summary: "Python 3, for what is written in it",
  dependsOn: ["setup-base", "setup-toolchain"],
  options: {
    channel: option.enum(["debian", "source"], {
      arg: "PYTHON_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages, or an exact release, compiled into /usr/local",
    }),
    version: option.string({
      arg: "PYTHON_VERSION",
      default: "3.13.5",
      pattern: "3\\.[0-9]+\\.[0-9]+",
      text: "Channel source: the release",
    }),
    sha256: option.string({
      arg: "PYTHON_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Channel source: the sum of a release that this fragment does not know",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib", "setup-python/lib"],
    buildPackages: [
      "libbz2-dev",
      "libexpat1-dev",
      "libffi-dev",
      "liblzma-dev",
      "libreadline-dev",
      "libsqlite3-dev",
      "libssl-dev",
      "uuid-dev",
      "zlib1g-dev",
    ],
    // By their names in Debian 12; those of Debian 13 provide them.
    runtimePackages: [
      "libbz2-1.0",
      "libexpat1",
      "libffi8",
      "liblzma5",
      "libreadline8",
      "libsqlite3-0",
      "libssl3",
      "libuuid1",
      "zlib1g",
    ],
    build: {
      script: "build/build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib"],
      when: { option: "channel", is: "source" },
      sources: [
        {
          name: "python",
          option: "version",
          sumOption: "sha256",
          file: "Python-${version}.tar.xz",
          url: "https://www.python.org/ftp/python/${version}/Python-${version}.tar.xz",
          sha256: {
            "3.13.5": "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
          },
        },
      ],
    },
  },
});
