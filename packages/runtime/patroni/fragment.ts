import { defineFragment, type Environment, env } from "@strata/fragment";

/** Sections of Patroni's own variables, which it reads itself: https://patroni.readthedocs.io/en/latest/ENVIRONMENT.html */
const SECTIONS = {
  ETCD3:
    "the store etcd, by its API of version 3: HOSTS (etcd1:2379,etcd2:2379), PROTOCOL, USERNAME, CACERT, CERT, KEY",
  ETCD: "the store etcd, by its API of version 2",
  CONSUL: "the store Consul: HOST, SCHEME, CACERT, CERT, KEY, DC",
  ZOOKEEPER: "the store ZooKeeper: HOSTS ('zk1:2181','zk2:2181'), USE_SSL, CACERT, CERT, KEY",
  EXHIBITOR: "the store Exhibitor: HOSTS, PORT",
  KUBERNETES: "the store Kubernetes: NAMESPACE, LABELS, SCOPE_LABEL, ROLE_LABEL, USE_ENDPOINTS, POD_IP, PORTS",
  RAFT: "the store Raft, among the nodes themselves: SELF_ADDR, PARTNER_ADDRS, DATA_DIR",
  RESTAPI: "the REST API: LISTEN, CONNECT_ADDRESS, USERNAME, CERTFILE, KEYFILE, CAFILE, VERIFY_CLIENT, ALLOWLIST",
  CTL: "patronictl: CACERT, CERTFILE, KEYFILE, INSECURE",
  LOG: "Patroni's log: LEVEL, FORMAT, DATEFORMAT, LOGGERS",
  POSTGRESQL: "how nodes reach this server: CONNECT_ADDRESS, PROXY_ADDRESS",
  REPLICATION: "the role that replicas connect as: USERNAME, SSLMODE, SSLCERT, SSLKEY, SSLROOTCERT",
  REWIND: "the role of pg_rewind: USERNAME, SSLMODE, SSLCERT, SSLKEY, SSLROOTCERT",
  SUPERUSER: "how Patroni itself connects: SSLMODE, SSLCERT, SSLKEY, SSLROOTCERT",
} as const;

const SECRETS = {
  CONFIGURATION:
    "Patroni's configuration in YAML, merged over what the image makes and below the variables. May hold secrets.",
  SUPERUSER_PASSWORD: "The superuser's password, if it is not to be POSTGRES_PASSWORD.",
  REPLICATION_PASSWORD:
    "Password of the role that replicas connect as; the same on all nodes. Derived from POSTGRES_PASSWORD if it is not set.",
  REWIND_PASSWORD: "Password of the role of pg_rewind; the same on all nodes. Derived as well if it is not set.",
  RESTAPI_PASSWORD:
    "Password that the REST API asks for before it changes anything; the same on all nodes. Derived as well if it is not set.",
  RESTAPI_KEYFILE_PASSWORD: "Passphrase of the key of the REST API.",
  CTL_KEYFILE_PASSWORD: "Passphrase of the key of patronictl.",
  ETCD3_PASSWORD: "Password at etcd, API of version 3.",
  ETCD_PASSWORD: "Password at etcd, API of version 2.",
  CONSUL_TOKEN: "Token at Consul.",
  ZOOKEEPER_KEY_PASSWORD: "Passphrase of the key for ZooKeeper.",
  RAFT_PASSWORD: "Password that encrypts the traffic of Raft.",
} as const;

const sections: Environment = Object.fromEntries(
  Object.entries(SECTIONS).map(([name, text]) => [
    `PATRONI_${name}_*`,
    env.string({ text: `Patroni's own variables of ${text}.` }),
  ]),
);
const secrets: Environment = Object.fromEntries(
  Object.entries(SECRETS).map(([name, text]) => [`PATRONI_${name}`, env.string({ secret: true, text })]),
);

export default defineFragment({
  name: "patroni",
  module: import.meta.url,
  summary:
    "Makes the server a node of a Patroni cluster: who is primary is agreed in etcd, Kubernetes, Consul or ZooKeeper",
  dependsOn: ["postgresql", "setup-patroni"],
  runtime: {
    env: {
      PATRONI_ENABLE: env.boolean({
        default: false,
        text: "Run the server as a node of a Patroni cluster. A store has to be named too, such as PATRONI_ETCD3_HOSTS.",
      }),
      USE_PATRONI: env.boolean({
        default: false,
        text: "The same as PATRONI_ENABLE, under its older name; either of them is enough.",
      }),
      PATRONI_SCOPE: env.string({ default: "main", text: "Name of the cluster: the same on all of its nodes." }),
      PATRONI_NAME: env.string({ text: "Name of this node, unlike all others; the host name if it is not set." }),
      PATRONI_NAMESPACE: env.string({ text: "Path in the store below which clusters are kept; /service/ if not set." }),
      PATRONI_ADDRESS: env.string({
        text: "Host name or IP at which the other nodes reach this one; its own IP if it is not set.",
      }),
      PATRONI_TTL: env.integer({
        default: 10,
        min: 5,
        max: 3600,
        text: "Seconds until a leader that is not heard of loses its lock. Of a new cluster only, as all that follow.",
      }),
      PATRONI_LOOP_WAIT: env.integer({
        default: 2,
        min: 1,
        max: 600,
        text: "Seconds between two looks at the cluster.",
      }),
      PATRONI_RETRY_TIMEOUT: env.integer({
        default: 4,
        min: 3,
        max: 600,
        text: "Seconds that the store may be away before a leader steps down. PATRONI_LOOP_WAIT and twice this must not exceed PATRONI_TTL.",
      }),
      PATRONI_MAXIMUM_LAG_ON_FAILOVER: env.integer({
        default: 1_048_576,
        min: 0,
        text: "Bytes of the log that a replica may lack and still become leader. Synchronous replicas lack none.",
      }),
      PATRONI_SYNCHRONOUS_MODE: env.enum(["off", "on", "strict", "quorum"], {
        default: "off",
        text: "on: a commit waits for a replica if there is one. strict: also if there is none. quorum: for any of them (Patroni 4).",
      }),
      PATRONI_SYNCHRONOUS_NODE_COUNT: env.integer({
        default: 1,
        min: 1,
        max: 100,
        text: "How many replicas a commit waits for in a synchronous mode.",
      }),
      PATRONI_PRIMARY_START_TIMEOUT: env.integer({
        min: 0,
        max: 86_400,
        text: "Seconds that a crashed primary may take to recover before a replica takes over; if not set 0 in a synchronous mode, else 300.",
      }),
      PATRONI_FAILSAFE_MODE: env.boolean({
        default: false,
        text: "Let a primary that reaches all other nodes go on while the store is away.",
      }),
      PATRONI_WATCHDOG_MODE: env.enum(["off", "automatic", "required"], {
        default: "off",
        text: "Whether a watchdog device resets the machine of a leader that hangs.",
      }),
      PATRONI_WATCHDOG_DEVICE: env.path({ default: "/dev/watchdog", text: "The watchdog device." }),
      ...sections,
      ...secrets,
    },
    envPrefixes: ["PATRONI_", "USE_PATRONI"],
    expose: [8008],
  },
});
