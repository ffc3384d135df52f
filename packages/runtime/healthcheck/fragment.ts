import { defineFragment } from "@strata/fragment";

export default defineFragment({
  name: "healthcheck",
  module: import.meta.url,
  summary: "A health check that knows the phase of the container and asks the probes that other fragments add",
  dependsOn: ["entrypoint"],
  runtime: {
    healthcheck: {
      command: ["/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh"],
      interval: "10s",
      timeout: "10s",
      // A failure counts only after this or after the first success: a large restore, or long init scripts, take a while.
      startPeriod: "900s",
      retries: 3,
    },
  },
});
