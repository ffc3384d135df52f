import { defineFragment, env } from "@strata/fragment";

export default defineFragment({
  name: "etcd",
  module: import.meta.url,
  summary: "Runs etcd: one node or several that find one another by a list of names, with TLS and authentication",
  dependsOn: ["setup-etcd", "entrypoint", "healthcheck"],
  runtime: {
    env: {
      ETCD_NODES: env.string({
        text: "The nodes of the cluster with commas between them, the same list on each: their host names, or name=host. One node alone if it is not set.",
      }),
      ETCD_NAME: env.string({
        text: "Name of this node, one of ETCD_NODES; the container's host name if it is not set.",
      }),
      ETCD_DATA_DIR: env.path({
        default: "/var/lib/etcd",
        inImage: true,
        text: "Folder of the data.",
      }),
      ETCD_WAL_DIR: env.path({
        text: "Folder of the write-ahead log, where it is to be on a disk of its own; in the folder of the data if it is not set.",
      }),
      ETCD_INITIAL_CLUSTER_STATE: env.enum(["new", "existing"], {
        text: "existing for a node that takes the place of a lost one, in a cluster that runs; new if it is not set. Where there is data, it has no effect.",
      }),
      ETCD_INITIAL_CLUSTER_TOKEN: env.string({
        default: "strata",
        text: "Tells clusters apart that are made with the same names; the same on each node.",
      }),
      ETCD_TLS_CERT: env.path({
        text: "Certificate of this node in PEM format, for its clients and for the other nodes; with it both ports speak TLS alone. /etc/etcd/tls/tls.crt if that exists.",
      }),
      ETCD_TLS_KEY: env.path({
        text: "Private key of the certificate, without passphrase. /etc/etcd/tls/tls.key if that exists.",
      }),
      ETCD_TLS_CA: env.path({
        text: "Certificates of the authorities that the nodes' and the clients' certificates are checked against. /etc/etcd/tls/ca.crt if that exists.",
      }),
      ETCD_TLS_CLIENT_AUTH: env.boolean({
        default: true,
        text: "Whether clients need a certificate of ETCD_TLS_CA. Between nodes it is needed in any case.",
      }),
      ETCD_ROOT_PASSWORD: env.string({
        secret: true,
        text: "Password of user root. With it the first node of ETCD_NODES turns authentication on when the cluster is there; the others use it for etcdctl in the container. Without blanks.",
      }),
      "ETCD_*": env.string({
        text: "An option of etcd itself: ETCD_SNAPSHOT_COUNT sets --snapshot-count. Wins over what follows from the other variables here; options of the command win over it.",
      }),
    },
    envPrefixes: ["ETCD_"],
    expose: [2379, 2380],
    volumes: ["/var/lib/etcd"],
    cmd: ["etcd"],
    stopSignal: "SIGTERM",
  },
});
