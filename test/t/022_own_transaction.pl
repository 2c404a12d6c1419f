# A merge counts what is committed, whatever transaction it runs in.
#
# Its own transaction's rows are not: their events stay on the lists, for a later
# merge, and nothing of them is seen by others or left after a rollback.  The same
# for merges within a bulk statement, beside transactions that end meanwhile.
# Every time the index must equal a new one afterwards, and recsys.check_index must
# have no complaint; at the end it must find rows that were lost.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysGraphRow;
use RecsysTest;

use constant { PAGE => 8192, KIND => 8188, GRAPH => 7, PENDING => 10, CONTENT => 24 };

# no checksums: at the end pages are damaged
my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => ['--encoding=UTF8']);
$node->append_conf('postgresql.conf', q(
	autovacuum = off
	jit = off
	max_prepared_transactions = 2
	dynamic_shared_memory_type = mmap
	client_min_messages = warning));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recsys; CREATE TABLE later (x integer)');

my $columns = 'shop USING recsys (user_id, item_id)';
my $options = 'min_support = 1';

# Two users with three items each
sub begin
{
	$node->safe_psql('postgres', qq(
		DROP TABLE IF EXISTS shop;
		CREATE TABLE shop (user_id bigint, item_id bigint, note text);
		INSERT INTO shop SELECT u, i FROM generate_series(1, 2) u, generate_series(1, 3) i;
		CREATE INDEX shop_recsys ON $columns WITH ($options);));
}

# The graph equals that of a new index at once, or after an exact merge.
sub equals_new
{
	my ($name, $merge) = @_;

	# deleted rows count until VACUUM removes them
	$node->safe_psql('postgres', q(VACUUM (INDEX_CLEANUP on) shop; SELECT recsys.merge('shop_recsys', true);)) if $merge;
	check_clean($node, 'shop_recsys', "$name: check_index");
	is($node->safe_psql('postgres', qq(
		CREATE INDEX shop_fresh ON $columns WITH ($options);
		SELECT count(*) FROM item_similarity('shop_recsys') a
		FULL JOIN item_similarity('shop_fresh') b USING (item_id, similar_item_id, support)
		WHERE a.item_id IS NULL OR b.item_id IS NULL;
		DROP INDEX shop_fresh;)), '0', "$name: the graph is that of a new index");
}

# One session with a transaction, another that ends transactions between its steps
# (a later transaction that has ended is what makes the own one look finished).
my ($session, $beside);

sub steps
{
	foreach my $sql (@_)
	{
		$session->query_safe($sql);
		$beside->query_safe('INSERT INTO later VALUES (1)');
	}
}

my $merge = q(SELECT recsys.merge('shop_recsys', true););
my $more = 'INSERT INTO shop SELECT u, i FROM generate_series(10, 12) u, generate_series(2, 5) i;';

$session = $node->background_psql('postgres', on_error_stop => 1);
$beside = $node->background_psql('postgres', on_error_stop => 1);
foreach my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	my $name = lc $level;

	# what others see while the transaction is open, and after its end
	begin();
	steps("BEGIN ISOLATION LEVEL $level;", $more, $merge, $merge);
	is($node->safe_psql('postgres', q(SELECT max(support) FROM item_similarity('shop_recsys'))), '2',
		"$name: others see nothing of an open transaction");
	steps('ROLLBACK;');
	equals_new("$name, rolled back", 0);
	equals_new("$name, rolled back and merged", 1);

	begin();
	steps("BEGIN ISOLATION LEVEL $level;", $more, $merge, 'DELETE FROM shop WHERE user_id = 1;', $merge,
		'UPDATE shop SET item_id = item_id + 1 WHERE user_id = 2;', $merge, q(UPDATE shop SET note = 'x';), $merge, 'COMMIT;');
	equals_new("$name, committed", 1);

	begin();
	steps("BEGIN ISOLATION LEVEL $level;", $more, 'SAVEPOINT a;', 'INSERT INTO shop SELECT 20, i FROM generate_series(1, 6) i;',
		$merge, 'SAVEPOINT b;', 'UPDATE shop SET item_id = 7 WHERE item_id = 1;', $merge, 'ROLLBACK TO b;', $merge,
		'RELEASE b;', 'INSERT INTO shop VALUES (21, 1), (21, 2);', 'ROLLBACK TO a;', $merge,
		'DECLARE c CURSOR FOR SELECT * FROM shop;', 'FETCH 3 FROM c;', 'INSERT INTO shop VALUES (22, 1), (22, 2);', $merge,
		'FETCH 3 FROM c;', 'RELEASE a;', $merge, 'COMMIT;');
	equals_new("$name, savepoints", 1);
}

# Two-phase commit: it is over when it is committed or rolled back, also after a restart.
foreach my $end ('COMMIT', 'ROLLBACK')
{
	begin();
	steps('BEGIN;', $more, 'DELETE FROM shop WHERE user_id = 1;', $merge, q(PREPARE TRANSACTION 'p';), $merge);
	is($node->safe_psql('postgres', q(SELECT max(support) FROM item_similarity('shop_recsys'))), '2',
		"prepared: nothing of it is counted ($end)");
	$session->quit;
	$beside->quit;
	$node->restart;
	$session = $node->background_psql('postgres', on_error_stop => 1);
	$beside = $node->background_psql('postgres', on_error_stop => 1);
	steps($merge, 'INSERT INTO shop VALUES (30, 1), (30, 2);', $merge, "$end PREPARED 'p';");
	equals_new("prepared, $end", 1);
}

# An index that the transaction has made itself: its rows are in the build.
begin();
steps('BEGIN;', $more, 'DROP INDEX shop_recsys;', "CREATE INDEX shop_recsys ON $columns WITH ($options);", $merge,
	'INSERT INTO shop VALUES (40, 1), (40, 6);', $merge, q(SELECT recsys.forget_user('shop_recsys', 11);),
	q(SELECT recsys.check_index('shop_recsys');), 'SAVEPOINT a;', 'INSERT INTO shop VALUES (41, 1), (41, 6);', $merge,
	'ROLLBACK TO a;', $merge, 'DELETE FROM shop WHERE user_id = 11;', 'COMMIT;');
equals_new('an index of the transaction', 1);
steps('BEGIN;', 'TRUNCATE shop;', $more, $merge, 'REINDEX INDEX shop_recsys;', $more, $merge, 'COMMIT;');
equals_new('truncated and reindexed', 1);

# Forgetting a user beside own rows
begin();
steps('BEGIN;', $more, q(SELECT recsys.forget_user('shop_recsys', 2);), 'DELETE FROM shop WHERE user_id = 2;', 'COMMIT;');
equals_new('forget_user', 1);
$session->quit;
$beside->quit;

# Bulk statements beside a client whose transactions end all the time: their own
# slices merge as soon as the lists are long.
sub bulk
{
	my ($name, $index_options, $sql, $client) = @_;

	$node->safe_psql('postgres', qq(
		DROP TABLE IF EXISTS shop;
		CREATE TABLE shop (user_id bigint, item_id bigint, note text);
		CREATE INDEX shop_recsys ON $columns WITH (min_support = 1, $index_options);));
	my $run = start_pgbench($node, 1, [ $client, 1 ]);
	my ($status, undef, $stderr) = $node->psql('postgres', $sql);
	is($status, 0, "$name: the statement") or diag($stderr);
	$run->signal('INT');
	eval { $run->finish };
	equals_new($name, 1);
}

my $file = PostgreSQL::Test::Utils::tempdir() . '/rows.csv';
append_to_file($file, join('', map { int($_ / 3) . ',' . int($_ / 2) . "\n" } 1 .. 60000));

bulk('INSERT ... SELECT', 'pending_limit = 64',
	'INSERT INTO shop SELECT n / 3, n / 2 FROM generate_series(1, 60000) n', 'SELECT txid_current();');
bulk('COPY', 'pending_limit = 64', "\\copy shop (user_id, item_id) from '$file' csv",
	"INSERT INTO shop SELECT 1000000 + random() * 100, random() * 30000;\n\\sleep 20 ms\n");
bulk('savepoints', 'pending_limit = 64', q(
	BEGIN;
	INSERT INTO shop SELECT n / 3, n / 2 FROM generate_series(1, 20000) n;
	SAVEPOINT a; INSERT INTO shop SELECT 50000 + n / 3, n / 2 FROM generate_series(1, 20000) n; ROLLBACK TO a;
	SAVEPOINT b; INSERT INTO shop SELECT 60000 + n / 3, n / 2 FROM generate_series(1, 20000) n; RELEASE b;
	COMMIT;), 'SELECT txid_current();');
bulk('UPDATE', 'pending_limit = 64', q(
	INSERT INTO shop SELECT n / 3, n / 2 FROM generate_series(1, 20000) n;
	UPDATE shop SET item_id = item_id + 1; UPDATE shop SET note = 'x' WHERE user_id % 3 = 0;), 'SELECT txid_current();');

# A merge of the queue that is cut short is done again.
SKIP:
{
	skip 'the module was built without fault points', 6
	  if $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0';

	for my $countdown (1 .. 3)
	{
		$node->safe_psql('postgres', qq(
			DROP TABLE IF EXISTS shop;
			CREATE TABLE shop (user_id bigint, item_id bigint, note text);
			INSERT INTO shop SELECT u, i FROM generate_series(1, 60) u, generate_series(1, 400) i WHERE (u * 7 + i * i) % 5 < 2;
			CREATE INDEX shop_recsys ON $columns WITH ($options);
			-- users of some items, beyond a budget
			INSERT INTO shop SELECT u, i FROM generate_series(100, 130) u, generate_series(1, 400, 7) i;
			SET recsys.merge_budget = 0;
			SELECT recsys.merge('shop_recsys');));
		my (undef, undef, $stderr) = $node->psql('postgres', qq(
			SET recsys.fault = 'merge-page-written:error:$countdown';
			SELECT recsys.merge('shop_recsys', true);));
		like($stderr, qr/fault at merge-page-written/, "queue: cut short after page $countdown");
		equals_new("queue, cut short after page $countdown", 1);
	}
}

# Damage: recsys.check_index finds rows that are not counted.
# Calls change for each page of the kind; the file is written back if that returns true.
sub damage
{
	my ($kind, $change) = @_;
	my $path = $node->data_dir . '/' . $node->safe_psql('postgres', q(SELECT pg_relation_filepath('shop_recsys')));
	my $changed = 0;

	$node->stop;
	open(my $handle, '+<:raw', $path) or die "$path: $!";
	for (my $block = 0; !$changed && sysread($handle, my $page, PAGE) == PAGE; $block++)
	{
		next if unpack('C', substr($page, KIND, 1)) != $kind || !$change->(\$page);
		sysseek($handle, $block * PAGE, 0);
		syswrite($handle, $page);
		$changed = 1;
	}
	close $handle;
	$node->start;
	return $changed;
}

sub finds
{
	my ($name, $pattern) = @_;
	my ($status, undef, $stderr) = $node->psql('postgres', q(SELECT recsys.check_index('shop_recsys')));

	ok($status != 0, "$name: check_index complains");
	like($stderr, $pattern, "$name: of what is wrong");
	$node->safe_psql('postgres', 'REINDEX INDEX shop_recsys');
	equals_new("$name, reindexed", 0);
}

foreach my $similarity ('cosine', 'lift', 'rp3beta', 'slim')
{
	$options = "min_support = 1, neighbors = 3, similarity = $similarity";
	$node->safe_psql('postgres', qq(
		DROP TABLE shop;
		CREATE TABLE shop (user_id bigint, item_id bigint, note text);
		INSERT INTO shop SELECT u, i FROM generate_series(1, 60) u, generate_series(1, 20) i WHERE hashint8(u * 100 + i) % 3 = 0;
		INSERT INTO shop VALUES (61, 20);
		CREATE INDEX shop_recsys ON $columns WITH ($options);
		INSERT INTO shop SELECT 7, min(i) FROM generate_series(1, 19) i WHERE hashint8(700 + i) % 3 <> 0;));
	check_clean($node, 'shop_recsys', "$similarity: no complaint about a pending row");
	$node->safe_psql('postgres', 'DELETE FROM shop WHERE user_id = 61');
	check_clean($node, 'shop_recsys', "$similarity: no complaint about deleted rows");
	ok(damage(PENDING, sub {
		my ($page) = @_;
		my $has = unpack('S', substr($$page, 12, 2)) > CONTENT;
		substr($$page, 12, 2) = pack('S', CONTENT);
		return $has;
	}), "$similarity: an event is lost");
	finds("$similarity, lost event", qr/does not count the rows of its table.*Item number \d+ has/s);

	# a support that is one less: the first of the row behind the page's first line pointer
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) shop; REINDEX INDEX shop_recsys');
	ok(damage(GRAPH, sub {
		my ($page) = @_;
		my $row = first_graph_row($page);
		my $support = unpack('C', substr($$page, $row->{supports}, 1));
		return 0 if $row->{stored} == 0 || $row->{support_width} != 1 || $support < 2;
		substr($$page, $row->{supports}, 1) = pack('C', $support - 1);
		return 1;
	}), "$similarity: a user of a pair is lost");
	finds("$similarity, lost user of a pair", qr/does not count the rows of its table.*users in common/s);

	# the best neighbor is missing, and spare ones move up
	next if $similarity eq 'slim';
	ok(damage(GRAPH, sub {
		my ($page) = @_;
		my $row = first_graph_row($page);
		my ($shown, $stored, $at) = @$row{qw(shown stored at)};
		my @scores = unpack("f$stored", substr($$page, $row->{scores}, 4 * $shown)
			. substr($$page, $row->{spare_scores}, 4 * ($stored - $shown)));
		return 0 if $stored <= $shown || $scores[0] < 1.01 * $scores[$shown];
		# the first of everything goes, the first spare one takes the last place that is shown
		my $peers = substr($$page, $row->{peers}, 2 * $shown) . substr($$page, $row->{spare_peers}, 2 * ($stored - $shown));
		my $new = pack("f$shown", @scores[ 1 .. $shown ]) . substr($peers, 2, 2 * $shown)
			. substr($$page, $row->{users}, $row->{spare_scores} - $row->{users})
			. pack('f*', @scores[ $shown + 1 .. $stored - 1 ]) . substr($peers, 2 * $shown + 2)
			. substr($$page, $row->{supports} + 1, $row->{key} - $row->{supports} - 1)
			. substr($$page, $row->{key}, $row->{keylen});
		return 0 if $row->{peer_width} != 2 || $row->{support_width} != 1;
		substr($$page, $at + 12, length $new) = $new;
		substr($$page, $at + 6, 2) = pack('S', $stored - 1);
		return 1;
	}), "$similarity: a pair is lost");
	finds("$similarity, lost pair", qr/lacks item number \d+ among its neighbors/);

	# a score that is a little more than it should be
	ok(damage(GRAPH, sub {
		my ($page) = @_;
		my $row = first_graph_row($page);
		my $at = $row->{scores};
		return 0 if $row->{stored} == 0;
		substr($$page, $at, 4) = pack('f', 1.01 * unpack('f', substr($$page, $at, 4)));
		return 1;
	}), "$similarity: a score is another");
	finds("$similarity, score", qr/as a neighbor with score .*, by the table it is/);
}

# totals of weights that are a little more than they should be; without weights, rows have none
foreach my $similarity ('cosine', 'rp3beta')
{
	$options = "min_support = 1, neighbors = 3, similarity = $similarity";
	$columns = 'shop USING recsys (user_id, item_id, weight)';
	$node->safe_psql('postgres', qq(
		DROP TABLE shop;
		CREATE TABLE shop AS
		SELECT u::bigint AS user_id, i::bigint AS item_id, (1 + (u + i) % 3)::real AS weight
		FROM generate_series(1, 60) u, generate_series(1, 20) i WHERE hashint8(u * 100 + i) % 3 = 0;
		CREATE INDEX shop_recsys ON $columns WITH ($options);));
	foreach my $place (0, 8)
	{
		ok(damage(GRAPH, sub {
			my ($page) = @_;
			my $at = first_graph_row($page)->{totals};
			return 0 if !defined $at;
			my $total = unpack('d', substr($$page, $at + $place, 8));
			substr($$page, $at + $place, 8) = pack('d', $total * 1.001);
			return $total > 0;
		}), "$similarity: the total at $place is another");
		finds("$similarity, total at $place", qr/Weights of item number \d+ add up to/);
	}
}

$node->stop;
done_testing();
