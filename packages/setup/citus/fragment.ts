import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-citus",
  module: import.meta.url,
  summary: "Citus: distributed tables, compiled against the PostgreSQL of the image",
  dependsOn: ["setup-base", "setup-postgresql", "setup-toolchain"],
  options: {
    version: option.string({
      arg: "CITUS_VERSION",
      default: "13.2.2",
      pattern: "[0-9]+\\.[0-9]+\\.[0-9]+",
      text: "Release of Citus",
    }),
    sha256: option.string({
      arg: "CITUS_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Sum of the archive of a release that this fragment does not know",
    }),
  },
  setup: {
    reads: ["PG_MAJOR"],
    buildPackages: [
      "autoconf",
      "libicu-dev",
      "libkrb5-dev",
      "liblz4-dev",
      "libpam0g-dev",
      "libpq-dev",
      "libreadline-dev",
      "libselinux1-dev",
      "libssl-dev",
      "libxml2-dev",
      "libxslt1-dev",
      "libzstd-dev",
      "zlib1g-dev",
    ],
    build: {
      script: "build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib"],
      needs: ["setup-postgresql"],
      optional: true,
      sources: [
        {
          name: "citus",
          option: "version",
          sumOption: "sha256",
          file: "citus-${version}.tar.gz",
          url: "https://github.com/citusdata/citus/archive/refs/tags/v${version}.tar.gz",
          sha256: {
            "11.3.1": "ea972049e8d1b5a2eaef3aeffe8c673627a4bd188d8afe6b00686001846e59d2",
            "12.1.12": "8d3a2d73f9855e46bb76f339d2db0296458a7b6920cb88aeff8b63af2b35aeb8",
            "13.2.2": "dc43c63e32a6c86456409dd5a54e2d76c73253b8f4026e689fbc3028a638d0ae",
            "14.0.1": "cb97770a221e5163cc66d87b49fac321c05bfaa8810bb1b75479dcb1b251a32f",
          },
        },
      ],
    },
    supports: {
      fragment: "setup-postgresql",
      option: "major",
      own: "version",
      ranges: { "11.3.": "13-15", "12.1.": "14-16", "13.": "15-17", "14.": "16-18" },
    },
  },
});
