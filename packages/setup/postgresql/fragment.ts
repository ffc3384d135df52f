import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-postgresql",
  module: import.meta.url,
  summary: "PostgreSQL server and client",
  dependsOn: ["setup-base"],
  options: {
    major: option.string({
      arg: "PG_MAJOR",
      default: "17",
      pattern: "[1-9][0-9]",
      text: "Major version; the suite of the base has to have it",
    }),
    channel: option.enum(["debian"], {
      arg: "PG_CHANNEL",
      default: "debian",
      text: "Where it comes from: the distribution's packages",
    }),
  },
  setup: {
    install: "install.sh",
    uses: ["setup-base"],
    imageEnv: {
      PG_MAJOR: "${PG_MAJOR}",
      PATH: "/usr/lib/postgresql/${PG_MAJOR}/bin:${PATH}",
    },
  },
});
