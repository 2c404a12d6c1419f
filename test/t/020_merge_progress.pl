# A running merge can be watched, and where no worker merges, inserts keep the
# pending lists from growing for ever without being slowed down by it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary');
create_purchases($node, 20000);
$node->safe_psql('postgres',
	'CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (pending_limit = 64)');

sub pending
{
	return $node->safe_psql('postgres', 'SELECT pending FROM recsys.index_stats');
}

# One transaction: its own changes cannot be merged before it ends, and trying to
# with every row would take minutes.
$node->safe_psql('postgres', q(SET statement_timeout = '60s';
	INSERT INTO purchases SELECT i % 500, 1 + i % 300, 1, now() FROM generate_series(1, 20000) i));
is(pending(), 20000, 'a bulk load is not slowed down by merges of its own changes');

# later ones find something to merge, now and then
$node->safe_psql('postgres', q(CREATE PROCEDURE trickle() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 500 LOOP
			INSERT INTO purchases VALUES (i, 1 + i % 300, 1, now());
			COMMIT;
			PERFORM pg_sleep(0.004);
		END LOOP;
	END $$));
$node->safe_psql('postgres', 'CALL trickle()');
cmp_ok(pending(), '<', 20500, 'single inserts beyond the limit merge slices');
check_clean($node, 'purchases_recsys', 'check_index after slices');

SKIP:
{
	skip 'the module was built without fault points (make RECSYS_FAULTS=1)', 5
	  if $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0';

	my $before = pending();
	my $merger = start_psql($node, "SET recsys.fault = 'merge-recounted:wait'; SELECT recsys.merge('purchases_recsys')");

	$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM recsys.merge_progress WHERE items_recomputed > 0')
	  or BAIL_OUT('the merge does not show');
	is($node->safe_psql('postgres', 'SELECT index_name, phase, changes_total, changes_done FROM recsys.merge_progress'),
		"purchases_recsys|merging changes|$before|0", 'a running merge shows');
	is($node->safe_psql('postgres', 'SELECT phase FROM pg_stat_progress_create_index'),
		'building index: merging changes', 'to the server too');
	is($node->safe_psql('postgres', q(SELECT recsys.merge('purchases_recsys'))), '(,,)', 'another merge returns at once');
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM recsys.merge_progress');
	finish($merger);
	is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.merge_progress'), 0, 'no more when it is cancelled');
	$node->safe_psql('postgres', q(SELECT recsys.merge('purchases_recsys', true)));
	is(pending(), 0, 'and nothing was lost: the next merge takes all');
}
check_clean($node, 'purchases_recsys', 'check_index in the end');

$node->stop;
done_testing();
