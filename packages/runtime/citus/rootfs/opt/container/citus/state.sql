-- Prints what the server is to Citus: standby, bare (without the extension), or its group and how many nodes it knows.
SELECT pg_is_in_recovery() AS standby, (SELECT count(*) = 0 FROM pg_catalog.pg_extension WHERE extname = 'citus') AS bare \gset
\if :standby
\echo standby
\q
\endif
\if :bare
\echo bare
\q
\endif
SELECT groupid, (SELECT count(*) FROM pg_catalog.pg_dist_node) FROM pg_catalog.pg_dist_local_group;
