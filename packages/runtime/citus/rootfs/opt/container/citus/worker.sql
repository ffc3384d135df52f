-- Registers a worker, on the coordinator; needs the variables address, port, and group: the one that the worker's own data name, 0
-- if they name none. Prints what became of it: registered, moved, known, disabled, removed; or, if it is to ask again: bare, early,
-- taken, occupied.
SELECT count(*) = 0 AS bare FROM pg_catalog.pg_extension WHERE extname = 'citus' \gset
\if :bare
\echo bare
\q
\endif
SELECT count(*) = 0 AS early FROM pg_catalog.pg_dist_node
WHERE groupid = 0 AND noderole = 'primary' AND nodename <> 'localhost' \gset
\if :early
\echo early
\q
\endif
-- One at a time: who comes second sees what the first one did.
SELECT pg_catalog.pg_advisory_lock(8270635, 1) \g /dev/null
SELECT :group = 0 AS fresh \gset
\if :fresh
SELECT count(*) > 0 AS there, coalesce(bool_or(EXISTS (
    SELECT FROM pg_catalog.pg_dist_placement AS placement
    JOIN pg_catalog.pg_dist_shard AS shard USING (shardid)
    JOIN pg_catalog.pg_dist_partition AS part USING (logicalrelid)
    WHERE placement.groupid = node.groupid AND part.partmethod <> 'n')), false) AS holds
FROM pg_catalog.pg_dist_node AS node WHERE nodename = :'address' AND nodeport = :port \gset
\if :holds
\echo taken
\q
\endif
\if :there
-- An earlier life of this worker, whose volume is gone: it had nothing.
SELECT pg_catalog.citus_remove_node(:'address', :port) \g /dev/null
\endif
-- A coordinator without shards leaves them to its workers, as soon as there is one.
SELECT pg_catalog.citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false)
FROM pg_catalog.pg_dist_node AS node
WHERE groupid = 0 AND noderole = 'primary' AND shouldhaveshards
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node WHERE groupid <> 0)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_dist_placement AS placement
    JOIN pg_catalog.pg_dist_shard AS shard USING (shardid)
    JOIN pg_catalog.pg_dist_partition AS part USING (logicalrelid)
    WHERE placement.groupid = 0 AND part.partmethod <> 'n') \g /dev/null
SELECT pg_catalog.citus_add_node(:'address', :port) \g /dev/null
\echo registered
\q
\endif
SELECT count(*) = 0 AS removed, max(nodeid) AS nodeid, bool_and(isactive) AS active,
  bool_and(nodename <> :'address' OR nodeport <> :port) AS moved
FROM pg_catalog.pg_dist_node WHERE groupid = :group AND noderole = 'primary' \gset
\if :removed
\echo removed
\elif :moved
\ir move.sql
\elif :active
\echo known
\else
\echo disabled
\endif
