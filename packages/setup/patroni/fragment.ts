import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-patroni",
  module: import.meta.url,
  summary: "Patroni: who of a cluster's servers is the primary",
  dependsOn: ["setup-base", "setup-postgresql", "setup-python"],
  options: {
    channel: option.enum(["debian"], {
      arg: "PATRONI_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages",
    }),
  },
  setup: {
    install: "install.sh",
    uses: ["setup-base/lib", "setup-python/lib"],
  },
});
