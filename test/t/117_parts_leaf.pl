# What is done to one partition of a table with a recommender: its index is built anew beside writers, it comes
# with an index of its own, its file is moved, it is emptied again and again.  Lists are those of its rows at once.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysPages;
use RecsysTest;

my $node = new_node('primary', 'timezone = UTC', 'autovacuum = off', 'max_prepared_transactions = 2', 'allow_in_place_tablespaces = on');
my $has_faults = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) ne '0';

sub sql { return $node->safe_psql('postgres', join ";\n", @_) }

# A table of three months, and its recommender
sub create
{
	sql('DROP TABLE IF EXISTS p, p_2 CASCADE', 'CREATE TABLE p (user_id int, item_id int, month int) PARTITION BY RANGE (month)',
		(map { "CREATE TABLE p_$_ PARTITION OF p FOR VALUES FROM ($_) TO ($_ + 1)" } 1 .. 3),
		'INSERT INTO p SELECT i * 37 % 100, (i * 13 + i / 100) % 60, 1 + i % 3 FROM generate_series(1, 1500) i',
		'CREATE INDEX p_recsys ON p USING recsys (user_id, item_id) WITH (similarity = cosine, min_support = 1)');
}

# All lists by what the table has: the graph times each user's rows, with nothing from elsewhere
sub lists_are_exact
{
	my ($name) = @_;

	is(sql(q(WITH history AS (SELECT user_id, item_id, count(*)::double precision AS weight FROM p GROUP BY 1, 2),
			expected AS (SELECT h.user_id, s.similar_item_id AS item_id, sum(h.weight * s.score) AS score
				FROM history h JOIN item_similarity('p_recsys') s ON s.item_id = h.item_id
				WHERE (h.user_id, s.similar_item_id) NOT IN (SELECT user_id, item_id FROM history) GROUP BY 1, 2),
			got AS (SELECT u.user_id, r.item_id, r.score FROM (SELECT DISTINCT user_id FROM p) u,
				LATERAL recommend(u.user_id, NULL, 'p_recsys') r WHERE source = 'history')
		SELECT count(*) FILTER (WHERE e.score IS NULL), count(*) FILTER (WHERE g.score IS NULL),
			count(*) FILTER (WHERE abs(e.score - g.score) > 1e-5 * greatest(1, e.score)), count(*) > 0
		FROM expected e FULL JOIN got g USING (user_id, item_id))), '0|0|0|t', "$name: lists are those of the visible rows");
}

# Interactions as the index has counted them are the table's rows.
sub is_counted
{
	my ($name) = @_;

	sql('VACUUM (INDEX_CLEANUP on) p', q(SELECT recsys.merge('p_recsys', true)));
	check_clean($node, 'p_recsys', "$name: check_index");
	is(sql(q(SELECT interactions FROM recsys.index_stats WHERE index_name = 'p_recsys')),
		sql(q(SELECT count(*) FROM (SELECT DISTINCT user_id, item_id FROM p) d)), "$name: every row is counted");
	is(sql(q(SET enable_seqscan = off; SELECT count(*) FROM generate_series(0, 200) u, LATERAL (SELECT FROM p WHERE user_id = u OFFSET 0) r)),
		sql(q(SELECT count(*) FROM p)), "$name: an index scan finds each row once");
}

sub wait_for
{
	my ($query, $what) = @_;
	my $deadline = time + 60;

	while (time < $deadline)
	{
		return pass($what) if $node->safe_psql('postgres', $query) eq 't';
		sleep 0.02;
	}
	return fail($what);
}

# REINDEX CONCURRENTLY of a partition's index lets two indexes swap their places while a session is in the
# middle of a row: it enters the row once.
sub swap_within_row
{
	my ($name, $insert, $known, $countdown) = @_;
	my $old = $node->background_psql('postgres', on_error_stop => 1);
	my $holder = $node->background_psql('postgres', on_error_stop => 1);
	my $writer = $node->background_psql('postgres', on_error_stop => 1);
	my ($index) = sql(q(SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'p_2'::regclass));
	my $output = '';

	# a snapshot keeps REINDEX waiting when the new index is ready
	$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM p_1');
	$holder->query_safe(q(SELECT pg_advisory_lock(hashtext('pass-on' COLLATE "C"))));
	$writer->query_safe("LOAD 'recsys'");
	$writer->query_safe('INSERT INTO p VALUES (1, 1, 2)') if $known;
	my $reindex = IPC::Run::start([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', "REINDEX INDEX CONCURRENTLY $index" ],
		'<', \undef, '>', \$output, '2>', \$output);
	wait_for(q(SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'), "$name: the new index takes rows");
	$writer->query_safe("SET recsys.fault = 'pass-on:lock:$countdown'");
	$writer->query_until(qr/begun/, "\\echo begun\n$insert\n\\echo done\n");
	wait_for(q(SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted), "$name: a session is within a row");
	$old->query_safe('COMMIT');
	wait_for("SELECT count(*) = 2 FROM pg_index WHERE indrelid = 'p_2'::regclass AND indisready AND indislive AND EXISTS (SELECT FROM pg_index n JOIN pg_class c ON c.oid = n.indexrelid WHERE indrelid = 'p_2'::regclass AND relname LIKE '%_ccold')", "$name: the two have swapped");
	$holder->query_safe(q(SELECT pg_advisory_unlock(hashtext('pass-on' COLLATE "C"))));
	$writer->query_until(qr/done/, '');
	$_->quit foreach $writer, $holder, $old;
	ok($reindex->finish, "$name: REINDEX ends") or diag($output);
	is_counted($name);
	lists_are_exact($name);
}

SKIP:
{
	skip('the module was built without fault points (make RECSYS_FAULTS=1)', 1) unless $has_faults;
	create();
	swap_within_row('one row', 'INSERT INTO p VALUES (105, 7, 2);', 1, 1);
	swap_within_row('a session that has not written yet', 'INSERT INTO p VALUES (106, 7, 2);', 0, 1);
	swap_within_row('the last of some rows', 'INSERT INTO p SELECT 107, i, 2 FROM generate_series(1, 5) i;', 1, 1);
	swap_within_row('an update', 'UPDATE p SET item_id = 33 WHERE user_id = 107;', 1, 1);
	swap_within_row('a copy', "COPY p FROM stdin;\n108\t1\t2\n108\t2\t2\n108\t3\t1\n\\.", 1, 1);
}

# Partitions that come with an index: in a session that has done nothing else, and beside another transaction
create();
my $attach = 'ALTER TABLE p ATTACH PARTITION p_4 FOR VALUES FROM (4) TO (5)';
my $own = 'CREATE INDEX own ON p_4 USING recsys (user_id, item_id) WITH (similarity = cosine, min_support = 1)';
sql('CREATE TABLE p_4 (LIKE p)', 'INSERT INTO p_4 SELECT 120 + i % 5, i % 20, 4 FROM generate_series(1, 200) i', $own);
sql($attach);
lists_are_exact('attached with its index');
is_counted('attached with its index');
sql('ALTER TABLE p DETACH PARTITION p_4', 'INSERT INTO p_4 SELECT 126, i, 4 FROM generate_series(1, 7) i');
sql("BEGIN; $attach; PREPARE TRANSACTION 'attaching'");
lists_are_exact('prepared to be attached');
sql("ROLLBACK PREPARED 'attaching'", "BEGIN; $attach; PREPARE TRANSACTION 'attaching'; COMMIT PREPARED 'attaching'");
lists_are_exact('attached in two phases');
is_counted('attached in two phases');
sql('BEGIN', 'ALTER TABLE p DETACH PARTITION p_4', 'TRUNCATE p_4', 'INSERT INTO p_4 VALUES (127, 1, 4), (127, 2, 4)', $attach,
	'ALTER TABLE p DETACH PARTITION p_4', 'TRUNCATE p_4', 'INSERT INTO p_4 VALUES (3, 5, 4), (128, 2, 4)', 'SAVEPOINT a', $attach, 'ROLLBACK TO a',
	'INSERT INTO p_4 VALUES (128, 3, 4)', $attach, 'ALTER TABLE p DETACH PARTITION p_4', 'INSERT INTO p_4 VALUES (128, 4, 4)', $attach, 'COMMIT');
lists_are_exact('attached several times in a transaction');
is_counted('attached several times in a transaction');
sql('BEGIN', 'DROP TABLE p_4', 'CREATE TABLE p_4 (LIKE p)', 'INSERT INTO p_4 VALUES (3, 5, 4), (128, 2, 4)', $own, $attach, 'DROP INDEX p_recsys',
	'CREATE INDEX p_recsys ON p USING recsys (user_id, item_id) WITH (similarity = cosine, min_support = 1)', 'ALTER TABLE p DETACH PARTITION p_4',
	'DELETE FROM p_4', 'INSERT INTO p_4 VALUES (129, 2, 4)', $attach, 'COMMIT');
lists_are_exact('built in between');
is_counted('built in between');

# Files that move, and indexes with them, and what is written meanwhile
create();
sql(q(CREATE TABLESPACE space LOCATION ''));
sql('ALTER TABLE p_2 SET TABLESPACE space');
lists_are_exact('moved');
sql('INSERT INTO p SELECT 130, i, 2 FROM generate_series(1, 9) i', 'DELETE FROM p WHERE user_id = 130 AND item_id < 4');
lists_are_exact('moved and written to');
is_counted('moved and written to');
sql('ALTER INDEX p_2_user_id_item_id_idx SET TABLESPACE space', 'ALTER TABLE p_2 SET TABLESPACE pg_default', 'REINDEX TABLE CONCURRENTLY p_2', 'ALTER TABLE p_2 SET TABLESPACE space');
lists_are_exact('moved with its index, which is built anew');
is_counted('moved with its index, which is built anew');
sql('REINDEX TABLE p_2');
lists_are_exact('REINDEX of what has been moved');
is_counted('REINDEX of what has been moved');
sql('BEGIN', 'ALTER TABLE p_2 SET TABLESPACE pg_default', 'INSERT INTO p SELECT 131, i, 2 FROM generate_series(1, 300) i', 'ROLLBACK');
sql('INSERT INTO p SELECT 132, i, 2 FROM generate_series(11, 320) i');
lists_are_exact('a move that is rolled back, with rows');
is_counted('a move that is rolled back, with rows');
sql('ALTER TABLE p_2 SET TABLESPACE pg_default', 'CREATE INDEX by_user ON p_2 (user_id)', 'CLUSTER p_2 USING by_user');
lists_are_exact('moved and clustered');
is_counted('moved and clustered');

# Numbers of chunks are used again once nobody can know of them: many truncations leave few
my $whole = sql(q(SELECT pg_relation_filepath(c.oid) FROM pg_class c WHERE relname = 'recsys_' || 'p_recsys'::regclass::oid || '_index'));
my $holder = $node->background_psql('postgres', on_error_stop => 1);

sub chunks
{
	my $content;

	sql('CHECKPOINT');
	$content = slurp_file($node->data_dir . "/$whole");
	my $n = 0;
	$n += (lower_end(\$content, $_) - CONTENT) / 32 foreach pages(\$content, CHUNKS);
	return $n;
}

sub truncate_often
{
	my ($n) = @_;

	foreach my $i (1 .. $n)
	{
		sql('TRUNCATE p_3', "INSERT INTO p SELECT 140 + $i, i % 50, 3 FROM generate_series(1, 20) i", q(SELECT recsys.merge('p_recsys', true)));
	}
}

truncate_often(20);
my $few = chunks();
truncate_often(20);
is(chunks(), $few, 'chunks of what was truncated are used again');
lists_are_exact('chunks used again');
is_counted('chunks used again');
$holder->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM p_1');
truncate_often(10);
cmp_ok(chunks(), '>', $few + 5, 'not as long as a snapshot is there that is older');
$holder->query_safe('COMMIT');
$few = chunks();
truncate_often(10);
is(chunks(), $few, 'and then they are');
lists_are_exact('chunks used again later');
is_counted('chunks used again later');
$holder->quit;

$node->stop;
done_testing();
