import { defineFragment, option } from "@strata/fragment";

export default defineFragment({
  name: "setup-pg-stat-monitor",
  module: import.meta.url,
  summary: "pg_stat_monitor: statistics of queries in buckets of time",
  dependsOn: ["setup-base", "setup-postgresql", "setup-toolchain"],
  options: {
    version: option.string({
      arg: "PG_STAT_MONITOR_VERSION",
      default: "2.3.2",
      pattern: "[0-9]+\\.[0-9]+\\.[0-9]+",
      text: "Release of pg_stat_monitor",
    }),
    sha256: option.string({
      arg: "PG_STAT_MONITOR_SHA256",
      default: "",
      pattern: "([0-9a-f]{64})?",
      text: "Sum of the archive that lies in the sources folder; upstream publishes none",
    }),
  },
  setup: {
    reads: ["PG_MAJOR"],
    build: {
      script: "build.sh",
      uses: ["setup-toolchain/lib"],
      needs: ["setup-postgresql"],
      optional: true,
      sources: [
        {
          name: "pg-stat-monitor",
          option: "version",
          sumOption: "sha256",
          file: "pg_stat_monitor-${version}.tar.gz",
          git: "https://github.com/percona/pg_stat_monitor",
          commit: {
            "2.2.0": "f334af03a6348066133c5e3a73117a5a6b982faa",
            "2.3.2": "fc93cb91536eda1218d840ff3572a5161aa32ded",
          },
        },
      ],
    },
    supports: {
      fragment: "setup-postgresql",
      option: "major",
      own: "version",
      ranges: { "2.2.": "12-17", "2.3.": "13-18" },
    },
  },
});
