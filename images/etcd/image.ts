import { defineImage } from "@strata/assembler";
import entrypoint from "@strata/entrypoint";
import etcd from "@strata/etcd";
import healthcheck from "@strata/healthcheck";
import setupBase from "@strata/setup-base";
import setupEtcd from "@strata/setup-etcd";
import setupToolchain from "@strata/setup-toolchain";

const trixie = {
  name: "debian:trixie-slim",
  digest: "sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f",
  suite: "trixie",
};

export default defineImage({
  name: "etcd",
  module: import.meta.url,
  title: "etcd",
  description: "etcd, alone or as a cluster that finds itself by a list of names, composed from Strata fragments",
  licenses: "MIT AND Apache-2.0",
  user: "999:999",
  up: {
    secrets: ["ETCD_ROOT_PASSWORD"],
    check: ["etcdctl", "endpoint", "status", "--write-out=table"],
    connect:
      'ETCDCTL_USER=root ETCDCTL_PASSWORD="{ETCD_ROOT_PASSWORD}" etcdctl --endpoints http://{host}:{port} get "" --prefix',
  },
  fragments: [setupBase, setupToolchain, setupEtcd, entrypoint, healthcheck, etcd],
  variants: {
    "3.5-trixie": {
      default: true,
      tags: ["3.5", "latest"],
      base: trixie,
    },
    "3.4-bookworm": {
      tags: ["3.4"],
      base: {
        name: "debian:bookworm-slim",
        digest: "sha256:7c7b2c966bc9ee8cedfeef67e0e279108992c77681fa595db4a9d65c06ccc587",
        suite: "bookworm",
      },
    },
    "3.5.33-release": {
      tags: ["3.5.33"],
      onDemand: true,
      base: trixie,
      options: { "setup-etcd": { channel: "release", version: "3.5.33" } },
    },
  },
});
