-- Gives a node its new address; needs the variables nodeid, group, address and port. Prints moved, or occupied if another node is at
-- that address. Where addresses are given out anew, that of one node may be the one that another had before: who is there now is
-- asked, and the other one is put aside until it tells its own. Nodes that cannot be told now are told later, by Citus itself.
SELECT count(*) = 1 AS crowded, max(nodeid) AS other FROM pg_catalog.pg_dist_node
WHERE nodename = :'address' AND nodeport = :port AND nodeid <> :nodeid \gset
\if :crowded
SELECT coalesce(bool_and(success AND result = :'group'), false) AS mine FROM pg_catalog.master_run_on_worker(
  ARRAY[:'address'], ARRAY[:port], ARRAY['SELECT groupid FROM pg_catalog.pg_dist_local_group'], false) \gset
\if :mine
SELECT pg_catalog.citus_update_node(:other, 'moved-' || :other || '.invalid', :port, true, 5000) \g /dev/null
\else
\echo occupied
\q
\endif
\endif
SELECT pg_catalog.citus_update_node(:nodeid, :'address', :port, true, 5000) \g /dev/null
\echo moved
