# Gateways such as PostgREST: they read from the catalogue what a function takes, turn a JSON document
# into arguments of these types by their names, and call in the role of who asks.  The functions of
# recsys.create_functions can be called so, all of them, and the examples of doc/drivers.md are true.
# What is sent is what PostgREST 12 sends (test/perl/RecsysGateway.pm); the clients in many languages are
# in test/drivers.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysGateway;
use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
plan(skip_all => 'the manual is not beside the tests') unless -f "$root/doc/drivers.md";
my $page = slurp_file("$root/doc/drivers.md");

my $node = new_node('gateway', 'autovacuum = off');

sub psql { return $node->safe_psql('postgres', $_[0]) }

# The shop of the manual, as its page on drivers makes it
psql(slurp_file("$root/test/manual/shop.sql"));
psql(join "\n", $page =~ /^```sql\n(.*?)^```/gms);
psql(q(
	CREATE ROLE authenticator NOINHERIT LOGIN;
	CREATE ROLE web;
	CREATE ROLE nobody_at_all;
	GRANT web, nobody_at_all TO authenticator;
	GRANT USAGE ON SCHEMA shop TO web, nobody_at_all;
	GRANT SELECT ON purchases, products TO web;
	SELECT recsys.create_experiment('front', variants => '{"control": "home", "other": "purchases_recsys"}');
	VACUUM ANALYZE;
));

sub keys_of
{
	my ($json) = @_;
	return join ',', $json =~ /"item_id":(\d+)/g;
}

my $gateway = RecsysGateway->new($node);
$gateway->learn('shop');
$gateway->learn('recsys');
my %functions = %{ $gateway->functions };
sub request { return $gateway->request(@_) }

my @shop = grep { /^shop\./ } sort keys %functions;
cmp_ok(scalar(@shop), '>=', 21, 'schema shop has functions for everything');
is(join(' ', grep { @{ $functions{$_} } > 1 } @shop), '', '... and one of each name');
is(psql(q(
	SELECT count(*) FROM pg_proc p, unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) WITH ORDINALITY t (type, n)
	WHERE p.pronamespace = 'shop'::regnamespace
	  AND ((SELECT typtype = 'p' FROM pg_type WHERE oid = type) AND type <> 'record'::regtype OR coalesce(p.proargnames[n::int], '') = '' AND type <> p.prorettype))),
	'0', '... all of exact types, with names');
is(psql(q(SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'shop'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL)),
	'', '... and comments, for what documents them');

# the page's examples
my $list = psql(q(SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM recommend(42, 5, 'home')));
is(keys_of(request('POST', 'shop.recommend', '{"user_id": 42, "k": 5}', 'web')), $list, 'POST /rpc/recommend');
is(keys_of(request('GET', 'shop.recommend', '{"user_id": "42", "k": "5"}', 'web')), $list, 'GET /rpc/recommend: texts');
my @examples = $page =~ /^\| `((?:POST|GET) [^`]+)` \|(.*)\|$/mg;
my ($request_id, $tried) = ('', 0);
while (my ($call, $body) = splice @examples, 0, 2)
{
	my ($method, $name, $query) = $call =~ m{^(\w+) /rpc/(\w+)(?:\?(.*))?$} or next;
	my ($json) = $body =~ /`(.*)`/;

	$json //= '{' . join(', ', map { /(.*)=(.*)/; qq("$1": "$2") } split /&/, $query // '') . '}';
	$json =~ s/01a2…/$request_id/;
	my $answer = request($method, "shop.$name", $json, 'web');
	like($answer, qr/^(\[\{.*"item_id":\d+|true$)/s, "$call $json");
	($request_id) = $answer =~ /"request_id":"([^"]+)"/ if $answer =~ /request_id/;
	$tried++;
}
cmp_ok($tried, '>=', 4, '... are the examples of the manual');

# arguments
is(keys_of(request('POST', 'shop.recommend_with_context', '{"user_id": null, "context": {"cart": [1001]}, "k": 5}', 'web')),
	psql(q(SELECT string_agg(item_id::text, ',' ORDER BY rank) FROM recommend(NULL::bigint, 5, 'home', context => '{"cart": [1001]}'))),
	'a visitor with a cart');
is(keys_of(request('GET', 'shop.recommend_for_items', '{"items": "{1001,1042}"}', 'web')),
	keys_of(request('POST', 'shop.recommend_for_items', '{"items": [1001, 1042]}', 'web')), 'arrays, and arrays written as text');
like(request('POST', 'shop.recommend_with_reasons', '{"user_id": 42, "k": 2}', 'web'), qr/"reason":"because of .*"details":\{"parts"/, 'reasons');
is(request('POST', 'shop.recommend', '{"k": 5}', 'web'), 'PGRST202', 'an argument is missing');
is(request('POST', 'shop.recommend', '{"user_id": 42, "n": 5}', 'web'), 'PGRST202', 'there is no such argument');
is(request('POST', 'shop.recommend', '{"user_id": "ann"}', 'web'), '22P02', 'no key');
is(request('POST', 'shop.recommend', '{"user_id": 99999999999999999999}', 'web'), '22003', 'no key, either');
is(request('POST', 'shop.recommend', '{"user_id": 42, "k": -1}', 'web'), '2201W', 'no number of items');
is(request('POST', 'recsys.log_click', qq({"request_id": "$request_id", "item_id": 1}), 'web'), 'PGRST203',
	'recsys.log_click cannot be told apart from others of that name');

# the log
my $logged = request('POST', 'shop.recommend_logged', '{"user_id": 43, "k": 3, "session_id": "s"}', 'web');
my ($id) = $logged =~ /"request_id":"([^"]+)"/;
my ($item) = $logged =~ /"item_id":(\d+)/;
is(request('POST', 'shop.log_click', qq({"request_id": "$id", "item_id": $item}), 'web'), 'true', 'a click');
is(request('POST', 'shop.log_click', qq({"request_id": "$id", "item_id": $item}), 'web'), 'false', '... once');
is(request('POST', 'shop.log_add_to_cart', qq({"request_id": "$id", "item_id": "$item"}), 'web'), 'true', 'into the cart');
is(request('POST', 'shop.log_event', qq({"request_id": "$id", "item_id": $item, "kind": "watched", "value": 2.5}), 'web'), 'true', 'an event');
isnt(request('POST', 'shop.log_click', qq({"request_id": "$id", "item_id": 1}), 'web'), 'true', 'an item that was not shown');
is(request('GET', 'shop.recommend_logged', '{"user_id": 43}', 'web'), '25006', 'GET may not log');
like(request('POST', 'shop.recommend_logged', '{"user_id": 43, "recommender": "front"}', 'web'), qr/"experiment":"front","variant":"(control|other)"/,
	'an experiment takes the place of the recommender');
my $document = request('GET', 'shop.recommend_request', '{"user_id": 44, "k": 2, "session_id": "s"}', 'web');
like($document, qr/"user_id": ?"44"/, 'a request as a document, from who may only read');
is(request('POST', 'shop.log_request', qq({"request": $document}), 'web'), 'true', '... is logged afterwards');
is(request('POST', 'shop.log_request', qq({"request": $document}), 'web'), 'false', '... once');
like(request('POST', 'shop.log_impressions', '{"item_ids": [1001, 1002], "user_id": 42}', 'web'), qr/^"[0-9a-f-]{36}"$/, 'a list made elsewhere');
is(psql(q(SELECT count(*) FROM recsys.request_log WHERE user_id IN ('42', '43', '44') AND recommender = 'home')),
	psql(q(SELECT count(*) FROM recsys.request_log WHERE user_id IN ('42', '43', '44') AND recommender <> 'public.purchases_recsys')), 'under the name of the recommender');

# rights are those of who asks
is(request('POST', 'shop.recommend', '{"user_id": 42}', 'nobody_at_all'), '42501', 'who may not read the tables gets nothing');
is(request('POST', 'shop.recommend_logged', '{"user_id": 42}', 'nobody_at_all'), '42501', '... nor by a call that logs');
psql('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA shop FROM PUBLIC');
is(request('POST', 'shop.recommend', '{"user_id": 42}', 'web'), '42501', 'the right to call can be taken');
psql('GRANT EXECUTE ON FUNCTION shop.recommend(bigint, integer) TO web');
psql(q(SELECT recsys.create_functions('home', 'shop')));
is(keys_of(request('POST', 'shop.recommend', '{"user_id": 42, "k": 5}', 'web')), $list, '... and given, and stays when they are made again');
is(request('POST', 'shop.popular_items', '{}', 'web'), '42501', '... as what is taken stays taken');

# keys of other types
psql(q(
	CREATE TYPE shelf AS ENUM ('SKU-1000', 'SKU-1001', 'SKU-1002', 'SKU-1003', 'other "one"');
	CREATE TABLE shelves AS SELECT visitor_id, CASE WHEN sku < 'SKU-1004' THEN sku::shelf ELSE 'other "one"' END AS shelf FROM clicks;
	CREATE INDEX shelves_recsys ON shelves USING recsys (visitor_id, shelf);
	CREATE SCHEMA shelf;
	SELECT recsys.create_functions('shelves_recsys', 'shelf');
	GRANT USAGE ON SCHEMA shelf TO web;
	GRANT SELECT ON shelves TO web;
));
$gateway->learn('shelf');
%functions = %{ $gateway->functions };
like(request('POST', 'shelf.recommend_for_items', '{"items": ["SKU-1000", "other \"one\""], "k": 2}', 'web'), qr/"item_id":"SKU-100[123]"/, 'enums as texts');
$logged = request('POST', 'shelf.recommend_logged', '{"user_id": "c4ca4238-a0b9-2382-0dcc-509a6f75849b", "k": 1}', 'web');
($id) = $logged =~ /"request_id":"([^"]+)"/;
($item) = $logged =~ /"item_id":("(?:[^"\\\\]|\\\\.)*")/;
is(request('POST', 'shelf.log_click', qq({"request_id": "$id", "item_id": $item}), 'web'), 'true', '... and clicks on them') or diag($logged);
is(request('POST', 'shelf.log_click', qq({"request_id": "$id", "item_id": "no such"}), 'web'), '22P02', 'a text that is no value of the enum');
ok(!exists $functions{'shelf.popular_in_segment'}, 'an index has no segments');

# every view as JSON, by who may read little
for my $view (split /\n/, psql(q(SELECT table_name FROM information_schema.views WHERE table_schema = 'recsys' ORDER BY 1)))
{
	my ($status, $out, $error) = $node->psql('postgres', "SET ROLE web; SELECT coalesce(json_agg(v), '[]') FROM recsys.$view v",
		extra_params => [ '-U', 'authenticator', '-q' ]);
	like($error . $out, qr/^\[/, "GET /$view");
}

done_testing();
