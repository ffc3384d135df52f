import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-pgbackrest",
  module: import.meta.url,
  summary: "pgBackRest: backups and the archive of the write-ahead log",
  dependsOn: ["setup-base", "setup-postgresql"],
  options: {
    channel: option.enum(["debian"], {
      arg: "PGBACKREST_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages",
    }),
  },
  setup: {
    install: "install/install.sh",
    uses: ["setup-base/lib"],
  },
});
