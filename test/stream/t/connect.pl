# The ways of doc/ingest.md that go through Kafka Connect, with the page's own configuration.
#
# A JDBC sink delivers at least once: a worker that is killed writes again what came since it last committed
# its offsets.  With the event's id as the key that makes no difference; without one every such event is there
# twice.  And Debezium reads a shop's tables into a topic, of which a stream makes a table that follows them,
# through kills of both.
use strict;
use warnings;

use JSON::PP;
use KafkaBroker;
use KafkaConnect;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StreamTest;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'no Kafka Connect: ' . KafkaConnect::why_not() if KafkaConnect::why_not();

my $page = slurp_file("$ENV{RECSYS_TREE}/doc/ingest.md");

# The blocks of a language below a heading of the page
sub blocks
{
	my ($heading, $language) = @_;
	my ($section) = "$page\n## " =~ /^## \Q$heading\E\n(.*?)(?=^## )/ms;
	my @found;

	while ($section =~ /^```(\w*)\n(.*?)^```/gms)
	{
		push @found, $2 if $1 eq $language;
	}
	return @found;
}

my $node = stream_node('connect', 'wal_level = logical', "listen_addresses = '127.0.0.1'");
my $broker = KafkaBroker->new('connect')->start;

# ---- a JDBC sink
my ($table) = $page =~ /^```sql\n(.*?)^```/ms;
shop($node, $table);
shop($node, $_) for grep { /TRIGGER/ } blocks('Kafka Connect', 'sql');
shop($node, q(
	CREATE TABLE keyless (event_id uuid, user_id bigint, product_id bigint, viewed_at timestamptz);
	CREATE TABLE by_offset (LIKE keyless, __connect_topic text, __connect_partition integer, __connect_offset bigint,
		PRIMARY KEY (__connect_topic, __connect_partition, __connect_offset))));
sql($node, q(
	CREATE ROLE collector LOGIN;
	GRANT INSERT, UPDATE, SELECT ON page_views, keyless, by_offset TO collector));
my $sink = decode_json((blocks('Kafka Connect', ''))[0]);
my $url = 'jdbc:postgresql://127.0.0.1:' . $node->port . '/postgres';

# sink NAME, CHANGES: the page's sink with some other settings
sub sink
{
	my ($name, %changes) = @_;
	my %config = (%{ $sink->{config} }, 'connection.url' => $url, %changes);

	delete $config{$_} for grep { !defined $config{$_} } keys %config;
	return { name => $name, config => \%config };
}

my $schema = '{"type": "struct", "optional": false, "fields": [
	{"field": "event_id", "type": "string", "name": "io.debezium.data.Uuid"}, {"field": "user_id", "type": "int64", "optional": true},
	{"field": "product_id", "type": "int64", "optional": true}, {"field": "viewed_at", "type": "string", "name": "io.debezium.time.ZonedTimestamp"}]}';
$schema =~ s/\n\t*//g;

sub event
{
	my ($n) = @_;

	return { key => $n % 100, value => sprintf('{"schema": %s, "payload": {"event_id": "00000000-0000-4000-8000-%012d", "user_id": %d, "product_id": %s, '
			. '"viewed_at": "2026-01-01T00:00:%02dZ"}}', $schema, $n < 0 ? 999999 : $n, $n % 100, $n < 0 ? 'null' : $n * $n % 37, $n % 60) };
}

my $truth = q(SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n %% 100, n * n %% 37, '2026-01-01Z'::timestamptz + n %% 60 * interval '1 second'
	FROM generate_series(0, %d) n);
my $views = 'event_id, user_id, product_id, viewed_at';

sub count { return sql($node, "SELECT count(*), count(DISTINCT event_id) FROM $_[0]") }

sub same_events
{
	my ($table, $last, $name) = @_;
	my $truth = sprintf $truth, $last;

	is(sql($node, "SELECT count(*) FROM ((SELECT $views FROM $table EXCEPT ALL $truth) UNION ALL ($truth EXCEPT ALL SELECT $views FROM $table)) x"), '0', $name);
}

my $connect = KafkaConnect->new($broker, 'offset.flush.interval.ms' => 600000);
$broker->create_topic('shop.views', 2);
$broker->create_topic('shop.other', 1);
$broker->send('shop.views', map { event($_) } 0 .. 2999);
$connect->start(
	sink('page-views'),
	sink('keyless', 'collection.name.format' => 'public.keyless', 'insert.mode' => 'insert', 'primary.key.mode' => 'none', 'primary.key.fields' => undef),
	sink('by-offset', 'collection.name.format' => 'public.by_offset', 'primary.key.mode' => 'kafka', 'primary.key.fields' => undef));
ok(wait_for_rows($node, 3000, $_, 120), "the sink writes $_") for 'page_views', 'keyless', 'by_offset';
same_events('page_views', 2999, 'all events are there');
$connect->kill9;
$connect->start;
ok(wait_until($node, 'SELECT count(*) > 3000 FROM keyless', 't', 120), 'a worker that was killed delivers again');
$broker->send('shop.views', map { event($_) } 3000 .. 5999);
ok(wait_until($node, 'SELECT count(DISTINCT event_id) > 3000 FROM keyless', 't', 120), 'more events');
$connect->kill9;
$connect->start;
ok(wait_until($node, "SELECT count(DISTINCT event_id) FROM $_", '6000', 120), "$_: none is lost") for 'page_views', 'keyless', 'by_offset';
# what is last in the topic, with the last repetition
$broker->send('shop.views', map { event($_) } 6000 .. 6199);
ok(wait_until($node, 'SELECT count(DISTINCT event_id) FROM keyless', '6200', 60), 'repetitions have ended') and sleep 1;
ok(wait_until($node, 'SELECT count(*) FROM page_views', '6200', 60), 'page_views is at the end');
ok(wait_until($node, 'SELECT count(*) FROM by_offset', '6200', 60), 'by_offset, too');
same_events('page_views', 6199, 'with the event as key each is there once');
same_events('by_offset', 6199, 'with its place in the topic as key each is there once');
my ($rows, $events) = split /\|/, count('keyless');
cmp_ok($rows, '>', $events + 2999, "without a key there are $rows rows of $events events");
sql($node, q(SELECT recsys.merge('page_views_recsys')));
# what a killed worker's transactions had inserted is counted, too, a few hundred rows; repetitions are 3000 at least
cmp_ok(sql($node, q(SELECT changes FROM recsys.index_stats WHERE index_name = 'page_views_recsys')), '<', 6200 + 3000, 'repetitions are no work for the index');
$broker->send('shop.views', event(1));
ok(wait_until($node, 'SELECT count(*) FROM by_offset', '6201', 60), 'the place in the topic does not know what the producer sends twice');
is(sql($node, 'SELECT count(*) FROM page_views'), '6200', 'the id does');

# What stops a sink.  A task tells of it when it is called the next time, with the next message.
sub fails
{
	my ($connector, $topic, $message, $name) = @_;
	my $state = '';

	for (1 .. 30)
	{
		$broker->send($topic, $message);
		last if ($state = $connect->wait_for($connector, qr/FAILED/, 2)) =~ /FAILED/;
	}
	like($state, qr/^FAILED/, $name);
}

fails('page-views', 'shop.views', event(-1), 'a row that the table refuses stops the task');
is(sql($node, 'SELECT count(*) FROM page_views'), '6200', '... and is not there');
$connect->stop;
$connect->start(sink('plain', 'topics' => 'shop.other', 'value.converter.schemas.enable' => 'false'));
fails('plain', 'shop.other', { key => 'k', value => '{"event_id": "00000000-0000-4000-8000-000000009999", "user_id": 1}' }, 'so does JSON without a schema');
$connect->stop;

# ---- Debezium, and a stream of its changes
my ($mirror) = grep { /create_stream/ } blocks('Change events of Debezium', 'sql');
my $purchases = ($mirror =~ /(CREATE TABLE shop_purchases.*?;\n)/s)[0] =~ s/shop_purchases/purchases/r;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
sub in_shop { return $node->safe_psql('shop', $_[0]) }
in_shop($purchases);
in_shop(q(
	INSERT INTO purchases SELECT n, n % 60, n * n % 41, 1 + n % 3, '2026-01-01'::timestamptz + n * interval '1.000001 seconds' FROM generate_series(1, 500) n;
	CREATE PUBLICATION debezium FOR TABLE purchases));
$broker->create_topic('shop.public.purchases', 3);
my $source = decode_json((grep { /PostgresConnector/ } blocks('Change events of Debezium', ''))[0]);
%{ $source->{config} } = (%{ $source->{config} }, 'database.hostname' => '127.0.0.1', 'database.port' => $node->port . '',
	'database.user' => $node->safe_psql('postgres', 'SELECT current_user'));
my $brokers = $broker->brokers;
my $config = StreamTest::literal(StreamTest::stream_config());
$mirror =~ s/kafka1:9092/$brokers/;
$mirror =~ s/tombstones => 'delete'/tombstones => 'delete', config => $config/;
shop($node, $mirror);

sub eventually
{
	my ($true) = @_;
	my $deadline = time + 60;

	sleep 0.1 while !$true->() && time < $deadline;
	return $true->();
}

my $digest = q(SELECT count(*), sum(hash_record_extended(t, 0)::numeric) FROM %s t);
sub follows
{
	my ($name) = @_;
	my $expected = in_shop(sprintf $digest, 'purchases');

	ok(wait_until($node, (sprintf $digest, 'shop_purchases'), $expected, 120), $name);
	return $expected;
}

my $debezium = KafkaConnect->new($broker, 'offset.flush.interval.ms' => 1000);
$debezium->start($source);
my $program = start_program($node, arguments => [ '--stream', 'purchases' ]);
follows('what was there at first');
in_shop(q(
	INSERT INTO purchases SELECT n, n % 60, n * n % 41, 1, now() FROM generate_series(501, 700) n;
	UPDATE purchases SET quantity = 5 WHERE purchase_id % 7 = 1;
	DELETE FROM purchases WHERE purchase_id % 5 = 2;
	UPDATE purchases SET purchase_id = purchase_id + 10000 WHERE purchase_id % 11 = 3;
	INSERT INTO purchases VALUES (20000, 61, 1, 1, now());
	UPDATE purchases SET quantity = 2 WHERE purchase_id = 20000;
	DELETE FROM purchases WHERE purchase_id = 20000;
	INSERT INTO purchases VALUES (20000, 61, 2, 7, now()), (20001, 61, 3, 1, now());
	DELETE FROM purchases WHERE purchase_id = 20001));
follows('changes, deletions, changed keys');
is(sql($node, q(SELECT string_agg(purchase_id || ':' || quantity, ' ') FROM shop_purchases WHERE user_id = 61)), '20000:7', 'a row that came, changed, went and came again');
sql($node, q(SELECT recsys.merge('shop_purchases_recsys')));
like(sql($node, q(SELECT string_agg(DISTINCT source, ',') FROM recommend(3, 5, 'shop_purchases_recsys'))), qr/history/, 'lists are made of it');
# without them it would copy the table anew, and what was deleted meanwhile would stay
ok(eventually(sub { $debezium->has_offsets }), 'Debezium has written down how far it is');
for my $round (1 .. 2)
{
	in_shop(qq(
		INSERT INTO purchases SELECT n, n % 60, n * n % 41, 1, now() FROM generate_series(30000 + $round * 1000, 30299 + $round * 1000) n;
		UPDATE purchases SET quantity = quantity + 1 WHERE purchase_id % 3 = $round;
		DELETE FROM purchases WHERE purchase_id % 13 = $round));
	$round == 1 ? $program->kill9 : $program->kill9_child(0);
	$debezium->kill9;
	in_shop('UPDATE purchases SET quantity = quantity + 1 WHERE purchase_id % 17 = 4; DELETE FROM purchases WHERE purchase_id = 500 - ' . $round);
	$debezium->start;
	$program = start_program($node, arguments => [ '--stream', 'purchases' ]) if $round == 1;
	follows("kills, round $round");
}
is(sql($node, q(SELECT errors, state FROM recsys.streams WHERE stream = 'purchases')), '0|running', 'no message was rejected');
shop($node, q(SELECT recsys.pause_stream('purchases')));
shop($node, q(TRUNCATE shop_purchases; SELECT recsys.seek_stream('purchases', at => '2000-01-01'), recsys.resume_stream('purchases')));
follows('read again from the first change into an empty table');
is($program->stop, 0, 'the program ends');

done_testing();
