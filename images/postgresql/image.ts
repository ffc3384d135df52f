import { defineImage } from "@strata/assembler";
import citus from "@strata/citus";
import entrypoint from "@strata/entrypoint";
import healthcheck from "@strata/healthcheck";
import patroni from "@strata/patroni";
import pgbackrest from "@strata/pgbackrest";
import postgresql from "@strata/postgresql";
import setupBase from "@strata/setup-base";
import setupCitus from "@strata/setup-citus";
import setupDecoderbufs from "@strata/setup-decoderbufs";
import setupPatroni from "@strata/setup-patroni";
import setupPgStatMonitor from "@strata/setup-pg-stat-monitor";
import setupPgbackrest from "@strata/setup-pgbackrest";
import setupPostgresql from "@strata/setup-postgresql";
import setupPython from "@strata/setup-python";
import setupToolchain from "@strata/setup-toolchain";

const bookworm = {
  name: "debian:bookworm-slim",
  digest: "sha256:7c7b2c966bc9ee8cedfeef67e0e279108992c77681fa595db4a9d65c06ccc587",
  suite: "bookworm",
};

export default defineImage({
  name: "postgresql",
  module: import.meta.url,
  title: "PostgreSQL",
  description: "PostgreSQL, a drop-in for the official image, composed from Strata fragments",
  licenses: "MIT AND PostgreSQL AND AGPL-3.0-only",
  user: "999:999",
  up: {
    secrets: ["POSTGRES_PASSWORD"],
    check: ["psql", "-XAtq", "--username=postgres", "--dbname=postgres", "--command=select version()"],
    connect: 'PGPASSWORD="{POSTGRES_PASSWORD}" psql --host {host} --port {port} --username postgres',
  },
  fragments: [
    setupBase,
    setupToolchain,
    setupPostgresql,
    setupPgbackrest,
    setupCitus,
    setupPgStatMonitor,
    setupDecoderbufs,
    setupPython,
    setupPatroni,
    entrypoint,
    healthcheck,
    postgresql,
    pgbackrest,
    citus,
    patroni,
  ],
  variants: {
    "17-trixie": {
      default: true,
      tags: ["17", "latest"],
      base: {
        name: "debian:trixie-slim",
        digest: "sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f",
        suite: "trixie",
      },
      options: {
        "setup-postgresql": { major: "17" },
        "setup-citus": { version: "13.2.2" },
        "setup-pg-stat-monitor": { version: "2.3.2" },
      },
    },
    "15-bookworm": {
      tags: ["15"],
      base: bookworm,
      options: {
        "setup-postgresql": { major: "15" },
        "setup-citus": { version: "11.3.1" },
        "setup-pg-stat-monitor": { version: "2.2.0" },
      },
    },
    "13-source": {
      tags: ["13"],
      onDemand: true,
      base: bookworm,
      options: {
        "setup-postgresql": { major: "13", channel: "source", version: "13.5", jit: false },
        "setup-pgbackrest": { channel: "source", version: "2.56.0" },
        "setup-citus": { version: "11.3.1" },
        "setup-pg-stat-monitor": { version: "2.2.0" },
        "setup-decoderbufs": { channel: "source", version: "3.2.2.Final" },
      },
    },
  },
});
