import { defineFragment, env } from "@strata/fragment";

export default defineFragment({
  name: "haproxy",
  module: import.meta.url,
  summary: "HAProxy in front of a Patroni cluster: one port for writes, one for reads, by what Patroni answers",
  dependsOn: ["setup-haproxy", "entrypoint", "healthcheck"],
  runtime: {
    env: {
      HAPROXY_NODES: env.string({
        file: true,
        text: "The PostgreSQL nodes with commas between them: host, host:port or host:port:REST port, each perhaps with name= before it. 5432 and 8008 unless given; an IPv6 address in brackets. Needed, unless a configuration is mounted.",
      }),
      HAPROXY_CONFIG: env.path({
        default: "/usr/local/etc/haproxy/haproxy.cfg",
        text: "A configuration of your own. If the file is there it is used as it is, and the other variables here have no effect.",
      }),
      HAPROXY_WRITE_PORT: env.port({
        default: 5432,
        text: "Port for writes: connections go to the node that Patroni calls the primary.",
      }),
      HAPROXY_READ_PORT: env.port({
        default: 5433,
        text: "Port for reads: connections go to the replica that has fewest, to the primary while there is no replica.",
      }),
      HAPROXY_STATS_PORT: env.port({
        default: 8404,
        text: "Port for HTTP: /stats is a page for people, /metrics is for Prometheus, /healthz says that HAProxy answers, /nodes how many primaries and replicas it knows.",
      }),
      HAPROXY_MAX_LAG: env.string({
        text: "How far behind a replica may be to get reads, in bytes or with kB, MB, GB or TB: 16MB. As far as it likes if it is not set.",
      }),
      HAPROXY_REST_TLS: env.enum(["off", "on", "verify"], {
        default: "off",
        text: "Whether Patroni is asked over TLS: on takes any certificate, verify one of HAPROXY_REST_CA with the node's host name.",
      }),
      HAPROXY_REST_CA: env.path({
        text: "Certificates in PEM format of the authorities for HAPROXY_REST_TLS=verify; those of the system if it is not set.",
      }),
      HAPROXY_IDLE_TIMEOUT: env.string({
        default: "30m",
        text: "A connection on which nothing was sent for this long is closed: a whole number and s, m, h or d.",
      }),
      HAPROXY_MAX_CONNECTIONS: env.integer({
        default: 1000,
        min: 1,
        max: 1_000_000,
        text: "Connections that each of the two ports takes at once; more wait. Each needs two open files.",
      }),
      HAPROXY_DRAIN_SECONDS: env.integer({
        default: 0,
        min: 0,
        max: 3599,
        text: "Seconds that open connections may go on when HAProxy stops or reads its configuration again; less than TIMEOUT. Health is not watched for them meanwhile.",
      }),
    },
    envPrefixes: ["HAPROXY_"],
    expose: [5432, 5433, 8404],
    cmd: ["haproxy"],
  },
});
