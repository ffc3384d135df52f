import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-etcd",
  module: import.meta.url,
  summary: "etcd: the server and etcdctl",
  dependsOn: ["setup-base", "setup-toolchain"],
  options: {
    channel: option.enum(["debian", "release"], {
      arg: "ETCD_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages, or the project's own binaries of an exact release",
    }),
    version: option.string({
      arg: "ETCD_VERSION",
      default: "3.5.33",
      pattern: "[0-9]+\\.[0-9]+\\.[0-9]+",
      text: "Channel release: the release",
    }),
    sha256: option.string({
      arg: "ETCD_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Channel release: the sum of a release that this fragment does not know",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib"],
    build: {
      script: "build/build.sh",
      uses: ["setup-toolchain/lib"],
      when: { option: "channel", is: "release" },
      sources: [
        {
          name: "etcd",
          option: "version",
          sumOption: "sha256",
          file: "etcd-v${version}-linux-amd64.tar.gz",
          url: "https://github.com/etcd-io/etcd/releases/download/v${version}/etcd-v${version}-linux-amd64.tar.gz",
          sha256: { "3.5.33": "5025b5b24d81a9616b6e284ccd439b9a3df055ef8fdcdc142af3ec8f6a3b3c95" },
        },
      ],
    },
  },
});
