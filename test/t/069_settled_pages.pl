# A session remembers pages of a table that was never vacuumed, all of whose rows it has seen.  What
# others, and the session itself, do to these pages afterwards counts all the same, for the
# snapshot that asks, be it newer or older than what is remembered.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', 'autovacuum = off', 'max_prepared_transactions = 4', 'client_min_messages = error');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

my ($users, $items) = (10, 200);

$node->safe_psql('postgres', qq(
	CREATE SEQUENCE days;
	CREATE TABLE clicks (id bigserial, user_id bigint, item_id bigint, at timestamptz DEFAULT '1990-01-01'::timestamptz + nextval('days') * interval '2 days');
	INSERT INTO clicks (user_id, item_id) SELECT 1 + n % $users, 1 + n * 7 % $items FROM generate_series(1, 2000) n;
	CREATE INDEX clicks_recsys ON clicks USING recsys (user_id, item_id, (1), at) WITH (min_support = 1);
	SELECT count(*) FROM clicks;));

# Rows that only one of the two has
my $difference = qq(WITH listed AS (SELECT u::bigint, v.item_id, v.last_at, v.times FROM generate_series(1, $users) u, recently_viewed(u::bigint, NULL, 'clicks_recsys') v),
	counted AS (SELECT user_id, item_id, max(at), count(*)::integer FROM clicks GROUP BY 1, 2)
	SELECT count(*) FROM ((TABLE listed EXCEPT TABLE counted) UNION ALL (TABLE counted EXCEPT TABLE listed)) d);
my $rows = 'SELECT sum(times) FROM recently_viewed(3::bigint, NULL)';

my $reader = $node->background_psql('postgres', on_error_stop => 1);
my $writer = $node->background_psql('postgres', on_error_stop => 1);

# Until all pages that can be are remembered
sub remember { $reader->query_safe($difference) foreach 1 .. 3; }

sub same
{
	my ($name) = @_;

	is($reader->query_safe($difference), '0', $name);
	remember();
	is($reader->query_safe($difference), '0', "$name, remembered");
}

same('rows that were inserted');

$writer->query_safe('BEGIN; DELETE FROM clicks WHERE id % 90 = 1');
same('deletes under way');
$writer->query_safe('COMMIT');
same('deletes that are committed');
$writer->query_safe('BEGIN; DELETE FROM clicks WHERE id % 90 = 2; ROLLBACK');
same('deletes that are rolled back');
$writer->query_safe('BEGIN; SELECT count(*) FROM (SELECT FROM clicks WHERE id % 90 = 3 FOR UPDATE) s');
same('rows that are locked');
$writer->query_safe('COMMIT');
same('and no longer');

# Rows of others on the last page
$writer->query_safe('BEGIN; INSERT INTO clicks (user_id, item_id) SELECT 3, n FROM generate_series(1, 7) n');
same('inserts under way');
$writer->query_safe('COMMIT');
same('inserts that are committed');
$writer->query_safe('BEGIN; INSERT INTO clicks (user_id, item_id) SELECT 3, n FROM generate_series(1, 7) n; ROLLBACK');
same('inserts that are rolled back');

# Own changes, as of the command that looks
my $before = $reader->query_safe($rows);
is($reader->query_safe("BEGIN; DELETE FROM clicks WHERE user_id = 3; $rows"), '', 'own deletes');
is($reader->query_safe("ROLLBACK; $rows"), $before, 'undone');
is($reader->query_safe("BEGIN; INSERT INTO clicks (user_id, item_id) SELECT 3, n FROM generate_series(1, 9) n; $rows"), $before + 9, 'own inserts');
is($reader->query_safe("ROLLBACK; $rows"), $before, 'undone, too');

# A snapshot that is older than what is remembered
$reader->query_safe("BEGIN; DECLARE old CURSOR FOR $rows");
$writer->query_safe('INSERT INTO clicks (user_id, item_id) SELECT 3, n FROM generate_series(1, 5) n');
remember();
is($reader->query_safe($rows), $before + 5, 'a new snapshot');
is($reader->query_safe('FETCH old'), $before, 'and an old one, of a cursor');
$reader->query_safe('COMMIT');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$writer->query_safe('DELETE FROM clicks WHERE user_id = 3 AND id % 3 = 0');
same('rows of an old snapshot, that have been deleted');
is($reader->query_safe($rows), $before + 5, 'all of them');
$reader->query_safe('COMMIT');
same('and those of now');

# Prepared transactions are under way
$writer->query_safe(q(BEGIN; DELETE FROM clicks WHERE id % 90 = 4; PREPARE TRANSACTION 'later'));
same('what is prepared');
$writer->query_safe(q(COMMIT PREPARED 'later'));
same('and committed');

# The same numbers of rows elsewhere: storage of before is none that counts
foreach my $anew ('VACUUM clicks', 'VACUUM FULL clicks', 'TRUNCATE clicks; INSERT INTO clicks (user_id, item_id) SELECT 1 + n % 10, 1 + n % 50 FROM generate_series(1, 900) n', 'REINDEX TABLE clicks')
{
	$writer->query_safe($anew);
	same($anew);
}

# An old transaction's rows, frozen since
$writer->query_safe('DELETE FROM clicks WHERE id % 5 = 0; VACUUM (FREEZE) clicks; INSERT INTO clicks (user_id, item_id) SELECT 1 + n % 10, 1 + n % 50 FROM generate_series(1, 400) n');
same('frozen rows, and new ones in their place');

# On a standby, as far as it has come
$node->wait_for_catchup($standby);
my $other = $standby->background_psql('postgres', on_error_stop => 1);
$other->query_safe($difference) foreach 1 .. 3;
$node->safe_psql('postgres', 'DELETE FROM clicks WHERE id % 7 = 1; INSERT INTO clicks (user_id, item_id) SELECT 1 + n % 10, 1 + n % 50 FROM generate_series(1, 30) n');
$node->wait_for_catchup($standby);
is($other->query_safe($difference), '0', 'a standby');
is($other->query_safe($rows), $node->safe_psql('postgres', $rows), 'which answers as the primary does');

# Tables without a log have no LSN to go by
$node->safe_psql('postgres', 'DROP INDEX clicks_recsys; ALTER TABLE clicks SET UNLOGGED; CREATE INDEX clicks_recsys ON clicks USING recsys (user_id, item_id, (1), at) WITH (min_support = 1)');
same('a table that is not logged');
$writer->query_safe('DELETE FROM clicks WHERE id % 11 = 1');
same('nor are deletes from it');
check_clean($node, 'clicks_recsys', 'the index is sound');

$_->quit foreach $reader, $writer, $other;
$standby->stop;
$node->stop;
done_testing();
