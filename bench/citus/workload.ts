/** Statements that distribute what `pgbench --initialize` made: accounts and their history by account, in the same places. */
export const DISTRIBUTE = [
  "select create_distributed_table('pgbench_accounts', 'aid')",
  "select create_distributed_table('pgbench_history', 'aid', colocate_with => 'pgbench_accounts')",
] as const;

/** A script of pgbench: the part of TPC-B that is about one account, in one transaction that touches one shard. */
export const ACCOUNT = String.raw`\set aid random(1, 1000000)
\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, :aid, :delta, CURRENT_TIMESTAMP);
END;`;

/** A script of pgbench: a sum over all shards. */
export const AGGREGATE = "SELECT bid, count(*), sum(abalance) FROM pgbench_accounts GROUP BY bid;";

/** A command of bash that prints the kilobytes of all processes, with shared pages divided among those that share them. */
export const MEMORY =
  "sum=0; for file in /proc/[0-9]*/smaps_rollup; do while read -r name kilobytes _; do" +
  ' if [[ $name == Pss: ]]; then sum=$((sum + kilobytes)); fi; done 2>/dev/null <"$file" || :; done; echo "$sum"';
