# A user's list is made of the rows that a query over the table would see, whatever has happened to
# them: updated in place or elsewhere, deleted, rolled back, under way in other transactions, in
# subtransactions and prepared ones, seen by a snapshot of before.  Three sessions do things at random,
# and after each of them all look whether the index tells them what the table does.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

# few buffers, so that pages are in others again and again
my $node = new_node('primary', 'max_prepared_transactions = 4', 'client_min_messages = error');
my ($users, $items) = (12, 60);

my $columns = 'USING recsys (user_id, item_id, (1), at) WITH (min_support = 1)';
$node->safe_psql('postgres', qq(
	-- no two rows of one day, so that each is an occasion of its own
	CREATE SEQUENCE days;
	CREATE TABLE clicks (id bigserial PRIMARY KEY, user_id bigint, item_id bigint, at timestamptz DEFAULT '1990-01-01'::timestamptz + nextval('days') * interval '2 days', note text) WITH (fillfactor = 60);
	INSERT INTO clicks (user_id, item_id, note)
	SELECT 1 + n % $users, 1 + n * n % $items, repeat('x', 40 + n % 90) FROM generate_series(1, 2500) n;
	INSERT INTO clicks (user_id, item_id) VALUES (1, NULL), (NULL, 1);
	CREATE INDEX clicks_recsys ON clicks $columns;
	CREATE TABLE other AS SELECT repeat('y', 500) AS y FROM generate_series(1, 12000);));

# Rows that only one of the two has
sub difference
{
	my ($table) = @_;
	return qq(WITH listed AS (SELECT u::bigint, v.item_id, v.last_at, v.times FROM generate_series(1, $users) u, recently_viewed(u::bigint, NULL, '${table}_recsys') v),
		counted AS (SELECT user_id, item_id, max(at), count(*)::integer FROM $table WHERE user_id IS NOT NULL AND item_id IS NOT NULL GROUP BY 1, 2)
		SELECT count(*) FROM ((TABLE listed EXCEPT TABLE counted) UNION ALL (TABLE counted EXCEPT TABLE listed)) d);
}

my @sessions = map { $node->background_psql('postgres', on_error_stop => 1) } 0 .. 2;
my @open = (0, 0, 0);
my @wrong;
my $done = '';

sub run
{
	my ($s, $sql) = @_;
	$done = "session $s: $sql";
	$sessions[$s]->query_safe($sql);
}

sub look
{
	foreach my $s (0 .. 2)
	{
		my $differing = $sessions[$s]->query_safe(difference('clicks'));
		push @wrong, "session $s differs in $differing rows after $done" if $differing ne '0';
	}
}

sub steps
{
	my ($name, $count) = @_;

	@wrong = ();
	look();
	foreach (1 .. $count)
	{
		my $s = int(rand(3));
		my $what = int(rand(13));
		# each session changes rows of its own, so that none waits for another
		my $own = "id % 3 = $s AND id % 17 = " . int(rand(17));

		if (!$open[$s] && $what < 4)
		{
			# a serializable transaction fails because of others of its kind only
			run($s, 'BEGIN ISOLATION LEVEL ' . (('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')[int(rand($s == 2 ? 3 : 2))]));
			$open[$s] = 1;
		}
		elsif ($open[$s] && $what == 0) { run($s, 'COMMIT'); $open[$s] = 0; }
		elsif ($open[$s] && $what == 1) { run($s, 'ROLLBACK'); $open[$s] = 0; }
		elsif ($open[$s] && $what == 2) { run($s, "SAVEPOINT s; UPDATE clicks SET note = 'sub' WHERE $own; DELETE FROM clicks WHERE $own AND id % 2 = 0; ROLLBACK TO s"); }
		elsif ($open[$s] && $what == 3) { run($s, "SAVEPOINT s; DELETE FROM clicks WHERE $own AND id % 5 = 0; RELEASE s"); }
		elsif ($what < 6) { run($s, "UPDATE clicks SET note = 'v$_' WHERE $own"); }
		elsif ($what == 6) { run($s, "UPDATE clicks SET item_id = 1 + (item_id + 7) % $items WHERE $own"); }
		elsif ($what == 7) { run($s, "DELETE FROM clicks WHERE $own AND id % 4 = 1"); }
		elsif ($what == 8) { run($s, "INSERT INTO clicks (user_id, item_id, note) SELECT 1 + n % $users, 1 + n % $items, 'new' FROM generate_series(1, 20) n"); }
		elsif ($what == 9) { run($s, "SELECT id FROM clicks WHERE $own FOR UPDATE"); }
		elsif ($what == 10 && !$open[$s]) { run($s, 'VACUUM (INDEX_CLEANUP on) clicks'); }
		elsif ($what == 11) { run($s, 'SELECT count(*) FROM other'); }
		look();
	}
	foreach my $s (0 .. 2)
	{
		run($s, 'COMMIT') if $open[$s];
		$open[$s] = 0;
	}
	look();
	is(join("\n", @wrong), '', $name);
}

srand(98);
steps('a table that was never vacuumed, in three sessions', 60);
$node->safe_psql('postgres', 'VACUUM clicks');
steps('and after it was', 60);
check_clean($node, 'clicks_recsys', 'the index is sound');

# A snapshot of before sees what has been deleted and replaced since, and VACUUM leaves it that
$sessions[0]->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $before = $sessions[0]->query_safe('SELECT count(*), sum(times) FROM recently_viewed(3::bigint, NULL)');
$sessions[1]->query_safe(q(DELETE FROM clicks WHERE user_id = 3 AND id % 5 = 0; UPDATE clicks SET item_id = 1 WHERE user_id = 3; UPDATE clicks SET note = 'z' WHERE user_id = 3; VACUUM clicks));
is($sessions[0]->query_safe('SELECT count(*), sum(times) FROM recently_viewed(3::bigint, NULL)'), $before, 'a snapshot keeps its rows');
is($sessions[0]->query_safe(difference('clicks')), '0', 'all of them');
is($sessions[1]->query_safe('SELECT count(*) FROM recently_viewed(3::bigint, NULL)'), '1', 'while a new one has those of now');
$sessions[0]->query_safe('COMMIT');

# So does a cursor, and a transaction sees what it did before, by the command
is($sessions[0]->query_safe(q(BEGIN; DECLARE old CURSOR FOR SELECT count(*) FROM recently_viewed(4::bigint, NULL); DELETE FROM clicks WHERE user_id = 4;
	SELECT count(*) FROM recently_viewed(4::bigint, NULL))), '0', 'own deletes are seen');
isnt($sessions[0]->query_safe('FETCH old'), '0', 'but not by a cursor that was opened before');
$sessions[0]->query_safe('ROLLBACK');
is($sessions[0]->query_safe(difference('clicks')), '0', 'nor by anybody after a rollback');

# Prepared transactions are under way until they end
$node->safe_psql('postgres', q(BEGIN; DELETE FROM clicks WHERE user_id = 5; PREPARE TRANSACTION 'deleted'; BEGIN; INSERT INTO clicks (user_id, item_id) SELECT 6, n FROM generate_series(1, 60) n; PREPARE TRANSACTION 'inserted'));
is($sessions[0]->query_safe(difference('clicks')), '0', 'of a prepared transaction nothing is seen');
isnt($sessions[0]->query_safe('SELECT count(*) FROM recently_viewed(5::bigint, NULL)'), '0', 'what it has deleted is there');
$node->restart;
@sessions = map { $node->background_psql('postgres', on_error_stop => 1) } 0 .. 2;
is($sessions[0]->query_safe(difference('clicks')), '0', 'nor after a restart');
$node->safe_psql('postgres', q(COMMIT PREPARED 'deleted'));
is($sessions[0]->query_safe('SELECT count(*) FROM recently_viewed(5::bigint, NULL)'), '0', 'until it is committed');
$node->safe_psql('postgres', q(ROLLBACK PREPARED 'inserted'));
is($sessions[0]->query_safe(difference('clicks')), '0', 'or rolled back');

# Each of two serializable transactions looks at what the other has just written: one must fail
my @serial = map { $node->background_psql('postgres', on_error_stop => 0) } 0, 1;
my @failed = ('', '');
foreach my $step (
	[ 0, 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1' ],
	[ 1, 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1' ],
	[ 0, 'INSERT INTO clicks (user_id, item_id) VALUES (7, 1)' ],
	[ 1, q(UPDATE clicks SET note = 'serial' WHERE user_id = 8) ],
	[ 0, 'SELECT count(*) FROM recently_viewed(8::bigint, NULL)' ],
	[ 1, 'SELECT count(*) FROM recently_viewed(7::bigint, NULL)' ],
	[ 0, 'COMMIT' ],
	[ 1, 'COMMIT' ])
{
	my ($s, $sql) = @$step;
	$serial[$s]->query($sql);
	$failed[$s] .= $serial[$s]->{stderr} =~ /could not serialize access/ ? 'failed' : '';
	$serial[$s]->{stderr} = '';
}
is(scalar(grep { $_ ne '' } @failed), 1, 'serializable transactions find what is between them');
$_->quit foreach @serial;

# Tables that only a session has, and those that no log has
foreach my $kind ('TEMPORARY', 'UNLOGGED')
{
	is($node->safe_psql('postgres', qq(
		CREATE $kind TABLE passing AS SELECT * FROM clicks;
		CREATE INDEX passing_recsys ON passing $columns;
		UPDATE passing SET note = 'x' WHERE id % 3 = 0; DELETE FROM passing WHERE id % 7 = 0;
		BEGIN; DELETE FROM passing WHERE id % 5 = 0; ROLLBACK;
		@{[difference('passing')]}; DROP TABLE passing)), '0', lc($kind) . ' tables');
}

# A scan of all users, too
is($node->safe_psql('postgres', q(
	UPDATE clicks SET note = 'last' WHERE id % 3 = 0; DELETE FROM clicks WHERE id % 11 = 0;
	BEGIN; DELETE FROM clicks WHERE id % 5 = 0; ROLLBACK;
	SET maintenance_work_mem = '64MB';
	SELECT count(*) FROM frequent_itemsets('clicks_recsys', min_support => 0.2, max_length => 2) a
	FULL JOIN query_frequent_itemsets('SELECT user_id, item_id FROM clicks', min_support => 0.2, max_length => 2) b ON a.items = b.items AND a.support = b.support
	WHERE a.items IS NULL OR b.items IS NULL)), '0', 'all users at once');

$_->quit foreach @sessions;
$node->stop;
done_testing();
