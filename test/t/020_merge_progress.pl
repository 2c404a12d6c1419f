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

# A merge that is over does not show, whether it succeeded or failed, and the session's
# next one does.  What a session reports is the view's business, not what it did.
$node->safe_psql('postgres', q(
	CREATE FUNCTION shown() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM recsys.merge_progress WHERE pid = pg_backend_pid()';
	INSERT INTO purchases SELECT i % 500, 1 + i % 300, 1, now() FROM generate_series(1, 100) i));
is($node->safe_psql('postgres', q(
	SELECT merged > 0 FROM recsys.merge('purchases_recsys'); SELECT shown();
	INSERT INTO purchases VALUES (1, 1, 1, now());
	SELECT merged > 0 FROM recsys.merge('purchases_recsys', true); SELECT shown();
	SELECT recsys.forget_user('purchases_recsys', 499::bigint) > 0; SELECT shown();
	SELECT count(*) FROM pg_stat_progress_create_index WHERE pid = pg_backend_pid())), "t\n0\nt\n0\nt\n0\n0",
	'a merge that has succeeded no longer shows in its session');
SKIP:
{
	skip 'the module was built without fault points (make RECSYS_FAULTS=1)', 2
	  if $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0';

	is($node->safe_psql('postgres', q(
		INSERT INTO purchases VALUES (2, 2, 1, now());
		SET recsys.fault = 'merge-recounted:error';
		DO $$ BEGIN PERFORM recsys.merge('purchases_recsys'); EXCEPTION WHEN OTHERS THEN RAISE LOG '%', SQLERRM; END $$;
		SELECT shown();
		RESET recsys.fault;
		SELECT merged > 0 FROM recsys.merge('purchases_recsys'); SELECT shown())), "0\nt\n0", 'nor one that has failed');

	# two merges in one session: both show while they run
	$node->safe_psql('postgres', q(CREATE TABLE others AS SELECT * FROM purchases LIMIT 1000;
		CREATE INDEX others_recsys ON others USING recsys (user_id, product_id); INSERT INTO others VALUES (1, 2, 1, now())));
	my $second = start_psql($node, "SELECT recsys.merge('purchases_recsys'); SET recsys.fault = 'merge-recounted:wait'; SELECT recsys.merge('others_recsys')");
	ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM recsys.merge_progress WHERE index_name = 'others_recsys')),
		'the second merge of a session shows, under its own name');
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM recsys.merge_progress');
	finish($second);
}
check_clean($node, 'purchases_recsys', 'check_index in the end');

$node->stop;
done_testing();
