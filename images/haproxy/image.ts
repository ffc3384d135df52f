import { defineImage } from "@strata/assembler";
import entrypoint from "@strata/entrypoint";
import haproxy from "@strata/haproxy";
import healthcheck from "@strata/healthcheck";
import setupBase from "@strata/setup-base";
import setupHaproxy from "@strata/setup-haproxy";

export default defineImage({
  name: "haproxy",
  module: import.meta.url,
  title: "HAProxy",
  description: "HAProxy for a Patroni cluster: one address for writes, one for reads, composed from Strata fragments",
  licenses: "MIT AND GPL-2.0-or-later AND LGPL-2.1-or-later",
  user: "999:999",
  fragments: [setupBase, setupHaproxy, entrypoint, healthcheck, haproxy],
  variants: {
    "3.0-trixie": {
      default: true,
      tags: ["3.0", "latest"],
      base: {
        name: "debian:trixie-slim",
        digest: "sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f",
        suite: "trixie",
      },
    },
    "2.6-bookworm": {
      tags: ["2.6"],
      base: {
        name: "debian:bookworm-slim",
        digest: "sha256:7c7b2c966bc9ee8cedfeef67e0e279108992c77681fa595db4a9d65c06ccc587",
        suite: "bookworm",
      },
    },
  },
});
