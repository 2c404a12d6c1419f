# A server killed in the middle of building an index recovers without it, or
# with the old one, nothing that is left behind is in the way, and the next
# build succeeds.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

# a build of some tenths of a second at least, so that it can be hit
$RecsysTest::users = 30000;
$RecsysTest::products = 4000;

my $node = new_node('primary', 'maintenance_work_mem = 32MB');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';

create_purchases($node, 600000);

my $begin = time;
$node->safe_psql('postgres', "CREATE INDEX whole_recsys ON $columns");
my $whole = time - $begin;
note(sprintf 'a whole build takes %.2f s', $whole);
my $expected = $node->safe_psql('postgres',
	q(SELECT count(*), md5(string_agg(s::text, ',' ORDER BY item_id, rank)) FROM item_similarity('whole_recsys') s));
$node->safe_psql('postgres', 'DROP INDEX whole_recsys');

# Kills the server when a fraction of the build's time is over; true if the
# build was hit.
sub kill_during
{
	my ($command, $fraction) = @_;
	my $build = start_psql($node, $command);

	poll_progress($node, $build);
	sleep $fraction * $whole;
	kill_server($node);
	my $done = finish($build);
	$node->start;
	return !$done;
}

sub graph_is_whole
{
	my ($index, $name) = @_;

	is( $node->safe_psql('postgres',
			"SELECT count(*), md5(string_agg(s::text, ',' ORDER BY item_id, rank)) FROM item_similarity('$index') s"),
		$expected, $name);
}

# CREATE INDEX
my $hits = 0;
foreach my $fraction (0, 0.2, 0.4, 0.6, 0.8)
{
	my $hit = kill_during("CREATE INDEX purchases_recsys ON $columns", $fraction);
	my $found = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname = 'purchases_recsys'));

	$hits++ if $hit;
	if ($hit)
	{
		is($found, '0', "CREATE INDEX killed at $fraction of its time: no index is left");
	}
	else
	{
		check_clean($node, 'purchases_recsys', "CREATE INDEX finished before $fraction of its time: it is complete");
		$node->safe_psql('postgres', 'DROP INDEX purchases_recsys');
	}
}
cmp_ok($hits, '>=', 2, 'builds were hit in the middle');

$node->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");
check_clean($node, 'purchases_recsys', 'the next build is sound');
graph_is_whole('purchases_recsys', 'and complete');

# REINDEX, with the old index in place
foreach my $fraction (0.3, 0.7)
{
	kill_during('REINDEX INDEX purchases_recsys', $fraction);
	check_clean($node, 'purchases_recsys', "REINDEX killed at $fraction: the index is sound");
	graph_is_whole('purchases_recsys', "REINDEX killed at $fraction: the old answers");
}

# REINDEX CONCURRENTLY leaves an invalid index beside the old one
kill_during('REINDEX INDEX CONCURRENTLY purchases_recsys', 0.4);
is($node->safe_psql('postgres', 'SELECT count(*) FROM recommend(1::bigint, 5)'), '5',
	'an invalid index does not make the default recommender ambiguous');
$node->safe_psql('postgres', 'DROP INDEX IF EXISTS purchases_recsys_ccnew');
check_clean($node, 'purchases_recsys', 'REINDEX CONCURRENTLY killed: the old index is sound');
graph_is_whole('purchases_recsys', 'REINDEX CONCURRENTLY killed: the old answers');

# CREATE INDEX CONCURRENTLY leaves an invalid index under its name
$node->safe_psql('postgres', 'DROP INDEX purchases_recsys');
if (kill_during("CREATE INDEX CONCURRENTLY purchases_recsys ON $columns", 0.4))
{
	my ($status, $stdout, $stderr) = $node->psql('postgres',
		"SELECT * FROM recommend(1::bigint, 5, 'purchases_recsys')");
	isnt($status, 0, 'an invalid index is refused');
	note($stderr);
	$node->safe_psql('postgres', q(INSERT INTO purchases VALUES (1, 1, 1, now());
		DELETE FROM purchases WHERE ctid = (SELECT max(ctid) FROM purchases)));
	pass('the table takes rows beside it');
}
$node->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
check_clean($node, 'purchases_recsys', 'REINDEX repairs it');
graph_is_whole('purchases_recsys', 'with the whole graph');

$node->stop;
done_testing();
