# recsys-stream with a Kafka broker: what gets into tables of which messages, and what an owner does with a
# stream that runs.
use strict;
use warnings;

use IO::Socket::INET;
use KafkaBroker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RecsysTest;
use StreamTest;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'no Kafka broker: ' . KafkaBroker::why_not() if KafkaBroker::why_not();

my $node = stream_node('broker');
my $broker = KafkaBroker->new('broker')->start;
my ($status, $log);

# once NAME: the stream's topic is read to its end
sub once
{
	my ($stream) = @_;

	($status, $log) = run_program($node, arguments => [ '--once', '--stream', $stream ]);
	is($status, 0, "$stream: --once ends") or diag(substr($log, -2000));
}

sub errors
{
	my ($stream, $columns) = @_;

	return sql($node, "SELECT $columns FROM (SELECT * FROM recsys.stream_errors WHERE stream = '$stream' ORDER BY partition, message_offset) e");
}

# ---- JSON, whole
$broker->create_topic('clicks', 4);
my $sent = PostgreSQL::Test::Utils::tempdir() . '/sent';
$broker->produce('clicks', count => 20000, poison => 97, tombstone => 1013, mixed => 1, headers => 1, out => $sent);
create_stream($node, 'clicks', $broker, 'clicks');
once('clicks');
exactly_once($node, $broker, 'clicks', 'json', sent => [$sent]);
ok(caught_up($node, $broker, 'clicks', 'clicks'), 'next_offset is the end of the log');
is(sql($node, q(SELECT partitions, lag, errors = (SELECT count(*) FROM sent WHERE kind = 'p'), rows = (SELECT count(*) FROM views), messages
	FROM recsys.streams WHERE stream = 'clicks')), '4|0|t|t|20000', 'recsys.streams has the counts');
is(join(' ', $broker->committed(sql($node, q(SELECT value FROM recsys.stream_settings('clicks') WHERE section = 'stream' AND name = 'group')), 'clicks')),
	join(' ', map { $_->[1] } $broker->offsets('clicks')), 'Kafka knows the same offsets, for monitors of lag');
is(sql($node, q(SELECT count(*) FROM recsys.stream_errors e JOIN truth t ON (t.part, t.off) = (e.partition, e.message_offset)
	WHERE e.reason IS NULL OR e.reason = '' OR e.message_timestamp IS DISTINCT FROM to_timestamp(t.ms / 1000.0))), '0',
	'each rejected message has a reason, and its timestamp');
like(errors('clicks', "string_agg(DISTINCT reason, ' ')") , qr/nobody/, 'a reason of the server quotes what it could not take');

# a second time there is nothing to do
once('clicks');
exactly_once($node, $broker, 'clicks', 'json, again', sent => [$sent]);

# ---- the filter, and values that only it sees
$broker->create_topic('filtered', 2);
$broker->produce('filtered', count => 1000, mixed => 1);
shop($node, 'CREATE TABLE chosen (LIKE views)');
create_stream($node, 'filtered', $broker, 'filtered', target => q('chosen'),
	columns => q('{"event_id": "id", "user_id": "user.id", "product_id": "item", "viewed_at": "ts", "event": "type"}'),
	filter => q('type IN (''view'', ''cart'') AND number % 2 = 0'), fields => q('{"number": {"path": "id", "type": "bigint"}}'));
once('filtered');
is(sql($node, q(SELECT count(*), count(*) FILTER (WHERE event = 'scroll'), count(*) FILTER (WHERE event_id % 2 = 1) FROM chosen)),
	'500|0|0', 'filter');

# ---- arrays of items, keys, headers, timestamps of all kinds
$broker->create_topic('orders', 1, 'retention.ms' => -1);
$broker->send('orders',
	{ key => '{"shop": "north"}', timestamp => 1700000000123, headers => [ source => 'web', empty => undef ],
		value => '{"user": "7", "at": 1700000000, "items": [{"id": 1, "n": 2}, {"id": 2, "n": 1}], "tags": ["a", "b\"c"], "note": {"k": [1, 2.50]}}' },
	{ key => '{"shop": "south"}', headers => [ source => 'app' ], value => '{"user": 8, "at": "2023-11-14T22:13:20.5+00:00", "items": [{"id": 3}]}' },
	{ key => '{"shop": "south"}', value => '{"user": 9, "at": 1700000000123456, "items": []}' },
	{ key => '{"shop": "south"}', value => '{"user": 10, "at": 1700000000123, "items": [{"id": 4, "n": "5"}], "tags": "one"}' });
shop($node, q(CREATE TABLE lines (user_id bigint, at timestamptz, item integer, n integer, tags text[], note jsonb, shop text, source text,
	sent timestamptz, off bigint, topic text)));
create_stream($node, 'orders', $broker, 'orders', target => q('lines'),
	columns => q('{"user_id": "user", "at": "at", "item": "items[*].id", "n": {"path": "items[*].n", "default": "1"}, "tags": "tags", "note": "note",
		"shop": "$key.shop", "source": "$headers.source", "sent": "$timestamp", "off": "$offset", "topic": "$topic"}'));
once('orders');
is(sql($node, q(SET TimeZone = 'UTC'; SELECT user_id, at, item, n, tags, note, shop, source, CASE off WHEN 0 THEN sent END, off, topic FROM lines ORDER BY off, item)),
	"7|2023-11-14 22:13:20+00|1|2|{a,\"b\\\"c\"}|{\"k\": [1, 2.50]}|north|web|2023-11-14 22:13:20.123+00|0|orders\n"
	  . "7|2023-11-14 22:13:20+00|2|1|{a,\"b\\\"c\"}|{\"k\": [1, 2.50]}|north|web|2023-11-14 22:13:20.123+00|0|orders\n"
	  . "8|2023-11-14 22:13:20.5+00|3|1|||south|app||1|orders\n"
	  . "10|2023-11-14 22:13:20.123+00|4|5|{one}||south|||3|orders", 'a row for each item of an order');

# ---- a table that mirrors a topic by key: updates, and tombstones that delete
$broker->create_topic('stock', 2);
shop($node, 'CREATE TABLE stock (product_id bigint PRIMARY KEY, quantity integer, name text)');
create_stream($node, 'stock', $broker, 'stock', target => q('stock'), columns => q('{"product_id": "$key", "quantity": "n", "name": "name"}'),
	key => q('{product_id}'), conflict => q('update'), tombstones => q('delete'));
$broker->send('stock', (map { { key => "$_", value => qq({"n": $_, "name": "first"}) } } 1 .. 50),
	(map { { key => "$_", value => qq({"n": @{[ 100 + $_ ]}, "name": "second"}) } } 1 .. 30),
	(map { { key => "$_" } } 21 .. 40), (map { { key => "$_", value => '{"n": 0, "name": "again"}' } } 40 .. 41));
once('stock');
is(sql($node, q(SELECT string_agg(concat_ws(':', name, n, low, high), ' ' ORDER BY low) FROM (
		SELECT name, count(*) AS n, min(product_id) AS low, max(product_id) AS high FROM stock GROUP BY 1) s)),
	'second:20:1:20 again:2:40:41 first:9:42:50', 'the last message of a key wins, tombstones delete');
is(errors('stock', 'count(*)'), '0', 'and none was rejected');

# ---- replay into a table with a natural key
$broker->create_topic('replay', 2);
$broker->produce('replay', count => 2000);
shop($node, 'CREATE TABLE once_only (event_id bigint PRIMARY KEY, user_id bigint)');
create_stream($node, 'replay', $broker, 'replay', target => q('once_only'), columns => q('{"event_id": "id", "user_id": "user.id"}'),
	key => q('{event_id}'), conflict => q('ignore'));
once('replay');
shop($node, q(SELECT recsys.seek_stream('replay', next_offset => 0, partition => 0), recsys.seek_stream('replay', at => '2000-01-01')));
once('replay');
is(sql($node, q(SELECT count(*), (SELECT messages FROM recsys.streams WHERE stream = 'replay') FROM once_only)), '2000|4000',
	'what is read twice is there once, if the target has a key');
is(errors('replay', 'count(*)'), '0', 'and is no error');

# ---- CSV and text
$broker->create_topic('lines', 1);
$broker->send('lines', map { { key => 'k', value => $_ } } "1;\"a;b\";2024-01-01\n", "2;\"c\"\"d\ne\";", "x;y;z", "3");
shop($node, 'CREATE TABLE csv (id integer, name text, day date)');
create_stream($node, 'csv', $broker, 'lines', target => q('csv'), format => q('csv'), options => q('{"delimiter": ";"}'),
	columns => q('{"id": "1", "name": "2", "day": "3"}'));
once('csv');
is(sql($node, 'SELECT id, name, day FROM csv ORDER BY id'), "1|a;b|2024-01-01\n2|c\"d\ne|", 'csv');
is(errors('csv', q(string_agg(payload, ' '))), 'x;y;z 3', 'csv: lines that do not fit');
shop($node, 'CREATE TABLE texts (line text, key text)');
create_stream($node, 'text', $broker, 'lines', target => q('texts'), format => q('text'), columns => q('{"line": "$value", "key": "$key"}'));
once('text');
is(sql($node, q(SELECT count(*), string_agg(line, '/' ORDER BY line), min(key) FROM texts WHERE length(line) < 6)), '2|3/x;y;z|k', 'text');

# ---- Avro by a schema registry that is there only later
{
	my $port = KafkaBroker::free_port();
	my $schema = '{"type": "record", "name": "click", "fields": [{"name": "user", "type": "long"}, {"name": "item", "type": ["null", "string"]},'
	  . ' {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}';

	$broker->create_topic('avro', 1);
	$broker->send('avro', { value => wire(7, long(11) . long(1) . text('shoe') . long(1700000000123)) },
		{ value => wire(7, long(-12) . long(0) . long(1700000000000)) }, { value => wire(8, 'unknown') }, { value => 'no avro' });
	shop($node, 'CREATE TABLE avro (user_id bigint, item text, at timestamptz)');
	create_stream($node, 'avro', $broker, 'avro', target => q('avro'), format => q('avro'), options => qq('{"registry": "http://127.0.0.1:$port"}'),
		columns => q('{"user_id": "user", "item": "item", "at": "at"}'));
	my $program = start_program($node, arguments => [ '--stream', 'avro' ]);
	sleep 2;
	is(sql($node, 'SELECT count(*) FROM avro') . errors('avro', 'count(*)'), '00', 'avro: without its registry nothing is lost, and nothing rejected');
	my $registry = registry($port, 7, $schema);
	ok(wait_until($node, q(SELECT count(*) = 2 AND (SELECT count(*) FROM recsys.stream_errors WHERE stream = 'avro') = 2 FROM avro), 't', 30),
		'avro: with it all arrives');
	is(sql($node, q(SET TimeZone = 'UTC'; SELECT user_id, item, at FROM avro ORDER BY user_id)), "-12||2023-11-14 22:13:20+00\n11|shoe|2023-11-14 22:13:20.123+00",
		'avro: values');
	is($program->stop, 0, 'avro: the program ends');
	kill 'KILL', $registry;
	waitpid $registry, 0;
}

# ---- pause, resume, seek by time and by offset, alter
# times of long ago: retention must not take them while the test runs
$broker->create_topic('steered', 2, 'retention.ms' => -1);
$broker->send('steered', map { { partition => $_ % 2, timestamp => 1700000000000 + 1000 * $_, value => qq({"id": $_, "user": {"id": 1}, "item": 2, "ts": $_, "type": "view"}) } } 0 .. 99);
shop($node, 'CREATE TABLE steered (LIKE views)');
create_stream($node, 'steered', $broker, 'steered', target => q('steered'), start => q('2023-11-14 22:14:10+00'));
my $program = start_program($node, arguments => [ '--stream', 'steered' ]);
ok(wait_until($node, 'SELECT count(*), min(event_id) FROM steered', '50|50'), 'start at a time');
shop($node, q(SELECT recsys.pause_stream('steered')));
$broker->send('steered', { partition => 0, value => '{"id": 100, "user": {"id": 1}, "item": 2, "ts": 1, "type": "view"}' });
sleep 1.5;
is(sql($node, q(SELECT count(*), (SELECT state FROM recsys.streams WHERE stream = 'steered') FROM steered)), '50|paused', 'a paused stream stands still');
my $begin = time;
shop($node, q(SELECT recsys.resume_stream('steered')));
ok(wait_until($node, 'SELECT count(*) FROM steered', '51', 20), 'a resumed one goes on');
note(sprintf 'resumed within %.1f s', time - $begin);
shop($node, q(SELECT recsys.seek_stream('steered', partition => 1, at => '2023-11-14 22:14:50+00')));
ok(wait_until($node, 'SELECT count(*) FROM steered', '56', 20), 'seek by time: five messages of a partition once more');
shop($node, q(SELECT recsys.seek_stream('steered', partition => 0, next_offset => 48)));
ok(wait_until($node, 'SELECT count(*) FROM steered', '59', 20), 'seek by offset: three messages of the other');
shop($node, q(SELECT recsys.alter_stream('steered', filter => 'item = 3')));
$broker->send('steered', { value => '{"id": 101, "user": {"id": 1}, "item": 2, "ts": 1, "type": "view"}' }, { value => '{"id": 102, "user": {"id": 1}, "item": 3, "ts": 1, "type": "view"}' });
ok(wait_until($node, 'SELECT max(event_id), count(*) FROM steered', '102|60', 20), 'another filter counts from the next message');
is($program->running, 1, 'all of that by one program');
$program->stop;

# ---- a stream that starts with what comes, and a partition that comes after it
$broker->create_topic('latest', 2);
$broker->produce('latest', count => 1000);
shop($node, 'CREATE TABLE latest (LIKE views)');
create_stream($node, 'latest', $broker, 'latest', target => q('latest'), start => q('latest'));
$program = start_program($node, arguments => [ '--stream', 'latest' ]);
ok(wait_until($node, q(SELECT count(*) = 2 AND count(next_offset) = 2 FROM recsys.stream_partitions WHERE stream = 'latest')), 'start at the end');
$broker->produce('latest', count => 500, first => 1001);
ok(wait_for_rows($node, 500, 'latest'), 'what came before is not read');
$broker->set_partitions('latest', 3);
$broker->produce('latest', count => 300, first => 2001, partition => 2);
ok(wait_for_rows($node, 800, 'latest'), 'a partition that was added is read from its beginning');
is(sql($node, q(SELECT count(DISTINCT event_id), min(event_id) FROM latest)), '800|1001', 'and nothing twice');
$program->stop;

# ---- transactions that their producer has aborted
$broker->create_topic('transactions', 2);
shop($node, 'CREATE TABLE committed (LIKE views)');
my $kept = PostgreSQL::Test::Utils::tempdir() . '/transactions';
$broker->produce('transactions', count => 4000, transaction => 100, abort => 4, out => $kept);
create_stream($node, 'committed', $broker, 'transactions', target => q('committed'));
once('committed');
exactly_once($node, $broker, 'transactions', 'aborted transactions', sent => [$kept], table => 'committed', stream => 'committed');
is(sql($node, q(SELECT count(*), (SELECT lag FROM recsys.streams WHERE stream = 'committed') FROM committed)), '3000|0',
	'control records at the end of the log are no lag');

# ---- too many damaged messages: the stream stops, and goes on when it is told to
$broker->create_topic('damaged', 1);
$broker->send('damaged', (map { { value => "damaged $_" } } 1 .. 30), { value => '{"id": 1, "user": {"id": 1}, "item": 1, "ts": 1, "type": "view"}' });
shop($node, 'CREATE TABLE damaged (LIKE views)');
create_stream($node, 'damaged', $broker, 'damaged', target => q('damaged'), max_errors => 10, max_rows => 5);
$program = start_program($node, arguments => [ '--stream', 'damaged' ]);
ok(wait_until($node, q(SELECT state FROM recsys.streams WHERE stream = 'damaged'), 'failed', 20), 'too many rejected messages stop a stream');
cmp_ok(errors('damaged', 'count(*)'), '<', 30, 'before all are read');
like(sql($node, q(SELECT last_message FROM recsys.streams WHERE stream = 'damaged')), qr/reject|max_errors/, 'it says why');
shop($node, q(SELECT recsys.alter_stream('damaged', max_errors => 1000), recsys.resume_stream('damaged')));
ok(wait_for_rows($node, 1, 'damaged', 20), 'and goes on when it is resumed');
is(errors('damaged', 'count(*), count(DISTINCT message_offset)'), '30|30', 'each rejected message is kept once');

# ---- a target that is gone, and comes back
shop($node, 'ALTER TABLE damaged RENAME event_id TO other');
$broker->send('damaged', { value => '{"id": 2, "user": {"id": 1}, "item": 1, "ts": 1, "type": "view"}' });
ok(wait_until($node, q(SELECT state FROM recsys.streams WHERE stream = 'damaged'), 'failed', 20), 'a declaration that does not fit any more stops the stream');
shop($node, q(ALTER TABLE damaged RENAME other TO event_id; SELECT recsys.resume_stream('damaged')));
ok(wait_for_rows($node, 2, 'damaged', 20), 'repaired and resumed it goes on');
is($program->stop, 0, 'the program ends when it is asked to');

# ---- a stream of somebody else is not run
sql($node, q(CREATE ROLE other LOGIN));
($status, $log) = run_program($node, arguments => [ '--once', '--stream', 'clicks' ], environment => { PGUSER => 'other' },
	connection => StreamTest::connection($node) =~ s/user=shop/user=other/r);
isnt($status, 0, 'another role cannot run a stream');

done_testing();

# Avro's variable-length numbers and strings
sub long
{
	my ($number) = @_;
	my $bits = $number < 0 ? -2 * $number - 1 : 2 * $number;
	my $bytes = '';

	do { $bytes .= chr(($bits & 127) | ($bits > 127 ? 128 : 0)); $bits >>= 7 } while ($bits > 0);
	return $bytes;
}

sub text { return long(length $_[0]) . $_[0] }

# Confluent's frame: a zero byte and the schema's number
sub wire { return pack('CN', 0, $_[0]) . $_[1] }

# A schema registry of one schema, as a process
sub registry
{
	my ($port, $id, $schema) = @_;
	my $pid = fork() // die;
	return $pid if $pid;
	my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5, ReuseAddr => 1) or POSIX::_exit(1);

	while (my $client = $server->accept)
	{
		my $request = '';

		while (my $line = <$client>) { $request .= $line; last if $line =~ /^\r?\n$/ }
		my $escaped = $schema =~ s/"/\\"/gr;
		my $known = $request =~ m{^GET /schemas/ids/$id\b};
		my $body = $known ? qq({"schema": "$escaped"}) : '{"error_code": 40403, "message": "Schema not found"}';

		print $client 'HTTP/1.1 ' . ($known ? '200 OK' : '404 Not Found') . "\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: "
		  . length($body) . "\r\nConnection: close\r\n\r\n$body";
		close $client;
	}
	POSIX::_exit(0);
}
