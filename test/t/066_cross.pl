# What events of one kind say about those of another: the same answers on a standby, read only and
# under a snapshot; a call that is cancelled stops at once, wherever it is; with little memory the
# events go to temporary files, which are gone afterwards.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('primary');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', <<'SQL');
CREATE TABLE views (user_id bigint, item text);
CREATE TABLE purchases (user_id bigint, item_id bigint, quantity integer);
INSERT INTO views SELECT (random() * 2000)::int, 'v' || (random() ^ 2 * 800)::int FROM generate_series(1, 60000);
INSERT INTO purchases SELECT (random() * 2000)::int, (random() ^ 2 * 500)::int, 1 + n % 3 FROM generate_series(1, 20000) n;
CREATE INDEX views_recsys ON views USING recsys (user_id, item);
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id, quantity);
SQL

my $call = q(cross_similarity('views_recsys', 'purchases_recsys', NULL::text, NULL::bigint));
my $pairs = qq(SELECT md5(string_agg(x::text, ' ' ORDER BY item_id, rank)), count(*) FROM $call x);

sub compare
{
	my ($name) = @_;
	my $expected = $primary->safe_psql('postgres', $pairs);

	$primary->wait_for_catchup($standby);
	is($standby->safe_psql('postgres', $pairs), $expected, "$name: the same on the standby");
	is($standby->safe_psql('postgres', "SET maintenance_work_mem = '1MB'; $pairs"), $expected, "$name: the same with little memory");
	return $expected;
}

my $first = compare('built');
like($first, qr/\|[1-9]\d{4}/, 'there are pairs');
is($primary->safe_psql('postgres', "BEGIN READ ONLY; $pairs; COMMIT"), $first, 'read only');

# a snapshot sees what it saw, whatever comes
my $reader = $primary->background_psql('postgres', on_error_stop => 1);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($reader->query_safe($pairs), $first, 'in a snapshot');
$primary->safe_psql('postgres', <<'SQL');
INSERT INTO views SELECT n % 2000, 'new' || n % 50 FROM generate_series(1, 5000) n;
INSERT INTO purchases SELECT n % 2000, 1000 + n % 40, 2 FROM generate_series(1, 5000) n;
DELETE FROM purchases WHERE user_id % 3 = 1;
SQL
my $second = compare('changed');
isnt($second, $first, 'changes are seen');
is($reader->query_safe($pairs), $first, 'but not by that snapshot');
$primary->safe_psql('postgres', q(SELECT recsys.merge('views_recsys'), recsys.merge('purchases_recsys')));
is(compare('merged'), $second, 'a merge changes nothing');
is($reader->query_safe($pairs), $first, 'nor for that snapshot');
$reader->query_safe('COMMIT');
$reader->quit;
$primary->safe_psql('postgres', 'VACUUM views, purchases');
is(compare('vacuumed'), $second, 'nor does VACUUM');

# a long call is cancelled at once, whichever part of it is under way
$primary->safe_psql('postgres', <<'SQL');
CREATE TABLE busy AS SELECT u AS user_id, (random() * 3000)::int AS item_id FROM generate_series(1, 3000) u, generate_series(1, 500);
CREATE INDEX busy_recsys ON busy USING recsys (user_id, item_id);
SQL
foreach my $memory ('64MB', '12MB')
{
	foreach my $timeout (5, 50, 200, 600, 1200)
	{
		my ($code, $error, $seconds) = timed($primary, qq(
			SET maintenance_work_mem = '$memory'; SET statement_timeout = $timeout;
			SELECT count(*) FROM cross_similarity('busy_recsys', 'busy_recsys', 'log_likelihood', 500, min_support => 1);));

		# a fast machine may be done; on a busy one everything takes longer
		ok($code == 0 || $error =~ /canceling statement due to statement timeout/, "$memory: cancelled after $timeout ms") or diag($error);
		cmp_ok($seconds, '<', $timeout / 1000 + 0.5, '... at once') if $code != 0;
	}
}
is($primary->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary file is left');

$standby->stop;
$primary->stop;
done_testing();
