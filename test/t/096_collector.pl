# A collector over HTTP by way of PostgREST: the function of doc/ingest.md, called as PostgREST calls it, by
# a visitor who may do nothing else.  Events count once, also when two requests bring the same at the same
# time; who it was is in the token, and what is not plausible does not get in.  The collector in a program,
# and what sends events to it, are run by test/drivers.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysGateway;
use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
plan(skip_all => 'the manual is not beside the tests') unless -f "$root/doc/ingest.md";
my $page = slurp_file("$root/doc/ingest.md");
my ($first) = $page =~ /^(.*?)^## Another/ms;
my ($postgrest) = $page =~ /^### PostgREST\n(.*?)^### /ms;

my $node = new_node('collector', 'autovacuum = off');

sub psql { return $node->safe_psql('postgres', $_[0]) }

psql(slurp_file("$root/test/manual/shop.sql"));
psql(join "\n", "$first\n$postgrest" =~ /^```sql\n(.*?)^```/gms);
psql(q(
	CREATE ROLE authenticator NOINHERIT LOGIN;
	CREATE ROLE customer;
	CREATE ROLE nobody_at_all;
	CREATE ROLE service;
	GRANT anonymous, customer, nobody_at_all, service TO authenticator;
	GRANT EXECUTE ON FUNCTION api.collect TO customer;
	GRANT USAGE ON SCHEMA api TO customer, nobody_at_all;
	TRUNCATE page_views;
));

my $gateway = RecsysGateway->new($node);
$gateway->learn('api');
is(join(' ', map { $_->[0] . ' ' . $_->[1] } map { @{ $_->{arguments} } } @{ $gateway->functions->{'api.collect'} }), 'events jsonb',
	'one function, with an argument of a name');

# uuid N
sub id { return sprintf '00000000-0000-4000-8000-%012d', $_[0] }

# events(FIRST, LAST[, MORE]): a document of events; products 1000 upwards
sub events
{
	my ($first, $last, $more) = @_;

	$more //= '"consent": true';
	return '{"events": [' . join(', ', map {
		sprintf '{"event_id": "%s", "session_id": "%s", "product_id": %d, "viewed_at": "%s", %s}',
			id($_), id(1_000_000 + $_ % 9), 1000 + $_ * 7 % 200, '2020-01-01T00:00:00Z', $more
	} $first .. $last) . ']}';
}

sub collect
{
	my ($json, $role, $claims) = @_;

	return $gateway->request('POST', 'api.collect', $json, $role // 'anonymous', $claims);
}

is(collect(events(1, 10)), '10', 'a visitor sends events');
is(collect(events(1, 10)), '0', '... and again: they are there already');
is(collect(events(6, 15)), '5', '... and some of them with new ones');
is(psql('SELECT count(*), count(user_id), count(DISTINCT event_id) FROM page_views'), '15|0|15', 'each is there once, of nobody');
is(psql(q(SELECT count(*) FROM page_views WHERE viewed_at NOT BETWEEN now() - interval '1 hour' AND now())), '0', 'times that cannot be are those of arrival');
is(collect('{"events": []}'), '0', 'no events');
is(collect('{"events": null}'), '0', 'none at all');

# who it was
is(collect(events(21, 30), 'customer', '"sub": "42"'), '10', 'a customer sends events');
is(psql('SELECT count(*) FROM page_views WHERE user_id = 42'), '10', '... which are those of the token');
is(collect(events(31, 31, '"consent": true, "user_id": 43, "customer": 43')), '1', 'a visitor claims to be a customer');
is(psql('SELECT count(*) FROM page_views WHERE user_id = 43'), '0', '... and is not');
is(collect(events(32, 32), 'customer', '"sub": "ann"'), '22P02', 'a token of another shop');
is(collect(events(2000 + 10 * $_, 2006 + 10 * $_), 'customer', qq("sub": "$_")), '7', "customer $_ looks around") for 101 .. 140;
psql(q(SELECT recsys.merge('page_views_recsys')));
is(collect(events(2001, 2002), 'customer', '"sub": "99"'), '2', 'a new customer sends events');
is(psql(q(SELECT string_agg(DISTINCT source, ',') FROM recommend(99, 5, 'page_views_recsys'))), 'history', '... and has a list of them at once');
is(psql(q(SELECT count(*) FROM recommend(99, NULL::integer, 'page_views_recsys') r JOIN page_views v ON v.product_id = r.item_id WHERE v.user_id = 99)), '0',
	'... without what has just been viewed');

# what does not get in
my $before = psql('SELECT count(*) FROM page_views');
is(collect(events(41, 50, '"consent": false')), '0', 'no consent');
is(collect(events(41, 50, '"type": "view"')), '0', '... nor anything about it');
is(collect('{"events": [{"event_id": "' . id(51) . '", "product_id": 999999, "consent": true}]}'), '0', 'a product that the shop does not have');
is(collect('{"events": [{"product_id": 1001, "consent": true}]}'), '23502', 'no id');
is(collect('{"events": [{"event_id": "x", "product_id": 1001, "consent": true}]}'), '22P02', 'an id that is none');
is(collect('{"events": {"event_id": "x"}}'), '22023', 'no array');
is(collect('{"events": [1]}'), '22023', 'an array of something else');
is(collect(events(100, 200)), '22023', 'too many');
is(collect('{"event": []}'), 'PGRST202', 'another name');
is($gateway->request('GET', 'api.collect', events(52, 52), 'anonymous'), '25006', 'GET does not write');
is(collect(events(53, 53, q{"consent": true, "note": "'); DROP TABLE page_views; --"})), '1', 'what would be SQL is text');
is(psql('SELECT count(*) FROM page_views'), $before + 1, 'nothing else has come in');

# rights
is(collect(events(60, 60), 'nobody_at_all'), '42501', 'who has no right to call');
is(psql(q(SELECT has_table_privilege('anonymous', 'page_views', 'INSERT, SELECT, UPDATE, DELETE'), has_any_column_privilege('anonymous', 'page_views', 'SELECT'))), 'f|f',
	'visitors have no right to the table');
is(psql(q(SELECT has_table_privilege('collector', 'page_views', 'UPDATE, DELETE, TRUNCATE'), has_column_privilege('collector', 'page_views', 'user_id', 'SELECT'))), 'f|f',
	'... and the function that writes may not read whose events they are');
is(psql(q(SELECT prosecdef, proconfig::text FROM pg_proc WHERE proname = 'collect')), 't|{"search_path=pg_catalog, pg_temp"}', 'its names are not to be had by others');

# the table itself, for services
is($gateway->insert('public', 'page_views', '[{"event_id": "' . id(70) . '", "user_id": 7, "product_id": 1001, "viewed_at": "2024-01-01"}]', 'anonymous', 'event_id'), '42501',
	'a visitor inserts into the table');
psql('GRANT INSERT, SELECT ON page_views TO service');
my $two = '[' . join(', ', map { '{"event_id": "' . id($_) . '", "user_id": 7, "product_id": 1001, "viewed_at": "2024-01-01"}' } 70, 71) . ']';
is($gateway->insert('public', 'page_views', $two, 'service', 'event_id'), '', 'a service may') for 1, 2;
is(psql('SELECT count(*) FROM page_views WHERE user_id = 7'), '2', '... and each event is there once');

# Many visitors at once send the same events, in any order, and the server is killed among them.
my @batches = map { my $from = 1000 + $_ * 20; events($from, $from + 79) } 0 .. 45;
my $script = join "\n", map { "SELECT api.collect(\$j\$$_\$j\$::jsonb -> 'events');" } @batches;
my $file = PostgreSQL::Test::Utils::tempdir() . '/collect.sql';
sub run_all
{
	my $output = '';

	append_to_file($file, "SET ROLE anonymous;\n$script\n") if !-f $file;
	my @runs = map { IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ], '<', \undef, '>', \$output, '2>', \$output) } 1 .. 4;
	return \@runs;
}
my $runs = run_all();
select undef, undef, undef, 0.15;
kill_server($node);
$_->finish for @$runs;
$node->start;
$runs = run_all();
is(join(' ', map { $_->finish ? 'ok' : 'failed' } @$runs), 'ok ok ok ok', 'no request fails because of others with the same events');
is(psql('SELECT count(*), count(DISTINCT event_id) FROM page_views WHERE event_id >= \'' . id(1000) . "' AND event_id < '" . id(2000) . "'"), '980|980',
	'after a crash and another try all are there, once');
my ($status, undef, $error) = $node->psql('postgres', q(SELECT recsys.check_index('page_views_recsys')));
is($status, 0, 'the index agrees with its table') or diag($error);

done_testing();
