-- Tells Citus where its coordinator is; needs the variables address and port. Prints new, moved, known, or occupied if another node
-- is at that address.
-- One at a time: the lock is the one of worker.sql.
SELECT pg_catalog.pg_advisory_lock(8270635, 1) \g /dev/null
SELECT count(*) = 0 AS absent FROM pg_catalog.pg_dist_node WHERE groupid = 0 \gset
\if :absent
SELECT count(*) = 0 AS alone FROM pg_catalog.pg_dist_node \gset
-- Both or neither: broken off between the two, a coordinator without workers would never take shards.
BEGIN;
SELECT pg_catalog.citus_set_coordinator_host(:'address', :port) \g /dev/null
\if :alone
SELECT pg_catalog.citus_set_node_property(:'address', :port, 'shouldhaveshards', true) \g /dev/null
\endif
COMMIT;
\echo new
\q
\endif
SELECT nodeid, nodename <> :'address' OR nodeport <> :port AS moved
FROM pg_catalog.pg_dist_node WHERE groupid = 0 AND noderole = 'primary' \gset
\if :moved
\set group 0
\ir move.sql
\else
\echo known
\endif
