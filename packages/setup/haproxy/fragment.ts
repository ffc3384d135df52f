import { defineFragment } from "@strata/fragment";

export default defineFragment({
  name: "setup-haproxy",
  module: import.meta.url,
  summary: "HAProxy, the distribution's package without its configuration and services",
  dependsOn: ["setup-base"],
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib"],
  },
});
