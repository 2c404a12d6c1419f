# Sessions: a click counts when it is committed, and not before, on the primary and on a
# standby; lists of millions of clicks are read from their end; a click of another server's
# transaction in doubt does not count.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('primary', 'max_prepared_transactions = 5');
$primary->safe_psql('postgres', q(
	CREATE TABLE clicks (session_id bigint, item_id bigint, at timestamptz DEFAULT clock_timestamp());
	INSERT INTO clicks SELECT n / 4, CASE WHEN n % 4 = 0 THEN 1 ELSE 2 + n * 7 % 90 END, '2024-05-01'::timestamptz + n * interval '1 second' FROM generate_series(1, 20000) n;
	CREATE INDEX clicks_recsys ON clicks USING recsys (session_id, item_id, at);
	VACUUM ANALYZE clicks));
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# What comes after an item: those that sessions speak for
sub after
{
	my ($node, $items, $k) = @_;

	return $node->safe_psql('postgres',
		"SELECT string_agg(item_id::text, ' ' ORDER BY rank) FROM recommend_for_session(ARRAY[$items]::bigint[], $k, 'clicks_recsys') WHERE source = 'history'");
}

sub same_on_standby
{
	my ($items, $name) = @_;

	$primary->wait_for_catchup($standby);
	is(after($standby, $items, 20), after($primary, $items, 20), "standby: $name");
}

same_on_standby('1', 'after a build');
same_on_standby('5, 17, 1', 'a session of three');

# another session's click counts a moment after its commit, before any merge
my $writer = $primary->background_psql('postgres', on_error_stop => 1);
$writer->query_safe(q(BEGIN; INSERT INTO clicks VALUES (900001, 501), (900001, 502)));
is(after($primary, '501', 5), '', 'not committed yet');
$writer->query_safe('COMMIT');
is(after($primary, '501', 5), '502', 'committed a moment ago');
same_on_standby('501', 'committed a moment ago');
$writer->query_safe(q(BEGIN; INSERT INTO clicks VALUES (900002, 501), (900002, 503); ROLLBACK));
is(after($primary, '501', 5), '502', 'rolled back');

# unfinished sessions take nobody's place among those that vote
$writer->query_safe(q(BEGIN; INSERT INTO clicks SELECT 910000 + n, CASE i WHEN 1 THEN 501 ELSE 504 END FROM generate_series(1, 40) n, generate_series(1, 2) i));
is(after($primary, '501', 5), '502', 'forty unfinished sessions');
$writer->query_safe('COMMIT');
is(after($primary, '501', 5), '504 502', 'forty finished ones');
same_on_standby('501', 'forty sessions');

# a repeatable snapshot sees what it has seen
my $reader = $primary->background_psql('postgres', on_error_stop => 1);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $seen = q(SELECT string_agg(item_id::text, ' ' ORDER BY rank) FROM recommend_for_session(ARRAY[511], 5, 'clicks_recsys') WHERE source = 'history');
is($reader->query_safe($seen), '', 'a snapshot before the click');
$writer->query_safe(q(INSERT INTO clicks VALUES (900003, 511), (900003, 512)));
is($reader->query_safe($seen), '', 'the same snapshot after the click');
$reader->query_safe('COMMIT');
is($reader->query_safe($seen), '512', 'the next snapshot');

# in doubt
$primary->safe_psql('postgres', q(BEGIN; INSERT INTO clicks VALUES (900004, 521), (900004, 522); PREPARE TRANSACTION 'doubt'));
is(after($primary, '521', 5), '', 'prepared');
$primary->safe_psql('postgres', q(COMMIT PREPARED 'doubt'));
is(after($primary, '521', 5), '522', 'no longer in doubt');

# many writers at once, while merges go on
my $script = $primary->basedir . '/clicks.sql';
append_to_file($script, q(\set s random(1, 3000)
INSERT INTO clicks SELECT 2000000 + :s, 1 + (:s + n * :client_id) % 95, clock_timestamp() FROM generate_series(1, 3) n;
SELECT count(*) FROM recommend_for_session(ARRAY[1 + :s % 95, 1], 10, 'clicks_recsys');
));
$primary->command_ok([ 'pgbench', '-n', '-c', '6', '-j', '2', '-t', '150', '-f', $script, 'postgres' ], 'readers and writers');
$primary->safe_psql('postgres', q(SELECT recsys.merge('clicks_recsys', exact => true)));
same_on_standby('1', 'after many writers');
check_clean($primary, 'clicks_recsys', 'check_index');

# a list with many chain pages: its newest entries count, after VACUUM, too
$primary->safe_psql('postgres', q(INSERT INTO clicks SELECT 3000000 + n, 1 FROM generate_series(1, 60000) n));
$primary->safe_psql('postgres', q(INSERT INTO clicks SELECT 4000000 + n, i FROM generate_series(1, 300) n, unnest(ARRAY[1, 601]) i));
is(after($primary, '1', 1), '601', 'the newest of an item with many clicks');
$primary->safe_psql('postgres', 'DELETE FROM clicks WHERE session_id % 3 = 1');
$primary->safe_psql('postgres', 'VACUUM clicks');
is(after($primary, '1', 1), '601', 'after VACUUM');
same_on_standby('1', 'a long list');
$primary->safe_psql('postgres', 'REINDEX INDEX clicks_recsys');
is(after($primary, '1', 1), '601', 'after REINDEX');
same_on_standby('1', 'after REINDEX');

$writer->quit;
$reader->quit;
$standby->promote;
is(after($standby, '1', 1), '601', 'promoted');
done_testing();
