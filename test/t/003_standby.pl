# A streaming standby gives the same answers as its primary after every kind of
# change, and its index passes the same checks.  Replay compares each page with
# the primary's (wal_consistency_checking) and stops the standby at a difference.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('primary', "wal_consistency_checking = 'generic'");
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Runs a change on the primary, then compares.
sub change
{
	my ($name, $sql) = @_;

	# single statements are transactions of their own
	$primary->safe_psql('postgres', join(";\n", ref $sql ? @$sql : $sql));
	compare($name);
}

sub compare
{
	my ($name) = @_;

	$primary->wait_for_catchup($standby);
	same_answers(answers($standby, 'purchases_recsys'), answers($primary, 'purchases_recsys'), "$name: same answers");
	scans_agree($standby, "standby, $name");
	check_clean($standby, 'purchases_recsys', "$name: check_index on the standby");
	check_clean($primary, 'purchases_recsys', "$name: check_index on the primary");
}

create_purchases($primary, 8000);
change('build', 'CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)');

insert_purchases($primary, 2000);
compare('insert');

change('single rows', [ map { "INSERT INTO purchases VALUES ($_, 300 + $_ % 7, 2, now())" } 395 .. 410 ]);
change('update', 'UPDATE purchases SET quantity = 3 WHERE user_id % 5 = 1');
change('delete', 'DELETE FROM purchases WHERE user_id % 7 = 3 OR product_id % 11 = 2');
change('vacuum', 'VACUUM purchases');

insert_purchases($primary, 2000);
compare('insert after vacuum');

change('large history', 'INSERT INTO purchases SELECT 1, 1 + i % 250, 1, now() FROM generate_series(1, 6000) i');
change('rolled back', 'BEGIN; INSERT INTO purchases SELECT 2, i, 1, now() FROM generate_series(1, 100) i; ROLLBACK; SELECT 1');
change('REINDEX', 'REINDEX INDEX purchases_recsys');
change('REINDEX CONCURRENTLY', 'REINDEX INDEX CONCURRENTLY purchases_recsys');
change('options', [ 'ALTER INDEX purchases_recsys SET (similarity = jaccard, neighbors = 20)', 'REINDEX INDEX purchases_recsys' ]);
change('learned model', [ 'ALTER INDEX purchases_recsys SET (similarity = rp3beta, weighting = bm25)', 'REINDEX INDEX purchases_recsys' ]);
change('merge of a learned model', [
	'INSERT INTO purchases SELECT 5, i, 1, now() FROM generate_series(1, 80) i',
	'DELETE FROM purchases WHERE user_id % 11 = 4', 'VACUUM purchases',
	q(SELECT recsys.merge('purchases_recsys', exact => true)) ]);
change('model of factors', [ 'ALTER INDEX purchases_recsys SET (similarity = als, rank = 20)', 'REINDEX INDEX purchases_recsys' ]);
change('users of a model of factors', [
	'INSERT INTO purchases SELECT 900 + i % 3, 1 + i * 7 % 260, 1, now() FROM generate_series(1, 30) i',
	q(SELECT recsys.merge('purchases_recsys')) ]);
my $folded_in = q(SELECT count(*) FROM generate_series(900, 902) u, LATERAL recommend(u, 5) WHERE source = 'history');
is($standby->safe_psql('postgres', $folded_in), '15', 'a standby folds new users in');
change('back again', [ 'ALTER INDEX purchases_recsys RESET (weighting, rank)', 'ALTER INDEX purchases_recsys SET (similarity = cosine)', 'REINDEX INDEX purchases_recsys' ]);
change('VACUUM FULL', 'VACUUM FULL purchases');
change('prepared transaction', [
	q(BEGIN; INSERT INTO purchases SELECT 3, i, 1, now() FROM generate_series(1, 50) i; PREPARE TRANSACTION 'p'),
	q(COMMIT PREPARED 'p') ]);

# TRUNCATE is a build over no rows: there is a history again, but no model yet
$primary->safe_psql('postgres', 'TRUNCATE purchases');
insert_purchases($primary, 3000);
$primary->wait_for_catchup($standby);
check_clean($standby, 'purchases_recsys', 'TRUNCATE and new rows: check_index on the standby');
scans_agree($standby, 'standby, TRUNCATE and new rows');
change('REINDEX after TRUNCATE', 'REINDEX INDEX purchases_recsys');

# Every shape of the records that patch.c writes by itself: entries of all lengths on
# either side, events, flags; the first change of a page since a checkpoint and later
# ones; list pages that fill up.
$primary->safe_psql('postgres', q(
	CREATE TABLE shapes (u bigint, i bigint, t text, q integer, at timestamptz);
	INSERT INTO shapes SELECT i % 40, i % 13, 'k' || i % 7, 1, now() FROM generate_series(1, 400) i;
	CREATE INDEX shape_1 ON shapes USING recsys (u, i);
	CREATE INDEX shape_2 ON shapes USING recsys (u, i, q);
	CREATE INDEX shape_3 ON shapes USING recsys (u, i, at);
	CREATE INDEX shape_4 ON shapes USING recsys (t, i, q, at);
	CREATE INDEX shape_5 ON shapes USING recsys (i, t)));
foreach my $writes ('on', 'off')
{
	$primary->safe_psql('postgres', "ALTER SYSTEM SET full_page_writes = $writes; SELECT pg_reload_conf()");
	foreach my $round (1 .. 3)
	{
		$primary->safe_psql('postgres', join ";\n", 'CHECKPOINT',
			map { "INSERT INTO shapes VALUES ($_ % 50, $_ % 17, 'k' || $_ % 9, 1, now())" } 1 .. 180);
		$primary->safe_psql('postgres', "INSERT INTO shapes VALUES (1, NULL, NULL, 1, NULL), (NULL, 1, 'k1', NULL, now())");
	}
	$primary->safe_psql('postgres', "DELETE FROM shapes WHERE u % 10 = 3; VACUUM shapes");
	$primary->wait_for_catchup($standby);
	foreach my $index (map { "shape_$_" } 1 .. 5)
	{
		my $all = "SELECT * FROM recsys.index_stats WHERE index_name = '$index'; SELECT * FROM item_similarity('$index'"
		  . ($index eq 'shape_5' ? ', NULL::text' : '') . ') ORDER BY item_id, rank';

		check_clean($standby, $index, "$index, full_page_writes $writes: check_index on the standby");
		same_answers($standby->safe_psql('postgres', $all), $primary->safe_psql('postgres', $all), "$index: same answers");
	}
}
$primary->safe_psql('postgres', 'ALTER SYSTEM RESET full_page_writes');

# the standby takes over, and writes
$standby->promote;
insert_purchases($standby, 1000);
check_clean($standby, 'purchases_recsys', 'check_index after promotion and inserts');
scans_agree($standby, 'promoted');
recommend_agrees($standby, 'purchases_recsys', 'promoted: recommend by its definition');

$standby->stop;
$primary->stop('immediate');
done_testing();
