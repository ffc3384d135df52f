import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-patroni",
  module: import.meta.url,
  summary: "Patroni: who of a cluster's servers is the primary",
  dependsOn: ["setup-base", "setup-postgresql", "setup-python", "setup-toolchain"],
  options: {
    channel: option.enum(["debian", "source"], {
      arg: "PATRONI_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages, or an exact release on the distribution's Python",
    }),
    version: option.string({
      arg: "PATRONI_VERSION",
      default: "4.1.4",
      pattern: "[0-9]+\\.[0-9]+\\.[0-9]+",
      text: "Channel source: the release",
    }),
    sha256: option.string({
      arg: "PATRONI_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Channel source: the sum of a release that this fragment does not know",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib", "setup-python/lib"],
    buildPackages: ["python3-pip", "python3-setuptools", "python3-wheel"],
    // What Patroni's requirements ask for, as far as a cluster on etcd, Consul, ZooKeeper or Kubernetes loads it.
    runtimePackages: [
      "python3-click",
      "python3-consul",
      "python3-cryptography",
      "python3-dateutil",
      "python3-etcd",
      "python3-kazoo",
      "python3-prettytable",
      "python3-psutil",
      "python3-psycopg2",
      "python3-urllib3",
      "python3-yaml",
    ],
    build: {
      script: "build/build.sh",
      uses: ["setup-base/lib", "setup-toolchain/lib"],
      when: { option: "channel", is: "source" },
      sources: [
        {
          name: "patroni",
          option: "version",
          sumOption: "sha256",
          file: "patroni-${version}.tar.gz",
          url: "https://github.com/patroni/patroni/archive/refs/tags/v${version}.tar.gz",
          sha256: {
            "3.0.2": "ae29f55dd02ebf22eeef0a2dd7f73b65ed63c33701c2a4ca6b2907930140caee",
            "4.1.4": "9134ebf9e42b075d888478c7b0a8ab15cd4546fddaef0956b3012696817b990f",
          },
        },
      ],
    },
    supports: {
      fragment: "setup-postgresql",
      option: "major",
      own: "version",
      ranges: { "3.0.": "9-15", "4.": "9-18" },
    },
  },
});
