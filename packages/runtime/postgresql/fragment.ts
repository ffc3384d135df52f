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
        text: "Folder whose *.conf files are read after the cluster's postgresql.conf, if it exists. Its pg_hba.conf and pg_ident.conf replace the cluster's, its pg_hba.d/*.conf come before them.",
      }),
      "POSTGRESQL_*": env.string({
        text: "A server parameter: POSTGRESQL_WORK_MEM sets work_mem, POSTGRESQL_PG_STAT_STATEMENTS__MAX sets pg_stat_statements.max. Wins over files.",
      }),
      INIT_ON_INCOMPLETE: env.enum(["refuse", "resume", "wipe"], {
        default: "refuse",
        text: "What a start does when an earlier initialisation was broken off: refuse and keep all data, resume after the last init script that ended well, or wipe the folder and begin again.",
      }),
      POSTGRES_PASSWORD_RECONCILE: env.boolean({
        default: false,
        text: "At every start, give the superuser of an existing cluster the password in POSTGRES_PASSWORD.",
      }),
      POSTGRES_HBA: env.string({
        text: "Lines for pg_hba.conf that come before all others, on lines of their own or with ; between them.",
      }),
      POSTGRES_TLS_CERT: env.path({
        text: "Certificate of the server in PEM format; with it TLS is on. $PGCONFIG/tls/tls.crt if that exists.",
      }),
      POSTGRES_TLS_KEY: env.path({
        text: "Private key of the certificate, without passphrase. $PGCONFIG/tls/tls.key if that exists.",
      }),
      POSTGRES_TLS_CA: env.path({
        text: "Certificates of the authorities that client certificates are checked against. $PGCONFIG/tls/ca.crt if that exists.",
      }),
      ARCHIVE_TIMEOUT: env.string({
        text: "The parameter archive_timeout, by the name that the image before this one had for it.",
      }),
      HEALTH_DISK_MIN_PERCENT: env.integer({
        default: 5,
        min: 0,
        max: 100,
        text: "The health check warns when less than this share of a disk of the cluster is free.",
      }),
      HEALTH_CONNECTIONS_MIN_PERCENT: env.integer({
        default: 10,
        min: 0,
        max: 100,
        text: "The health check warns when less than this share of the connections is free.",
      }),
    },
    // PATRONI_ and CITUS_: nobody should believe that they count in an image without those fragments.
    envPrefixes: ["POSTGRES_", "INIT_", "HEALTH_", "ARCHIVE_", "PATRONI_", "CITUS_", "USE_PATRONI"],
    expose: [5432],
    volumes: ["/var/lib/postgresql/data"],
    cmd: ["postgres"],
    stopSignal: "SIGINT",
  },
});
