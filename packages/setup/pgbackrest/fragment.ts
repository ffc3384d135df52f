import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-pgbackrest",
  module: import.meta.url,
  summary: "pgBackRest: backups and the archive of the write-ahead log",
  dependsOn: ["setup-base", "setup-postgresql", "setup-toolchain"],
  options: {
    channel: option.enum(["debian", "source"], {
      arg: "PGBACKREST_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages, or an exact release, compiled",
    }),
    version: option.string({
      arg: "PGBACKREST_VERSION",
      default: "2.56.0",
      pattern: "[0-9]+\\.[0-9]+\\.[0-9]+",
      text: "Channel source: the release",
    }),
    sha256: option.string({
      arg: "PGBACKREST_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Channel source: the sum of a release that this fragment does not know",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib"],
    buildPackages: [
      "libbz2-dev",
      "liblz4-dev",
      "libpq-dev",
      "libssh2-1-dev",
      "libssl-dev",
      "libxml2-dev",
      "libyaml-dev",
      "libzstd-dev",
      "meson",
      "zlib1g-dev",
    ],
    // By their names in Debian 12; those of Debian 13 provide them. libpq5 comes with the server.
    runtimePackages: ["libbz2-1.0", "liblz4-1", "libpq5", "libssh2-1", "libssl3", "libxml2", "libzstd1", "zlib1g"],
    build: {
      script: "build/build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib"],
      when: { option: "channel", is: "source" },
      sources: [
        {
          name: "pgbackrest",
          option: "version",
          sumOption: "sha256",
          file: "pgbackrest-${version}.tar.gz",
          url: "https://github.com/pgbackrest/pgbackrest/archive/refs/tags/release/${version}.tar.gz",
          sha256: { "2.56.0": "e4ed91be1c518817fd2909c99edc0d3661126fde86abf77a0d470da09741447f" },
        },
      ],
    },
    supports: {
      fragment: "setup-postgresql",
      option: "major",
      own: "version",
      ranges: { "2.55.": "9-17", "2.56.": "9-17", "2.58.": "9-18" },
    },
  },
});
