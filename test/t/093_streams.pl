# Streams in SQL: whose rights their statements run with, what a dump and a standby have of them, who is
# told of changes, and that rows and offsets stay together through a crash.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('streams', 'wal_level = replica');
my $directory = $node->backup_dir;

mkdir $directory;
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE shop;
CREATE ROLE runner LOGIN;
CREATE ROLE stranger LOGIN;
CREATE ROLE reader;
GRANT shop TO runner;
CREATE SCHEMA shop AUTHORIZATION shop;
SET ROLE shop;
SET search_path = shop;
CREATE TABLE views (event_id bigint PRIMARY KEY, user_id bigint, product_id bigint, at timestamptz);
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, at);
CREATE TABLE products (id bigint PRIMARY KEY);
INSERT INTO products SELECT generate_series(1, 10);
-- says so if a superuser runs it
CREATE FUNCTION whose(what bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_setting('is_superuser') = 'on' AND current_user <> 'shop' THEN
		RAISE WARNING 'RIGHTS OF %', current_user;
	END IF;
	RETURN what;
END $$;
SELECT recsys.create_stream('clicks', brokers => 'kafka1:9092', topic => 'shop.clicks', target => 'views',
	columns => '{"event_id": "id", "user_id": "user.id", "product_id": "item", "at": {"path": "ts", "unit": "ms"}}',
	filter => 'EXISTS (SELECT FROM products p WHERE p.id = item) AND whose(1) = 1', key => '{event_id}', conflict => 'ignore');
SQL

sub as
{
	my ($role, $sql, $database) = @_;
	my ($code, $out, $error) = $node->psql($database // 'postgres', $sql, on_error_stop => 1, extra_params => [ '-U', $role ]);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

#
# Rights
#
like(as('stranger', q(SELECT * FROM recsys.stream_settings('clicks'))), qr/must be owner of stream "clicks"/, 'a stranger reads no settings');
is(as('stranger', q(SELECT count(*) FROM recsys.stream_list())), '0', 'and finds no stream');
is(as('stranger', q(SELECT count(*) FROM recsys.streams)), '0', 'nor in the view');
foreach my $call (q(stream_register('clicks', '{0}')), q(stream_claim('clicks', '{0}', 'x')), q(stream_resolve('clicks', 0, 1, 1)),
	q(stream_advance('clicks', '{0}', '{1}', '{0}', '{1}', NULL, NULL, NULL, NULL, '{1}', '{0}', 1)),
	q(stream_reject('clicks', '{0}', '{1}', NULL, NULL, NULL, NULL, NULL)), q(stream_heartbeat('clicks', 'x', '{0}', '{1}', NULL)),
	q(stream_stop('clicks', NULL, NULL, 'failed', 'x')), q(purge_stream_errors('clicks')), q(pause_stream('clicks')), q(resume_stream('clicks')),
	q(seek_stream('clicks', at => now())), q(alter_stream('clicks', jobs => 1)), q(drop_stream('clicks')))
{
	like(as('stranger', "SELECT recsys.$call"), qr/must be owner of stream "clicks"/, "a stranger may not call $call");
}
foreach my $table ('stream', 'stream_partition', 'stream_error')
{
	like(as('runner', "SELECT * FROM recsys.$table"), qr/permission denied for table $table/, "nobody reads $table itself");
	like(as('runner', "SET ROLE shop; INSERT INTO recsys.$table DEFAULT VALUES"), qr/permission denied for table $table/, 'nor writes it');
}
is(as('runner', q(SELECT stream, state FROM recsys.stream_list())), 'clicks|running', 'who has the rights of the owner runs it');

# What the owner has declared is never run by others
my ($code, $out, $error) = $node->psql('postgres', q(SELECT recsys.alter_stream('clicks', max_rows => 500); SELECT count(*) FROM recsys.stream_settings('clicks')));
is($code, 0, 'a superuser changes a stream of somebody else');
unlike($error, qr/RIGHTS OF/, 'whose functions do not get his rights');
is($node->safe_psql('postgres', 'SELECT owner FROM recsys.streams'), 'shop', 'and it stays whose it was');
like(as('stranger', q(SELECT recsys.create_stream('mine', 'k:9092', 't', 'shop.views', '{"user_id": "u"}'))),
	qr/permission denied for schema shop/, 'nobody declares a stream into what he may not write');
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA shop TO stranger; GRANT SELECT ON shop.views TO stranger');
like(as('stranger', q(SELECT recsys.create_stream('mine', 'k:9092', 't', 'shop.views', '{"user_id": "u"}'))),
	qr/permission denied for table views/, 'reading is not enough');
$node->safe_psql('postgres', 'GRANT INSERT (user_id) ON shop.views TO stranger');
like(as('stranger', q(SELECT recsys.create_stream('mine', 'k:9092', 't', 'shop.views', '{"user_id": "u", "product_id": "i"}'))),
	qr/permission denied for table views/, 'each column counts');
is(as('stranger', q(SELECT recsys.create_stream('mine', 'k:9092', 't', 'shop.views', '{"user_id": "u"}'); SELECT recsys.drop_stream('mine'))), "\n",
	'what he may insert he may declare');
like(as('stranger', q(SELECT recsys.create_stream('mine', 'k:9092', 't', 'shop.views', '{"user_id": "u"}', errors => 'shop.products'))),
	qr/has no column for rejected messages/, 'rejected messages go where there is room for them');
$node->safe_psql('postgres', 'REVOKE ALL ON shop.views FROM stranger; REVOKE ALL ON SCHEMA shop FROM stranger');
# names of the stream's own session mean nothing
is(as('runner', q(SET ROLE shop; SET search_path = pg_temp; CREATE TEMP TABLE products (id bigint);
	SELECT value FROM recsys.stream_settings('clicks') WHERE name = 'search_path')), 'shop', 'names in a filter mean what they meant');

#
# Who is told
#
like(as('runner', q(LISTEN recsys_stream; SET ROLE shop; SELECT recsys.pause_stream('clicks'))),
	qr/Asynchronous notification "recsys_stream" with payload "clicks"/, 'a change is told at once');
like(as('runner', q(LISTEN recsys_stream; SET ROLE shop; SELECT recsys.resume_stream('clicks'))), qr/payload "clicks"/, 'and so is the next');

#
# The protocol, played by who runs the program: one transaction a batch
#
my $role = 'SET ROLE shop; SET timezone = UTC;';
my %epoch;

sub claim
{
	my (@partitions) = @_;

	foreach (split /\n/, as('runner', "$role SELECT partition, epoch FROM recsys.stream_claim('clicks', '{" . join(',', @partitions) . "}', 'test')"))
	{
		$epoch{$1} = $2 if /^(\d+)\|(\d+)$/;
	}
}

sub settings
{
	my ($number) = @_;

	return as('runner', "$role SELECT value FROM recsys.stream_settings('clicks') WHERE section = 'statement' AND number = $number");
}

# A batch of n messages from an offset on, with an id for each; what comes between writing and the offset
sub batch
{
	my ($partition, $from, $n, $between, $after) = @_;
	my ($stage, $copy, $apply) = (settings(1), settings(2), settings(3));
	# fields are at, user_id, event_id, product_id, in the order of their settings
	my $rows = as('runner', "$role SELECT string_agg(name, ',' ORDER BY number) FROM recsys.stream_settings('clicks') WHERE section = 'field' AND name IN ('name') AND value = value");
	my @names = split /\n/, as('runner', "$role SELECT value FROM recsys.stream_settings('clicks') WHERE section = 'field' AND name = 'name' ORDER BY number");
	my $lines = '';

	foreach my $offset ($from .. $from + $n - 1)
	{
		my %value = (event_id => $partition * 1000000 + $offset, user_id => $offset % 7, product_id => $offset % 12, at => '2026-01-01T00:00:00Z');

		$lines .= join("\t", $offset - $from, 'r', map { $value{$_} } @names) . "\n";
	}
	my $to = $from + $n;
	my $last = $to - 1;
	return as('runner', "$role $stage;\nBEGIN;\n$copy;\n$lines\\.\n$apply;\n" . ($between // '') . qq(
SELECT a.state FROM recsys.stream_advance('clicks', '{$partition}', '{$epoch{$partition}}', '{$from}', '{$to}', '{$last}', '{1767225600000}', '{$to}', '{$to}', '{$n}', '{0}', $n) a;\n)
		. ($after // 'COMMIT;'));
}

as('runner', "$role SELECT recsys.stream_register('clicks', '{0,1}')");
claim(0, 1);
as('runner', "$role SELECT recsys.stream_resolve('clicks', $_, $epoch{$_}, 0)") foreach 0, 1;
is(batch(0, 0, 100), 'running', 'a batch');
# products 1 to 10 of 0 to 11
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT product_id) FROM shop.views'), '83|10', 'its rows, as the filter has them');
like(batch(0, 0, 100), qr/not yours at offset 0 any more/, 'the same batch again is refused');
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.views'), '83', 'with all of its rows');
is($node->safe_psql('postgres', 'SELECT next_offset, messages, lag FROM recsys.stream_partitions WHERE partition = 0'), '100|100|0', 'and the offset is where it was');
like(batch(0, 100, 10, 'SELECT 1 / 0;'), qr/division by zero/, 'a batch that fails');
is($node->safe_psql('postgres', 'SELECT next_offset FROM recsys.stream_partitions WHERE partition = 0'), '100', 'moves nothing');
# a natural key makes a batch harmless that comes twice because somebody went back
as('runner', "$role SELECT recsys.seek_stream('clicks', partition => 0, next_offset => 50)");
claim(0);
is(batch(0, 50, 50), 'running', 'a batch once more, by a seek');
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.views'), '83', 'a natural key takes each event once');

#
# A crash: the batch under way is gone with its offset, the one before stays with its own
#
is(batch(1, 0, 100), 'running', 'a batch before the crash');
my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM shop.views');
batch(1, 100, 50, undef, '');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.views'), $before, 'after a crash rows are those of the offsets');
is($node->safe_psql('postgres', 'SELECT partition, next_offset FROM recsys.stream_partitions ORDER BY partition'), "0|100\n1|100", 'and offsets those of the rows');
claim(0, 1);
is(batch(1, 100, 50), 'running', 'and it goes on');

#
# A dump has rows and offsets of the same moment
#
as('runner', "$role SELECT recsys.stream_reject('clicks', '{0}', '{100}', '{1767225600000}', ARRAY['k'::bytea], ARRAY['{'::bytea], '{it ends too early}', '{NULL}')");
my $all = q(SELECT stream, owner, state, topic, next_offset, messages, errors, definition FROM recsys.streams;
	SELECT topic, partition, next_offset, messages FROM recsys.stream_partitions ORDER BY partition;
	SELECT partition, last_offset, last_timestamp, last_checksum FROM recsys.stream_partition ORDER BY partition;
	SELECT stream, partition, message_offset, key, payload, reason, rejected_at FROM recsys.stream_errors;
	SELECT count(*) FROM shop.views);
foreach my $format ('plain', 'custom')
{
	my $file = "$directory/dump_$format";

	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, $node->connstr('postgres') ], "pg_dump, $format");
	$node->command_ok($format eq 'plain' ?
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('from_plain') ] :
		[ 'pg_restore', '-e', '-d', $node->connstr('from_custom'), $file ], "it is restored, $format");
	is($node->safe_psql("from_$format", $all), $node->safe_psql('postgres', $all), "all of it is there, $format");
	isnt($node->safe_psql("from_$format", 'SELECT consumer_group FROM recsys.streams'), $node->safe_psql('postgres', 'SELECT consumer_group FROM recsys.streams'),
		"a copy does not share the partitions of the original, $format");
	like(as('runner', "$role SELECT partition, next_offset FROM recsys.stream_claim('clicks', '{0}', 'copy')", "from_$format"), qr/0\|100/, "and goes on where it is, $format");
}

# Of an owner of a database who is no superuser: what he cannot give away becomes his
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE DATABASE small OWNER keeper; CREATE DATABASE small_again OWNER keeper');
my @keeper = ('-U', 'keeper', '-h', $node->host, '-p', $node->port);
$node->safe_psql('small', q(CREATE EXTENSION recsys; CREATE SCHEMA mine; CREATE TABLE mine.views (user_id bigint);
	SELECT recsys.create_stream('his', 'k:9092', 't', 'mine.views', '{"user_id": "u"}')), extra_params => [ '-U', 'keeper' ]);
$node->safe_psql('small', q(SELECT recsys.create_stream('not_his', 'k:9092', 't', 'mine.views', '{"user_id": "u"}');
	SELECT recsys.stream_register('not_his', '{0,1}')));
$node->command_ok([ 'pg_dump', @keeper, '-f', "$directory/small", 'small' ], 'pg_dump by who is no superuser');
$node->command_ok([ 'psql', '-X', '-q', @keeper, '-v', 'ON_ERROR_STOP=1', '-f', "$directory/small", 'small_again' ], 'and restored by him');
is($node->safe_psql('small_again', 'SELECT name, owner FROM recsys.stream ORDER BY 1'), "his|keeper\nnot_his|keeper", 'what he had not declared becomes his');
foreach my $table ('stream', 'stream_partition', 'stream_error')
{
	like(as('keeper', "DELETE FROM recsys.$table", 'small'), qr/permission denied/, "he removes nothing from $table");
	like(as('keeper', "ALTER TABLE recsys.$table DISABLE TRIGGER ALL", 'small'), qr/must be owner/, 'and has no power over its triggers');
}
$node->safe_psql('small', q(INSERT INTO recsys.stream (name, owner, definition, version) SELECT 'forged', 'postgres', definition, 1 FROM recsys.stream WHERE name = 'his'),
	extra_params => [ '-U', 'keeper' ]);
is($node->safe_psql('small', q(SELECT owner FROM recsys.stream WHERE name = 'forged')), 'keeper', 'and forges no owner');

#
# A role that is gone
#
$node->safe_psql('from_plain', q(UPDATE recsys.stream SET owner = 'nobody'));
is($node->safe_psql('from_plain', 'SELECT count(*) FROM recsys.stream_list()'), '0', 'a stream whose owner is gone runs nowhere');
like(($node->psql('from_plain', q(SELECT recsys.alter_stream('clicks', jobs => 1))))[2], qr/role "nobody", the owner of stream "clicks", does not exist/, 'and why is said');
is(($node->psql('from_plain', q(SELECT recsys.alter_stream('clicks', new_owner => 'shop'))))[0], 0, 'another owner');
is($node->safe_psql('from_plain', 'SELECT count(*) FROM recsys.stream_list()'), '1', 'makes it run');

#
# A standby, and its promotion
#
my $standby = PostgreSQL::Test::Cluster->new('streams_standby');
$node->backup('backup');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $all), $node->safe_psql('postgres', $all), 'a standby shows streams');
foreach my $call (q(stream_claim('clicks', '{0}', 'x')), q(pause_stream('clicks')), q(alter_stream('clicks', jobs => 1)))
{
	like(($standby->psql('postgres', "SELECT recsys.$call"))[2], qr/cannot execute recsys\.\w+\(\) (?:during recovery|in a read-only transaction)/, "but runs none: $call");
}
my $group = $node->safe_psql('postgres', 'SELECT consumer_group FROM recsys.streams');
$node->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', 'SELECT consumer_group FROM recsys.streams'), $group, 'promoted it has the same group');
is($standby->safe_psql('postgres', q(SELECT partition, next_offset FROM recsys.stream_claim('clicks', '{0,1}', 'after'))), "0|100\n1|150", 'and goes on');
$standby->stop;

done_testing();
