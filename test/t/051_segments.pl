# Lists of a declared recommender beside what else goes on: readers see the old lists or
# the new ones, refreshes wait for each other, one that dies or is cancelled half-way has
# not been, a standby serves them, and a dump leaves them out.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $primary = new_node('primary', 'restart_after_crash = on', 'client_min_messages = warning');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', q(
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, is_fraud boolean);
	INSERT INTO customers SELECT c, 'L' || c % 20, c % 30 = 0 FROM generate_series(1, 400) c;
	CREATE TABLE products (product_id bigint PRIMARY KEY, category text);
	INSERT INTO products SELECT p, 'c' || p % 8 FROM generate_series(1, 60) p;
	CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
	INSERT INTO purchases SELECT 1 + abs(hashint4(n)) % 400, 1 + (abs(hashint4(n * 3 + 1)) % 60) * (abs(hashint4(n + 70000)) % 60) / 60, 1, now() - n * interval '1 hour'
		FROM generate_series(1, 5000) n;
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', category => 'category',
		profiles => 'customers', profile_key => 'customer_id', segment => 'country', exclude_users => 'is_fraud', min_users => 3);
	SELECT recsys.refresh_recommender('home');));

# What newcomers of all countries get, and all that is stored
my $newcomers = q(SELECT country, array_agg(item_id ORDER BY rank) FROM (SELECT 10000 + n AS id, 'L' || n AS country FROM generate_series(0, 19) n) u,
	LATERAL popular_items(10, 'home', segment => country) p GROUP BY 1 ORDER BY 1);
my $stored = q(SELECT recommender, kind, value, items, users FROM recsys.popularity WHERE value <> 'excluded_pairs' ORDER BY 1, 2, 3;
	SELECT * FROM recsys.excluded_pairs ORDER BY 1, 2, 3);

sub served { return $_[0]->safe_psql('postgres', "$newcomers; SELECT c, r.* FROM generate_series(1, 400, 17) c, LATERAL recommend(c::bigint, 10, 'home') r ORDER BY 1, rank") }
sub stored { return $_[0]->safe_psql('postgres', $stored) }

# Something else has become popular.
sub change
{
	my ($product) = @_;

	$primary->safe_psql('postgres', "INSERT INTO purchases SELECT c, $product, 1, now() FROM generate_series(1, 400) c");
}

# The standby
$primary->wait_for_catchup($standby);
is(served($standby), served($primary), 'a standby serves the same lists');
is(stored($standby), stored($primary), 'and has the same');
my ($status, $stdout, $stderr) = $standby->psql('postgres', q(SELECT recsys.refresh_recommender('home')));
like($stderr, qr/cannot execute recsys.refresh_recommender\(\) during recovery/, 'a standby refreshes nothing');
is($standby->safe_psql('postgres', q(SELECT count(*) > 0 FROM recsys.customer_segments('home'))), 't', 'customer_segments on the standby');
is($standby->safe_psql('postgres', q(SELECT count(*) > 0 FROM recsys.audience('home', '60'))), 't', 'audience on the standby');

# A dump: the definition, and none of what is found out
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$primary->command_ok([ 'pg_dump', '-f', $dump, '-d', $primary->connstr('postgres') ], 'pg_dump');
my $text = slurp_file($dump);
like($text, qr/COPY recsys.recommender /, 'definitions are dumped');
unlike($text, qr/COPY recsys.(popularity|excluded_pairs)/, 'lists are not');
$primary->safe_psql('postgres', 'CREATE DATABASE restored');
$primary->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $primary->connstr('restored') ], 'restore');
is($primary->safe_psql('restored', 'SELECT count(*) FROM recsys.popularity'), '0', 'there are no lists in the restored database');
is($primary->safe_psql('restored', q(SELECT count(*) FROM recommend(99999::bigint, 10, 'home'))), '10', 'newcomers get something there');
$primary->safe_psql('restored', q(SELECT recsys.refresh_recommender('home')));
is($primary->safe_psql('restored', $stored), stored($primary), 'a refresh finds out the same');

# A cancelled refresh has not been.
change(60);
my $before = stored($primary);
foreach my $timeout (1, 3, 10, 20)
{
	$primary->psql('postgres', "SET statement_timeout = $timeout; SELECT recsys.refresh_recommender('home') FROM generate_series(1, 100)");
}
is(stored($primary), $before, 'cancelled refreshes leave the old lists');

SKIP:
{
	skip('the module was built without fault points (make RECSYS_FAULTS=1)', 9)
	  if $primary->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0';

	# Killed half-way
	my $offset = -s $primary->logfile;
	$primary->psql('postgres', q(LOAD 'recsys'; SET recsys.fault = 'refresh-list:kill:7'; SELECT recsys.refresh_recommender('home')));
	ok(is_back($primary, $offset), 'the server comes back from a refresh that was killed');
	is(stored($primary), $before, 'a refresh that was killed leaves the old lists');

	# Stopped half-way: readers see the old lists, another refresh waits
	my $old = served($primary);
	my $holder = $primary->background_psql('postgres', on_error_stop => 1);
	$holder->query_safe(q(SELECT pg_advisory_lock(hashtext('refresh-list' COLLATE "C"))));
	my $first = start_psql($primary, q(LOAD 'recsys'; SET recsys.fault = 'refresh-list:lock:7'; SELECT recsys.refresh_recommender('home')));
	my $waiting = sub { my $type = shift; return $primary->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = '$type' AND NOT granted") };
	ok($waiting->('advisory'), 'a refresh is stopped half-way');
	is(served($primary), $old, 'readers see the old lists meanwhile');
	my $second = start_psql($primary, q(SELECT recsys.refresh_recommender('home')));
	ok($waiting->('object'), 'another one waits');
	$holder->query_safe(q(SELECT pg_advisory_unlock(hashtext('refresh-list' COLLATE "C"))));
	ok(finish($first) && finish($second), 'both end');
	$holder->quit;
	isnt(served($primary), $old, 'readers see the new lists');
	my $after = stored($primary);
	$primary->safe_psql('postgres', q(SELECT recsys.refresh_recommender('home')));
	is(stored($primary), $after, 'as one more refresh makes them');
	$primary->wait_for_catchup($standby);
	is(served($standby), served($primary), 'the standby follows');
}

# Readers beside refreshes, one after the other: each answer is whole
my $readers = start_pgbench($primary, 3, [ q(SELECT 1 / (count(*) = 10)::int FROM recommend((random() * 500)::bigint, 10, 'home');), 5 ],
	[ q(SELECT 1 / (count(*) > 5)::int FROM popular_items(10, 'home', segment => 'L3');), 5 ]);
foreach my $round (1 .. 6)
{
	change(20 + $round);
	$primary->safe_psql('postgres', q(SELECT recsys.refresh_recommender('home')));
}
$readers->pump_nb;
ok($readers->pumpable, 'readers go on beside refreshes');
$readers->kill_kill;
unlike(slurp_file($primary->logfile), qr/ERROR:  division by zero/, 'with whole answers');

# What has been dropped is said.
$primary->safe_psql('postgres', 'ALTER TABLE customers RENAME country TO land');
($status, $stdout, $stderr) = $primary->psql('postgres', q(SELECT recsys.refresh_recommender('home')));
like($stderr, qr/ERROR:  column profiles\.country does not exist/, 'a column that is gone is named');
like($stderr, qr/CONTEXT:  "segment" of recommender "home"/, 'with the part of the recommender');
my ($call) = $stderr =~ /or do without: (.*);/;
$primary->safe_psql('postgres', $call);
is($primary->safe_psql('postgres', q(SELECT recsys.refresh_recommender('home') > 0)), 't', 'the call that the hint prints does without');

$standby->stop;
$primary->stop;
done_testing();
