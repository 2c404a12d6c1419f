# What is done to one partition of a table with a recommender: its index is built anew beside writers.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $node = new_node('primary', 'timezone = UTC', 'autovacuum = off');
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
	is(sql(q(SET enable_seqscan = off; SELECT count(*) FROM generate_series(0, 110) u, LATERAL (SELECT FROM p WHERE user_id = u OFFSET 0) r)),
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

$node->stop;
done_testing();
