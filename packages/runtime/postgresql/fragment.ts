import { defineFragment, env } from "@strata/fragment";

export default defineFragment({
  name: "postgresql",
  module: import.meta.url,
  summary: "Runs PostgreSQL as the official image does: new or adopted databases, init scripts, layered configuration",
  dependsOn: ["setup-postgresql", "entrypoint", "healthcheck"],
  runtime: {
    env: {
      POSTGRES_PASSWORD: env.string({
        secret: true,
        text: "Password of the superuser of a new database. Needed then, unless POSTGRES_HOST_AUTH_METHOD is trust.",
      }),
      POSTGRES_USER: env.string({
        file: true,
        text: "Name of the superuser of a new database; postgres if it is not set. At most 63 bytes.",
      }),
      POSTGRES_DB: env.string({
        file: true,
        text: "Name of the database that a new cluster gets; that of the superuser if it is not set. At most 63 bytes.",
      }),
      POSTGRES_INITDB_ARGS: env.string({
        file: true,
        text: "More options for initdb, as words of a shell: quotes group, nothing is expanded.",
      }),
      POSTGRES_INITDB_WALDIR: env.path({
        text: "Folder for the write-ahead log of a new cluster, outside PGDATA and empty.",
      }),
      POSTGRES_HOST_AUTH_METHOD: env.string({
        text: "Method in pg_hba.conf for connections from elsewhere; scram-sha-256 if it is not set. trust lets everybody in.",
      }),
      PGDATA: env.path({
        default: "/var/lib/postgresql/data",
        inImage: true,
        text: "Folder of the database cluster.",
      }),
      PGCONFIG: env.path({
        default: "/usr/local/pgsql/config",
        text: "Folder whose *.conf files are read after the cluster's postgresql.conf, if it exists.",
      }),
      "POSTGRESQL_*": env.string({
        text: "A server parameter: POSTGRESQL_WORK_MEM sets work_mem, POSTGRESQL_PG_STAT_STATEMENTS__MAX sets pg_stat_statements.max. Wins over files.",
      }),
      INIT_ON_INCOMPLETE: env.enum(["refuse", "wipe"], {
        default: "refuse",
        text: "What a start does when an earlier initialisation was broken off: refuse and keep all data, or wipe the folder and begin again.",
      }),
    },
    envPrefixes: ["POSTGRES_", "INIT_"],
    expose: [5432],
    volumes: ["/var/lib/postgresql/data"],
    cmd: ["postgres"],
    stopSignal: "SIGINT",
  },
});
