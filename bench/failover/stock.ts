/** What Patroni by hand is told of one node. */
export interface StockNode {
  readonly scope: string;
  readonly name: string;
  /** Host and port of every node of etcd. */
  readonly stores: readonly string[];
  /** Folder of the server's programs. */
  readonly programs: string;
  /** Folder that the data come into. */
  readonly data: string;
  readonly password: string;
}

/**
 * Patroni's configuration as its documentation and its sample files have it: their times, their `initdb`, their kinds of
 * lines in pg_hba.conf, three roles with passwords. Only names, addresses and folders are ours.
 */
export const stockConfiguration = ({ scope, name, stores, programs, data, password }: StockNode): string => `\
scope: ${scope}
name: ${name}
restapi:
  listen: 0.0.0.0:8008
  connect_address: ${name}:8008
etcd3:
  hosts: ${stores.join(",")}
bootstrap:
  dcs:
    ttl: 30
    loop_wait: 10
    retry_timeout: 10
    maximum_lag_on_failover: 1048576
    postgresql:
      use_pg_rewind: true
      pg_hba:
        - host replication replicator 0.0.0.0/0 scram-sha-256
        - host all all 0.0.0.0/0 scram-sha-256
  initdb:
    - encoding: UTF8
    - data-checksums
postgresql:
  listen: 0.0.0.0:5432
  connect_address: ${name}:5432
  data_dir: ${data}
  bin_dir: ${programs}
  pgpass: /tmp/pgpass
  authentication:
    superuser:
      username: postgres
      password: ${JSON.stringify(password)}
    replication:
      username: replicator
      password: ${JSON.stringify(`${password}-replication`)}
    rewind:
      username: rewind_user
      password: ${JSON.stringify(`${password}-rewind`)}
  parameters:
    unix_socket_directories: /tmp
tags:
  noloadbalance: false
  clonefrom: false
  nosync: false
`;
