import { defineFragment, env } from "@strata/fragment";

export default defineFragment({
  name: "citus",
  module: import.meta.url,
  summary:
    "Makes the server a node of Citus: one that shards on itself, a coordinator, or a worker that registers by itself",
  dependsOn: ["postgresql"],
  // Not a dependency: an image that was built without Citus has to say so to whoever asks for it.
  installsAfter: ["setup-citus"],
  runtime: {
    env: {
      CITUS_ENABLE: env.boolean({
        default: false,
        text: "Run the server as a node of Citus: the library is loaded first, the extension is in CITUS_DATABASE.",
      }),
      CITUS_ROLE: env.enum(["coordinator", "worker"], {
        default: "coordinator",
        text: "What this node is. A coordinator without workers shards on itself; a worker registers with its coordinator.",
      }),
      CITUS_DATABASE: env.string({
        text: "Database that Citus works in, the same on all nodes; POSTGRES_DB if it is not set. Made if it is not there.",
      }),
      CITUS_GROUP: env.integer({
        min: 0,
        max: 2_147_483_647,
        text: "With Patroni, the group of this node: 0 for the coordinator and its replicas, another number for each group of workers.",
      }),
      CITUS_COORDINATOR_HOST: env.string({
        text: "Host name or IP of the coordinator that a worker registers with. With Patroni workers are registered by it.",
      }),
      CITUS_COORDINATOR_PORT: env.integer({
        default: 5432,
        min: 1,
        max: 65_535,
        text: "Port of the coordinator.",
      }),
      CITUS_ADDRESS: env.string({
        text: "Host name or IP at which the other nodes of Citus reach this one; its own IP if it is not set.",
      }),
    },
    envPrefixes: ["CITUS_"],
  },
});
