# Building the one index of a partitioned table, by leader and workers, in little memory; what tells it
# nothing of a partition and is found by a merge; what is refused; and what is undone.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysParts;
use RecsysTest;

my $node = new_node('primary', 'timezone = UTC', 'max_prepared_transactions = 2', 'max_parallel_maintenance_workers = 2',
	'max_worker_processes = 8', 'allow_in_place_tablespaces = on', 'log_min_messages = debug1', 'statement_timeout = 120s');
my $layout = create_layout($node, 'range');
my $index = "USING recsys $layout->{index} WITH (similarity = cosine)";
my $fill = "SELECT i, 1 + (i * 7919) % 211, 1 + ((i * i) % 97 + i % 3) % 83, i % 4, timestamptz '2024-01-01' + i % 240 * interval '1 day', 'eu'
	FROM generate_series(1, 9000) i";
my $whole = q(pg_toast.recsys_' || 'p_recsys'::regclass::oid || '_index);

sub sql { return $node->safe_psql('postgres', join "\n", @_) }

sub fails_with
{
	my ($sql, $error, $name) = @_;
	my ($status, undef, $errors) = $node->psql('postgres', $sql);

	ok($status != 0 && $errors =~ $error, $name) or diag("$status $errors");
}

sub same { return same_as_plain($node, $layout, $_[0]) }

sql("INSERT INTO p $fill; INSERT INTO q $fill;", "CREATE INDEX q_recsys ON q $index;");

# Ways to build
sql("CREATE INDEX p_recsys ON p $index;");
same('built');
my $offset = -s $node->logfile;
sql("SET min_parallel_table_scan_size = 0; SET maintenance_work_mem = '128MB'; REINDEX INDEX p_recsys;");
like(substr(slurp_file($node->logfile), $offset), qr/recsys: table scanned with [12] of/, 'leaves are scanned by workers');
same('built again by workers');
sql("SET maintenance_work_mem = '1MB'; SET max_parallel_maintenance_workers = 0; REINDEX TABLE p;");
same('built again in little memory');
is(sql(q(SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]')), '2', 'there is one table and one index of the whole');
is(sql(q(SELECT count(*) FROM pg_stat_progress_create_index)), '0', 'no build is reported any more');

# REINDEX of one partition does nothing to the whole, that of the root builds it anew
my $file = sql("SELECT pg_relation_filenode('$whole')");
sql('REINDEX TABLE p_02; REINDEX INDEX CONCURRENTLY ' . sql(q(SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'p_03'::regclass)) . ';');
is(sql("SELECT pg_relation_filenode('$whole')"), $file, 'REINDEX of partitions leaves the whole alone');
same('partitions reindexed');

# DETACH and DROP: as a table without those rows, and as a new index without them
sql("ALTER TABLE p DETACH PARTITION p_02; DELETE FROM q WHERE $layout->{what};");
fails_with("SELECT recommend(1, 10, '" . sql(q(SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'p_02'::regclass)) . "')",
	qr/REINDEX INDEX/, 'the index of a detached partition says what to do');
same('detached and merged');
sql('REINDEX INDEX q_recsys');
same('detached and merged, and a new index without those rows');

# It comes back with other rows, and the index that it has had
sql("DELETE FROM p_02 WHERE id % 2 = 0; VACUUM p_02; INSERT INTO p_02 SELECT i, i % 50, i % 60, 1, '2024-02-03', 'us' FROM generate_series(10001, 10400) i;",
	"ALTER TABLE p ATTACH PARTITION p_02 $layout->{bounds}; INSERT INTO q SELECT * FROM p_02;");
same('attached again');
# ... or reindexed as a table of its own
sql("ALTER TABLE p DETACH PARTITION p_02; REINDEX TABLE p_02; INSERT INTO p_02 SELECT i, i % 50, i % 60, 1, '2024-02-03', 'us' FROM generate_series(10401, 10500) i;",
	"ALTER TABLE p ATTACH PARTITION p_02 $layout->{bounds}; INSERT INTO q SELECT * FROM p_02 WHERE id > 10400; INSERT INTO p SELECT 10501, 7, 8, 1, '2024-02-04', 'us';",
	"INSERT INTO q SELECT 10501, 7, 8, 1, '2024-02-04', 'us';");
same('attached again with an index of its own');

# ATTACH of a table without index enters its rows; rolled back it does not
sql("CREATE TABLE n (LIKE q); INSERT INTO n SELECT i, i % 90, i % 70, 1, '2025-01-03', 'us' FROM generate_series(20001, 21000) i;");
my $attach = "ALTER TABLE p DETACH PARTITION p_rest; ALTER TABLE p ATTACH PARTITION n FOR VALUES FROM ('2025-01-01') TO ('2025-02-01'); ALTER TABLE p ATTACH PARTITION p_rest DEFAULT;";
sql("BEGIN; $attach ROLLBACK;");
same('ATTACH rolled back');
sql("BEGIN; $attach INSERT INTO p SELECT 21001, 5, 5, 1, '2025-01-05'; COMMIT; INSERT INTO q (id, user_id, item, quantity, at, region) TABLE n;");
is(sql("SELECT count(*) FROM recommend(5, 500, 'p_recsys') r JOIN (SELECT item FROM n WHERE user_id = 5) n ON n.item = r.item_id"), '0',
	'what a user has in an attached partition is seen at once');
same('attached');

# New files: rewritten, moved, truncated
sql('VACUUM FULL n; ALTER TABLE p ALTER COLUMN quantity TYPE bigint; ALTER TABLE q ALTER COLUMN quantity TYPE bigint;');
same('rewritten');
sql("CREATE TABLESPACE elsewhere LOCATION ''"); 
sql('ALTER TABLE n SET TABLESPACE elsewhere');
same('moved');
sql("INSERT INTO p SELECT 30001, 3, 4, 1, '2025-01-05', 'us'; INSERT INTO q SELECT 30001, 3, 4, 1, '2025-01-05', 'us';");
sql('ALTER TABLE n SET TABLESPACE pg_default');
sql("INSERT INTO p SELECT 30002, 3, 5, 1, '2025-01-05', 'us'; INSERT INTO q SELECT 30002, 3, 5, 1, '2025-01-05', 'us';");
same('moved, and inserted before a merge');
sql('ALTER TABLE n SET TABLESPACE elsewhere; REINDEX TABLE n;');
same('moved and reindexed');
sql("BEGIN; TRUNCATE n; INSERT INTO n SELECT i, 1, 1, 1, '2025-01-05', 'us' FROM generate_series(31001, 31010) i; TRUNCATE n;",
	"INSERT INTO n SELECT i, i % 9, i % 8, 1, '2025-01-05', 'us' FROM generate_series(32001, 32100) i; COMMIT; DELETE FROM q WHERE at >= '2025-01-01'; INSERT INTO q (id, user_id, item, quantity, at, region) TABLE n;");
same('truncated twice');
sql("BEGIN; CREATE TABLE n2 PARTITION OF p FOR VALUES FROM ('2025-02-01') TO ('2025-03-01'); INSERT INTO p SELECT i, i % 30, i % 20, 1, '2025-02-05', 'us' FROM generate_series(33001, 33100) i;",
	"TRUNCATE n2; INSERT INTO p SELECT i, i % 29, i % 19, 1, '2025-02-05', 'us' FROM generate_series(34001, 34100) i; COMMIT; INSERT INTO q (id, user_id, item, quantity, at, region) TABLE n2;");
same('a new partition, truncated in place');

# A merge in a transaction that has changed partitions does nothing; if it is rolled back, nothing has happened
foreach my $change ("TRUNCATE n", "ALTER TABLE p DETACH PARTITION n", 'DROP TABLE n', 'TRUNCATE p')
{
	sql("INSERT INTO p SELECT i, i % 29, i % 19, 1, '2025-02-05', 'us' FROM generate_series(35001, 35020) i; INSERT INTO q SELECT i, i % 29, i % 19, 1, '2025-02-05', 'us' FROM generate_series(35001, 35020) i;",
		"BEGIN; $change; SELECT recsys.merge('p_recsys', true); INSERT INTO p SELECT 36000, 1, 2, 3, '2024-02-01', 'eu'; SELECT recsys.merge('p_recsys'); ROLLBACK;");
	same("$change with merges, rolled back");
}
sql("INSERT INTO n2 SELECT i, i % 29, i % 19, 1, '2025-02-05', 'us' FROM generate_series(37001, 37020) i; BEGIN; ALTER TABLE p DETACH PARTITION n2; SELECT recsys.merge('p_recsys', true); PREPARE TRANSACTION 'detach';");
sql("ROLLBACK PREPARED 'detach'; INSERT INTO q SELECT i, i % 29, i % 19, 1, '2025-02-05', 'us' FROM generate_series(37001, 37020) i;");
same('a prepared DETACH, rolled back');

# Adoption that is cut short is done once more
sql("ALTER TABLE p DETACH PARTITION p_02; INSERT INTO p_02 SELECT i, i % 150, i % 60, 1, '2024-02-03', 'us' FROM generate_series(40001, 70000) i;",
	"INSERT INTO q SELECT i, i % 150, i % 60, 1, '2024-02-03', 'us' FROM generate_series(40001, 70000) i; ALTER TABLE p ATTACH PARTITION p_02 $layout->{bounds};");
fails_with("SET statement_timeout = '30ms'; SET maintenance_work_mem = '1MB'; SELECT recsys.merge('p_recsys', true)", qr/timeout/, 'adoption is cancelled');
sql("INSERT INTO p SELECT 70001, 3, 4, 1, '2024-02-05', 'us'; INSERT INTO q SELECT 70001, 3, 4, 1, '2024-02-05', 'us';");
check_clean($node, 'p_recsys', 'check_index of a leaf that is partly known');
same('adopted in the end');

# A dump has no wholes, and is restored without; a merge makes them, or a call of the owner that may write
my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-t', 'public.p*', '-t', 'public.n*', '-f', $dump ], 'pg_dump');
unlike(slurp_file($dump), qr/recsys_[0-9]/, 'a dump does not name the whole');
sql('CREATE DATABASE restored');
$node->safe_psql('restored', 'CREATE EXTENSION recsys');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'it is restored');
my ($status, undef, $errors) = $node->psql('restored', q(BEGIN READ ONLY; SELECT * FROM recommend(1, 10, 'p_recsys')));
ok($status != 0 && $errors =~ /merge\('/, 'there is no whole yet') or diag("$status $errors");
$node->safe_psql('restored', q(SELECT recsys.merge('p_recsys', true); SELECT recsys.check_index('p_recsys');));
is($node->safe_psql('restored', q(SELECT md5(string_agg(s::text, ' ' ORDER BY item_id, rank)) FROM item_similarity('p_recsys') s)),
	sql(q(REINDEX INDEX p_recsys; SELECT md5(string_agg(s::text, ' ' ORDER BY item_id, rank)) FROM item_similarity('p_recsys') s)),
	'a merge makes it, the same as it was');

# Unlogged and logged partitions do not go together
sql("CREATE UNLOGGED TABLE u (LIKE q);");
fails_with("ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')", qr/cannot have a part in recsys index "p_recsys"/, 'an unlogged partition of logged ones');
sql("CREATE TABLE up (user_id bigint, item bigint, at date) PARTITION BY RANGE (at); CREATE UNLOGGED TABLE up1 PARTITION OF up FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
	"INSERT INTO up SELECT i % 20, i % 30, '2024-05-05' FROM generate_series(1, 1000) i; CREATE INDEX up_recsys ON up USING recsys (user_id, item);");
$node->stop('immediate');
$node->start;
is(sql("INSERT INTO up VALUES (1, 2, '2024-05-06'), (1, 3, '2024-05-06'), (2, 2, '2024-05-06'); SELECT recsys.merge('up_recsys', true); SELECT recsys.check_index('up_recsys'); SELECT item_id FROM recommend(2, 10, 'up_recsys')") =~ /^3$/m ? 1 : 0, 1,
	'unlogged partitions are empty after a crash, and go on');

# DROP takes the whole along
sql('DROP INDEX p_recsys; DROP TABLE up;');
is(sql(q(SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]')), '0', 'the whole goes with its root');

$node->stop;
done_testing();
