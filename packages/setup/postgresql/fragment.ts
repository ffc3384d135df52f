import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-postgresql",
  module: import.meta.url,
  summary: "PostgreSQL server and client",
  dependsOn: ["setup-base", "setup-toolchain"],
  options: {
    major: option.string({
      arg: "PG_MAJOR",
      default: "17",
      pattern: "[1-9][0-9]",
      text: "Major version; with channel debian, the suite of the base has to have it",
    }),
    channel: option.enum(["debian", "pgdg", "source"], {
      arg: "PG_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages, the PostgreSQL project's, or an exact release, compiled",
    }),
    jit: option.boolean({
      arg: "PG_JIT",
      default: true,
      text: "Whether queries can be compiled just in time; without, the image has no LLVM, 160 to 180 MB less",
    }),
    mirror: option.string({
      arg: "PGDG_MIRROR",
      default: "https://apt.postgresql.org/pub/repos/apt",
      pattern: "https?://[A-Za-z0-9._:/~-]+",
      text: "Channel pgdg: where the build takes the packages from; the image itself names the project's own server",
    }),
    version: option.string({
      arg: "PG_VERSION",
      default: "17.12",
      pattern: "[1-9][0-9]\\.[0-9]+",
      text: "Channel source: the release, of the same major version",
    }),
    sha256: option.string({
      arg: "PG_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Channel source: the sum of a release that this fragment does not know",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib", "setup-toolchain/pgdg", "setup-postgresql/lib"],
    buildPackages: [
      "libicu-dev",
      "libkrb5-dev",
      "libldap2-dev",
      "liblz4-dev",
      "libpam0g-dev",
      "libreadline-dev",
      "libssl-dev",
      "libxml2-dev",
      "libxslt1-dev",
      "libzstd-dev",
      "uuid-dev",
      "zlib1g-dev",
    ],
    // By their names in Debian 12; those of Debian 13 provide them. What differs more, install.sh knows by suite.
    runtimePackages: [
      "libgssapi-krb5-2",
      "liblz4-1",
      "libpam0g",
      "libreadline8",
      "libssl3",
      "libuuid1",
      "libxml2",
      "libxslt1.1",
      "libzstd1",
      "tzdata",
      "zlib1g",
    ],
    build: {
      script: "build/build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib", "setup-postgresql/lib"],
      when: { option: "channel", is: "source" },
      sources: [
        {
          name: "postgresql",
          option: "version",
          sumOption: "sha256",
          file: "postgresql-${version}.tar.bz2",
          url: "https://ftp.postgresql.org/pub/source/v${version}/postgresql-${version}.tar.bz2",
          sha256: {
            "13.5": "9b81067a55edbaabc418aacef457dd8477642827499560b00615a6ea6c13f6b3",
            "13.16": "c9cbbb6129f02328204828066bb3785c00a85c8ca8fd329c2a8a53c1f5cd8865",
            "13.23": "6ec3c82726af92b7dec873fa1cdf881eca92a4219787dfad05acb6b10e041fd6",
            "15.20": "30e65cbbb771a39b553ed2df7e65622e65647aed55dbc19bd0fe853ff0a08442",
            "16.15": "c1575341fa7bd40f5274ea465b34390f4dc64cdd0770af327005caaeb9f6b7ed",
            "17.11": "dd27f2b3c59e73ed14aa3324901242bf69a032a6347805f274e6260322d42979",
            "17.12": "9cf136a703d8ee2f83465c43be4e9e8e7930c82b0bfba13be7e2537be769ac55",
            "18.6": "555610c24d53e4316da5b7d3fc25c279d96856d5e0e23ee308c328c5fa881d9f",
          },
        },
      ],
    },
    imageEnv: {
      PG_MAJOR: "${PG_MAJOR}",
      PATH: "/usr/lib/postgresql/${PG_MAJOR}/bin:${PATH}",
    },
  },
});
