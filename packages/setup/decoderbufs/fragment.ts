import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-decoderbufs",
  module: import.meta.url,
  summary: "decoderbufs: logical decoding as protocol buffers, for Debezium",
  dependsOn: ["setup-base", "setup-postgresql", "setup-toolchain"],
  options: {
    channel: option.enum(["debian", "source"], {
      arg: "DECODERBUFS_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages, or an exact release, compiled",
    }),
    version: option.string({
      arg: "DECODERBUFS_VERSION",
      default: "3.2.2.Final",
      pattern: "[0-9]+\\.[0-9]+\\.[0-9]+\\.Final",
      text: "Channel source: the release",
    }),
    sha256: option.string({
      arg: "DECODERBUFS_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Channel source: the sum of a release that this fragment does not know",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib"],
    reads: ["PG_MAJOR"],
    buildPackages: ["libprotobuf-c-dev", "protobuf-c-compiler"],
    runtimePackages: ["libprotobuf-c1"],
    build: {
      script: "build/build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib"],
      when: { option: "channel", is: "source" },
      needs: ["setup-postgresql"],
      sources: [
        {
          name: "decoderbufs",
          option: "version",
          sumOption: "sha256",
          file: "postgres-decoderbufs-${version}.tar.gz",
          url: "https://github.com/debezium/postgres-decoderbufs/archive/refs/tags/v${version}.tar.gz",
          sha256: { "3.2.2.Final": "7f8fe63652c9631d8c9ac5cbcea97bf538c76a0df27c652ec4f3170abf37c8a7" },
        },
      ],
    },
  },
});
