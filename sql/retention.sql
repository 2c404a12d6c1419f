/*
 * Retention by partition: tables of the shop that are partitioned by time
 *
 * What is declared belongs to whoever declares it, and recsys.maintain keeps to it with the rights of
 * the table's owner.  The table is a superuser's, as it says whose tables lose partitions.
 */
CREATE TABLE recsys.kept_partition (
	schema_name text COLLATE "C" NOT NULL,
	table_name text COLLATE "C" NOT NULL,
	owner text NOT NULL,
	every interval NOT NULL,
	keep interval,
	ahead interval NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (schema_name, table_name));
COMMENT ON TABLE recsys.kept_partition IS 'tables whose partitions are kept, as recsys.keep_partitions has it; recsys.kept_partitions shows them';
COMMENT ON COLUMN recsys.kept_partition.schema_name IS 'schema of the table';
COMMENT ON COLUMN recsys.kept_partition.table_name IS 'name of the table';
COMMENT ON COLUMN recsys.kept_partition.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.kept_partition.every IS 'length of a partition';
COMMENT ON COLUMN recsys.kept_partition.keep IS 'how long rows are kept; NULL: for ever';
COMMENT ON COLUMN recsys.kept_partition.ahead IS 'time for which there are partitions before it comes';
COMMENT ON COLUMN recsys.kept_partition.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.kept_partition.changed_at IS 'when it was changed last';
GRANT SELECT ON recsys.kept_partition TO PUBLIC;
-- who restores a dump without being a superuser brings definitions back, too; but they are his then
CREATE TRIGGER kept_partition_owner BEFORE INSERT OR UPDATE ON recsys.kept_partition
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT INSERT ON recsys.kept_partition TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('recsys.kept_partition', '');

CREATE FUNCTION recsys.keep_partitions(
	target text,
	every interval DEFAULT '1 day',
	keep interval DEFAULT NULL,
	ahead interval DEFAULT '7 days')
RETURNS TABLE (action text, object text, detail text)
	AS 'MODULE_PATHNAME', 'recsys_keep_partitions' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.keep_partitions(text, interval, interval, interval) IS 'has recsys.maintain make the partitions of a table of yours that is partitioned by time, and drop those older than keep; makes those of the coming time, and says which ones will go; called again it changes that';

CREATE FUNCTION recsys.leave_partitions(target text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_leave_partitions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.leave_partitions(text) IS 'leaves the partitions of a table to you again, and makes and drops none; false if they were not kept';

CREATE FUNCTION recsys.maintain_partitions(target text DEFAULT NULL)
RETURNS TABLE (action text, object text, detail text)
	AS 'MODULE_PATHNAME', 'recsys_maintain_partitions' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.maintain_partitions(text) IS 'what recsys.maintain does for partitions that are kept, for those of your tables alone, or one of them; returns what it has done';

CREATE FUNCTION recsys.table_partitions(target regclass)
RETURNS TABLE (partition regclass, starts timestamptz, ends timestamptz, is_default boolean)
	AS 'MODULE_PATHNAME', 'recsys_table_partitions' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100 ROWS 100;
COMMENT ON FUNCTION recsys.table_partitions(regclass) IS 'partitions of a table by time with their bounds, earliest first; none of a table that is not partitioned by range of a time, one without anything of a table that another session has locked';

CREATE VIEW recsys.kept_partitions AS
SELECT k.schema_name, k.table_name, k.owner, k.every, k.keep, k.ahead,
	   p.partitions, p.starts, p.has_default,
	   CASE WHEN p.covered THEN p.ends WHEN NOT p.locked THEN now() END AS covered_until,
	   coalesce(p.expired, 0) AS expired, p.expired_since,
	   CASE WHEN c.oid IS NULL THEN 'the table does not exist'
			WHEN o.oid IS NULL THEN pg_catalog.format('role "%s" does not exist', k.owner)
			WHEN NOT pg_catalog.pg_has_role(o.oid, c.relowner, 'USAGE') THEN pg_catalog.format('the table is not that of role "%s"', k.owner)
			WHEN p.locked THEN 'the table is locked by another session'
			WHEN p.partitions = 0 AND NOT p.has_default THEN 'it has no partitions by time' END AS problem
FROM recsys.kept_partition k
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = k.schema_name
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = k.table_name
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = k.owner
LEFT JOIN LATERAL (
	SELECT count(*) FILTER (WHERE NOT t.is_default) AS partitions, min(t.starts) AS starts,
		   -- where the partitions that begin with that of now have an end, or the first gap
		   min(t.ends) FILTER (WHERE t.ends > now() AND NOT t.followed) AS ends,
		   coalesce(bool_or(t.starts <= now() AND t.ends > now()), false) AS covered,
		   coalesce(bool_or(t.is_default), false) AS has_default,
		   coalesce(bool_or(t.partition IS NULL), false) AS locked,
		   count(*) FILTER (WHERE t.ends <= now() - k.keep) AS expired,
		   min(t.ends) FILTER (WHERE t.ends <= now() - k.keep) + k.keep AS expired_since
	FROM (SELECT a.*, lead(a.starts) OVER (ORDER BY a.starts) IS NOT DISTINCT FROM a.ends AS followed
		  FROM recsys.table_partitions(c.oid) a) t) p ON true;
COMMENT ON VIEW recsys.kept_partitions IS 'tables whose partitions recsys.maintain keeps, and how far it has come';
COMMENT ON COLUMN recsys.kept_partitions.schema_name IS 'schema of the table';
COMMENT ON COLUMN recsys.kept_partitions.table_name IS 'name of the table';
COMMENT ON COLUMN recsys.kept_partitions.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.kept_partitions.every IS 'length of a partition';
COMMENT ON COLUMN recsys.kept_partitions.keep IS 'how long rows are kept; NULL: for ever';
COMMENT ON COLUMN recsys.kept_partitions.ahead IS 'time for which there are partitions before it comes';
COMMENT ON COLUMN recsys.kept_partitions.partitions IS 'how many there are, without the default partition';
COMMENT ON COLUMN recsys.kept_partitions.starts IS 'from when on there are partitions';
COMMENT ON COLUMN recsys.kept_partitions.has_default IS 'whether there is a default partition, which takes times that no other one has';
COMMENT ON COLUMN recsys.kept_partitions.covered_until IS 'from now until then each time has a partition; NULL: not known';
COMMENT ON COLUMN recsys.kept_partitions.expired IS 'partitions that are older than keep and still there';
COMMENT ON COLUMN recsys.kept_partitions.expired_since IS 'since when the first of them should be gone; NULL: there are none';
COMMENT ON COLUMN recsys.kept_partitions.problem IS 'why they cannot be kept; NULL: there is nothing';
GRANT SELECT ON recsys.kept_partitions TO PUBLIC;
