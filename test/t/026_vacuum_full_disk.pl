# VACUUM runs on a full disk, which is where it is needed: what it has no room to put on
# a list it notes in place.  Nothing is lost by that, also if the server is killed on the
# way: with room again, a merge gives the graph of a new index.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $disk = $ENV{RECSYS_SMALL_DISK};
plan(skip_all => 'there is no file system of limited size (only root can mount one)')
  unless defined $disk && -d $disk;

my $node = new_node('primary', "wal_consistency_checking = 'generic'", 'restart_after_crash = on');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at)';
my $faults = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) ne '0';

mkdir "$disk/space" or die $!;
$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk/space'");

# Takes all but some bytes; what a killed server has not freed yet counts as taken.
sub fill
{
	my ($leave) = @_;
	my ($free) = `df --block-size=1 --output=avail "$disk"` =~ /(\d+)\s*$/;

	open(my $handle, '>>', "$disk/filler") or die $!;
	while ($free > $leave)
	{
		my $bytes = $free - $leave > 65536 ? 65536 : $free - $leave;
		syswrite($handle, "\0" x $bytes) or last;
		$free -= $bytes;
	}
	close $handle;
}

# Runs the statement with a fault armed; after one that kills the server, waits for it
sub with_fault
{
	my ($fault, $sql) = @_;
	my $offset = -s $node->logfile;

	$node->psql('postgres', "SET recsys.fault = '$fault'; $sql");
	$fault !~ /:kill/ || is_back($node, $offset) or BAIL_OUT('the server does not come back');
}

# an item that many have, users with one item, and one with very many
create_purchases($node, 6000);
$node->safe_psql('postgres', q(
	INSERT INTO purchases SELECT 2000 + i, 1, 1, '2026-01-01' FROM generate_series(1, 500) i;
	INSERT INTO purchases SELECT 1, i, 1, '2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 3000) i));

foreach my $round (1 .. 3)
{
	$node->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns WITH (similarity = cosine, max_history = 500) TABLESPACE small");
	$node->safe_psql('postgres', 'CHECKPOINT');
	# a free space map that is there already, or is not; some bytes, or none
	$node->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id = 2; VACUUM purchases') if $round == 2;
	fill($round == 3 ? 0 : 20000);

	$node->safe_psql('postgres', "DELETE FROM purchases WHERE user_id % 5 = $round OR product_id % 7 = $round OR (user_id = 1 AND product_id > 2000 AND product_id % 2 = $round % 2)");
	if ($faults && $round > 1)
	{
		foreach my $point ($round == 2 ? ('unsaid-noted:kill', 'unsaid-noted:kill:3', 'vacuum-bucket:kill:2') : ('unsaid-noted:error', 'vacuum-bucket:error:3'))
		{
			with_fault($point, 'VACUUM purchases');
			check_clean($node, 'purchases_recsys', "round $round: check_index after $point");
		}
	}
	my ($status, undef, $stderr) = $node->psql('postgres', 'VACUUM (INDEX_CLEANUP on) purchases');
	is($status, 0, "round $round: VACUUM runs on a full disk") or diag($stderr);
	like($stderr, qr/^(?:psql:\S+ )?WARNING:  index "purchases_recsys" was not merged for lack of disk space/, 'and says that it has not merged');
	is($node->safe_psql('postgres', q(SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'purchases')), '0', 'no dead rows are left')
		if $node->poll_query_until('postgres', q(SELECT n_dead_tup = 0 FROM pg_stat_user_tables WHERE relname = 'purchases'));
	check_clean($node, 'purchases_recsys', "round $round: check_index on a full disk");
	scans_agree($node, "round $round");
	recommend_agrees_in_part($round);

	# twice, as autovacuum would
	$node->safe_psql('postgres', "DELETE FROM purchases WHERE user_id % 11 = $round");
	($status, undef, $stderr) = $node->psql('postgres', 'VACUUM (INDEX_CLEANUP on) purchases');
	is($status, 0, "round $round: and again") or diag($stderr);

	unlink "$disk/filler";
	if ($faults && $round > 1)
	{
		foreach my $point ('unsaid-said', 'unsaid-said', 'unsaid-done')
		{
			with_fault("$point:" . ($round == 2 ? 'kill' : 'error'), "SELECT recsys.merge('purchases_recsys')");
			check_clean($node, 'purchases_recsys', "round $round: check_index after $point");
		}
	}
	# changes beside it, and a merge that has not the budget for all of it
	$node->safe_psql('postgres', 'INSERT INTO purchases SELECT i, 1 + i % 50, 1, now() FROM generate_series(1, 300) i');
	$node->safe_psql('postgres', "SET recsys.merge_budget = 20; SELECT recsys.merge('purchases_recsys')");
	check_clean($node, 'purchases_recsys', "round $round: check_index after a bounded merge");
	$node->safe_psql('postgres', "SELECT recsys.merge('purchases_recsys', true)");
	$node->safe_psql('postgres', "CREATE INDEX fresh_recsys ON $columns WITH (similarity = cosine, max_history = 500)");
	same_answers(answers($node, 'purchases_recsys'), answers($node, 'fresh_recsys'), "round $round: with room again, the index equals a new one");
	$node->safe_psql('postgres', 'DROP INDEX fresh_recsys, purchases_recsys; CHECKPOINT');
	insert_purchases($node, 1500);
}

# Who is left is answered, and nobody gets what they have.
sub recommend_agrees_in_part
{
	my ($round) = @_;

	is($node->safe_psql('postgres', q(SELECT count(*) FROM (SELECT DISTINCT user_id FROM purchases) u,
		LATERAL recommend(u.user_id, 20, 'purchases_recsys') r
		WHERE EXISTS (SELECT FROM purchases p WHERE (p.user_id, p.product_id) = (u.user_id, r.item_id)))), '0',
		"round $round: no recommendation of what a user has");
}

$node->stop;
done_testing();
