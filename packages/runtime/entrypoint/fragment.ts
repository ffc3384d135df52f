import { defineFragment, env } from "@strata/fragment";

export default defineFragment({
  name: "entrypoint",
  module: import.meta.url,
  summary:
    "Process 1 of the container: checks the environment, picks a mode, initialises, forwards signals, stops in time",
  runtime: {
    env: {
      LOG_LEVEL: env.enum(["debug", "info", "warn", "error"], {
        default: "info",
        text: "The least important messages that are logged.",
      }),
      LOG_FORMAT: env.enum(["text", "json"], {
        default: "text",
        text: "Messages of our scripts as lines of text, or as one JSON object a line.",
      }),
      TIMEOUT: env.integer({
        default: 30,
        min: 1,
        max: 3600,
        text: "Seconds that stopping may take before the process is killed. Give the engine more: docker stop -t.",
      }),
      SLEEP_MODE: env.boolean({
        default: false,
        text: "Maintenance: nothing is initialised or started, the container stays alive, its health says paused.",
      }),
    },
    envPrefixes: ["LOG_", "SLEEP_"],
    entrypoint: ["/opt/container/entrypoint.sh"],
  },
});
