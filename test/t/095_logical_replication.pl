# Another PostgreSQL sends purchases by logical replication into a table with an index of recsys: the
# initial copy, live changes, and a subscriber and a publisher that are killed.  Every change is there
# once, since the subscriber keeps how far it is (its replication origin) in the transaction of the
# change.  The publisher knows nothing of recsys.  What doc/ingest.md says of replica identities,
# row filters, and rows that the subscriber refuses is true.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
plan(skip_all => 'the manual is not beside the tests') unless -f "$root/doc/ingest.md";

# The page's statements, for the shop and for the server with recsys
my ($section) = slurp_file("$root/doc/ingest.md") =~ /^## Another PostgreSQL\n(.*?)^## /ms;
my ($publish, $subscribe, $publish_events) = $section =~ /^```\n(.*?)^```/gms;
my ($create_table, $create_subscription, $look, $create_index) = split /(?<=;)\n/, $subscribe;

my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my $digest = 'SELECT count(*), sum(hash_record_extended(t, 0)::numeric) FROM %s t';

my $shop = PostgreSQL::Test::Cluster->new('shop');
init_node($shop, allows_streaming => 'logical');
$shop->append_conf('postgresql.conf', "autovacuum = off\nlog_statement = none\nmax_wal_senders = 10\nmax_replication_slots = 10\n");
$shop->start;

my $recs = new_node('recs', "max_logical_replication_workers = 8\nwal_retrieve_retry_interval = '100ms'\nlog_min_messages = warning");

sub shop { return $shop->safe_psql('postgres', $_[0]) }
sub recs { return $recs->safe_psql('postgres', $_[0]) }

# All tables of a subscription are copied
sub copied
{
	my ($subscription) = @_;

	return $recs->poll_query_until('postgres', qq(
		SELECT count(*) > 0 AND bool_and(r.srsubstate = 'r')
		FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE s.subname = '$subscription'));
}

# What the publisher has committed is applied: its flush position is confirmed.  Survives restarts on
# either side, unlike a wait by the name of the walsender.
sub caught_up
{
	my ($subscription) = @_;
	my $lsn = shop('SELECT pg_current_wal_lsn()');

	return $shop->poll_query_until('postgres', qq(
		SELECT confirmed_flush_lsn >= '$lsn' FROM pg_replication_slots WHERE slot_name = '$subscription'));
}

sub same_rows
{
	my ($table, $name) = @_;
	my $rows = shop(sprintf $digest, $table);

	is(recs(sprintf $digest, $table), $rows, "$name: the same rows");
	return $rows;
}

shop($create_table);
shop(q(
	CREATE SEQUENCE ids;
	ALTER TABLE purchases ALTER purchase_id SET DEFAULT nextval('ids');
	INSERT INTO purchases (user_id, product_id, quantity, purchased_at)
	SELECT 1 + floor(400 * random() * random()), 1 + floor(250 ^ random()), 1 + floor(3 * random()), '2024-01-01'::timestamptz + 365 * random() * interval '1 day'
	FROM generate_series(1, 8000)));
shop($publish);

# An index that is there before the rows are, and the one that the page tells to make: afterwards
recs($create_table);
recs("CREATE INDEX early_recsys ON $columns");
my $there = $shop->connstr('postgres');
(my $connected = $create_subscription) =~ s/CONNECTION '[^']*'/CONNECTION \$c\$$there\$c\$/;
recs($connected);
ok(copied('purchases'), 'the initial copy ends');
is(recs($look), 'purchases|r', '... and that shows');
recs($create_index);
# so that it can be compared with a new one: a model that is chosen may be another one then
recs($_) for 'ALTER INDEX purchases_recsys SET (similarity = cosine)', 'REINDEX INDEX purchases_recsys';
same_rows('purchases', 'initial copy');
equals_new_index($recs, 'early_recsys', $columns, 'copied into an index');
recs('DROP INDEX early_recsys');
equals_new_index($recs, 'purchases_recsys', $columns, 'an index built after the copy');

# Live changes
shop(q(
	INSERT INTO purchases (user_id, product_id, quantity, purchased_at) SELECT 700, 1 + n, 1, now() FROM generate_series(1, 5) n;
	UPDATE purchases SET quantity = 3 WHERE user_id % 5 = 1;
	UPDATE purchases SET product_id = product_id + 1 WHERE user_id % 11 = 2;
	DELETE FROM purchases WHERE user_id % 7 = 3));
ok(caught_up('purchases'), 'changes are applied');
same_rows('purchases', 'changes');
is(recs(q(SELECT count(*) FROM recommend(700, 5, 'purchases_recsys') WHERE source = 'history')), '5', 'who has just bought for the first time has a list of it');
is(recs(q(SELECT string_agg(item_id::text, ',') FROM recommend(700, NULL::integer, 'purchases_recsys') WHERE item_id BETWEEN 2 AND 6)), '', '... without what was bought');
shop('DELETE FROM purchases WHERE user_id = 700');
ok(caught_up('purchases'), 'a deletion is applied');
is(recs(q(SELECT count(*) FROM recommend(700, 5, 'purchases_recsys') WHERE source = 'history')), '0', '... and the user is unknown again');
equals_new_index($recs, 'purchases_recsys', $columns, 'changes');

# Kills.  Rows never come a second time: their key would say so, and plain inserts would be more.
my $log = -s $recs->logfile;
my $writers = start_pgbench($shop, 2,
	[ q(INSERT INTO purchases (user_id, product_id, quantity, purchased_at) SELECT 1 + floor(400 * random()), 1 + floor(250 ^ random()), 1, now() FROM generate_series(1, 5);), 6 ],
	[ q(UPDATE purchases SET quantity = 2 WHERE purchase_id = 1 + floor(8000 * random())::bigint;), 2 ],
	[ q(DELETE FROM purchases WHERE purchase_id = 1 + floor(8000 * random())::bigint;), 1 ]);
for my $round (1 .. 4)
{
	sleep 0.3 + 0.4 * rand;
	kill_server($recs);
	$recs->start;
	# and the process that applies, alone
	recs(q(SELECT pg_terminate_backend(pid) FROM pg_stat_subscription WHERE pid IS NOT NULL));
}
$writers->kill_kill;
ok(caught_up('purchases'), 'a subscriber that was killed four times catches up');
my $rows = same_rows('purchases', 'kills of the subscriber');
note("rows and their sum: $rows");
equals_new_index($recs, 'purchases_recsys', $columns, 'kills of the subscriber');
is(recs(q(SELECT count(*) > 0 FROM pg_replication_origin_status WHERE remote_lsn <> '0/0')), 't', 'the subscriber knows how far it is');

$writers = start_pgbench($shop, 2,
	[ q(INSERT INTO purchases (user_id, product_id, quantity, purchased_at) SELECT 1 + floor(400 * random()), 1 + floor(250 ^ random()), 1, now() FROM generate_series(1, 5);), 1 ]);
sleep 0.5;
kill_server($shop);
$writers->kill_kill;
$shop->start;
ok(caught_up('purchases'), 'a publisher that was killed goes on');
same_rows('purchases', 'kill of the publisher');
unlike(substr(slurp_file($recs->logfile), $log), qr/duplicate key/, 'nothing was sent twice');

# TRUNCATE
shop('TRUNCATE purchases');
ok(caught_up('purchases'), 'TRUNCATE is applied');
is(recs(q(SELECT count(*) FROM purchases)), '0', '... and the table is empty');
is(recs(q(SELECT count(*) FROM popular_items(5, 'purchases_recsys'))), '0', '... as its index is');
check_clean($recs, 'purchases_recsys', 'check_index after TRUNCATE');

# Replica identities: clicks have no key
my $clicks = 'CREATE TABLE clicks (user_id bigint, product_id bigint, clicked_at timestamptz, page text)';
shop("$clicks; INSERT INTO clicks SELECT n % 50, n * n % 37, '2024-01-01'::timestamptz + n * interval '1 minute', 'p' || n FROM generate_series(1, 1000) n;
	CREATE PUBLICATION clicks FOR TABLE clicks");
recs($clicks);
recs(sprintf q(CREATE SUBSCRIPTION clicks CONNECTION $c$%s$c$ PUBLICATION clicks), $shop->connstr('postgres'));
ok(copied('clicks'), 'a table without a key is copied');
recs('CREATE INDEX clicks_recsys ON clicks USING recsys (user_id, product_id, clicked_at)');
shop(q(INSERT INTO clicks VALUES (1, 1, '2024-06-01', 'new'), (1, 1, '2024-06-01', 'new')));
ok(caught_up('clicks'), '... and new rows come without one');
same_rows('clicks', 'no key');
my ($status, undef, $error) = $shop->psql('postgres', 'DELETE FROM clicks WHERE page = \'new\'');
isnt($status, 0, 'the publisher refuses a DELETE');
like($error, qr/cannot delete from table "clicks" because it does not have a replica identity and publishes deletes/, '... and says why');
shop('ALTER TABLE clicks REPLICA IDENTITY FULL');
shop(q(DELETE FROM clicks WHERE ctid = (SELECT min(ctid) FROM clicks WHERE page = 'new'); UPDATE clicks SET product_id = 2 WHERE page = 'p7'));
ok(caught_up('clicks'), 'with REPLICA IDENTITY FULL it is sent');
same_rows('clicks', 'the whole row as identity');
is(recs(q(SELECT count(*) FROM clicks WHERE page = 'new')), '1', 'of equal rows one is deleted');
check_clean($recs, 'clicks_recsys', 'check_index, rows found by the whole row');

# Old rows are deleted in the shop and stay here
shop(q(ALTER PUBLICATION clicks SET (publish = 'insert'); ALTER TABLE clicks REPLICA IDENTITY DEFAULT));
shop(q(DELETE FROM clicks WHERE page LIKE 'p%'; INSERT INTO clicks VALUES (2, 5, '2024-06-02', 'later')));
ok(caught_up('clicks'), 'publish = insert');
is(recs(q(SELECT count(*) FROM clicks)), '1002', 'deletions stay in the shop');

# Only some rows, and only some columns
my $events = 'CREATE TABLE events (event_id bigint PRIMARY KEY, user_id bigint, product_id bigint, kind text, happened_at timestamptz';
shop("$events, address text, consent boolean NOT NULL DEFAULT false)");
shop(q(INSERT INTO events SELECT n, n % 20, n % 7, (ARRAY['view', 'cart', 'search'])[1 + n % 3], '2024-01-01', 'where ' || n, n % 2 = 0 FROM generate_series(1, 600) n));
shop($publish_events);
recs("$events)");
recs(sprintf q(CREATE SUBSCRIPTION events CONNECTION $c$%s$c$ PUBLICATION events WITH (disable_on_error = true)), $shop->connstr('postgres'));
ok(copied('events'), 'some rows and columns are copied');
shop(q(INSERT INTO events VALUES (1001, 1, 1, 'view', '2024-02-01', 'home', true), (1002, 1, 1, 'view', '2024-02-01', 'home', false), (1003, 1, 1, 'search', '2024-02-01', 'home', true)));
ok(caught_up('events'), '... and sent');
is(recs(q(SELECT count(*), max(event_id) FROM events)), shop(q(SELECT count(*), max(event_id) FROM events WHERE consent AND kind <> 'search')), 'only with consent, and no searches');

# A row that the subscriber refuses stops it, until it is skipped
recs(q(INSERT INTO events VALUES (2000, 9, 9, 'view', '2024-03-01')));
shop(q(INSERT INTO events VALUES (2000, 1, 1, 'view', '2024-03-01', 'home', true)));
shop(q(INSERT INTO events VALUES (2001, 1, 1, 'view', '2024-03-01', 'home', true)));
ok($recs->poll_query_until('postgres', q(SELECT NOT subenabled FROM pg_subscription WHERE subname = 'events')), 'a row that the target refuses disables the subscription');
is(recs(q(SELECT apply_error_count >= 1 FROM pg_stat_subscription_stats WHERE subname = 'events')), 't', '... is counted');
my ($finished) = slurp_file($recs->logfile) =~ /.*finished at ([0-9A-F]+\/[0-9A-F]+)/s;
ok(defined $finished, '... and the log says where it is');
recs("ALTER SUBSCRIPTION events SKIP (lsn = '$finished'); ALTER SUBSCRIPTION events ENABLE");
ok(caught_up('events'), 'skipped, it goes on');
is(recs(q(SELECT string_agg(user_id::text, ',' ORDER BY event_id) FROM events WHERE event_id >= 2000)), '9,1', '... with what came after it');

recs("DROP SUBSCRIPTION $_") for 'purchases', 'clicks', 'events';
is(shop('SELECT count(*) FROM pg_replication_slots'), '0', 'nothing is left at the publisher');

done_testing();
