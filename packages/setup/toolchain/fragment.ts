import { defineFragment } from "@strata/fragment";

export default defineFragment({
  name: "setup-toolchain",
  module: import.meta.url,
  summary: "What components are compiled with: a stage of its own, of which nothing reaches the image",
  dependsOn: ["setup-base"],
  setup: {
    toolchain: "stage/toolchain.sh",
    uses: ["setup-base/lib", "setup-toolchain/pgdg"],
    reads: ["PGDG_MIRROR?", "PG_CHANNEL?", "PG_MAJOR?"],
    buildPackages: [
      "bison",
      "build-essential",
      "bzip2",
      "ca-certificates",
      "curl",
      "flex",
      "git",
      "pkg-config",
      "xz-utils",
    ],
  },
});
