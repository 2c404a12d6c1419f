# Filters of declared recommenders in a session that goes on: roles with policies and rights of
# their own, stock that changes between two calls, functions that raise, write, loop or call
# recommend themselves, locks of others, tables that grow or change while plans are kept,
# any number of shapes of a context; and one item in ten thousand, found and ranked.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', 'client_min_messages = warning', 'shared_buffers = 32MB');
my $connection = $node->connstr('postgres');

# What each SELECT of one session gives, in order
sub session
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', $sql, on_error_stop => 0);

	return ($stdout, $stderr);
}

sub other_session { return qq(\\! psql -X -q -d "$connection" -c "$_[0]"\n) }

$node->safe_psql('postgres', q(
	CREATE TABLE events (user_id integer, product_id integer);
	INSERT INTO events
	SELECT u, 1 + (u * 31 + n * n * 7 + (u % 13) * n * 17) % (CASE WHEN n % 3 = 0 THEN 60 ELSE 400 END)
	FROM generate_series(1, 150) u, generate_series(1, 20) n;
	CREATE INDEX events_recsys ON events USING recsys (user_id, product_id) WITH (similarity = cosine);
	CREATE TABLE items (product_id integer PRIMARY KEY, stock integer, shop text, secret text);
	INSERT INTO items SELECT p, p % 3, CASE p % 2 WHEN 0 THEN 'alice' ELSE 'bob' END, 'x' FROM generate_series(1, 400) p;
	ANALYZE items;
	SELECT recsys.create_recommender('home', '[{"events": "events_recsys"}]', 'items', 'product_id', item_filter => 'stock > 0');
	CREATE FUNCTION listed(name text DEFAULT 'home', context jsonb DEFAULT NULL) RETURNS text STABLE LANGUAGE sql AS
	$$ SELECT count(*) || ' rows, ' || count(*) FILTER (WHERE item_id % 2 = 0) || ' even, ' || count(*) FILTER (WHERE item_id % 3 = 0) || ' thirds'
		FROM recommend(7, 1000, name, context => context) $$;
	CREATE ROLE alice; CREATE ROLE bob; CREATE ROLE eve;
	GRANT SELECT ON events TO PUBLIC;
	GRANT SELECT (product_id, stock, shop) ON items TO alice, bob;));

# Row-level security counts as the caller sees it, role by role in one session
my $all = $node->safe_psql('postgres', 'SELECT listed()');
my ($even) = $all =~ /(\d+) even/;
my ($rows) = $all =~ /(\d+) rows/;
like($all, qr/ 0 thirds/, 'the filter holds');
$node->safe_psql('postgres', q(
	ALTER TABLE items ENABLE ROW LEVEL SECURITY;
	CREATE FUNCTION shop_of_caller() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
	CREATE POLICY of_shop ON items USING (shop = shop_of_caller())));
my ($stdout, $stderr) = session(q(
	SELECT listed();
	SET ROLE alice; SELECT listed();
	SET ROLE bob; SELECT listed(); SELECT listed();
	SET ROLE alice; SELECT listed();
	SET ROLE eve; SELECT listed();
	RESET ROLE; SELECT listed();));
is($stdout, join("\n", $all, "$even rows, $even even, 0 thirds", ($rows - $even) . ' rows, 0 even, 0 thirds',
		($rows - $even) . ' rows, 0 even, 0 thirds', "$even rows, $even even, 0 thirds", $all),
	'each role gets what its policies show, owner and superuser all');
like($stderr, qr/permission denied for table items/, 'who may not read the items gets an error');
is(() = $stderr =~ /ERROR/g, 1, 'and nobody else does') or diag($stderr);

# Few pass by a policy alone
($stdout, $stderr) = session(q(
	CREATE ROLE carol; GRANT SELECT ON items TO carol;
	UPDATE items SET shop = 'carol' WHERE product_id IN (20, 40, 77);
	ANALYZE items;
	SET ROLE carol; SELECT string_agg(item_id::text, ' ' ORDER BY item_id) FROM recommend(7, 10, 'home');
	RESET ROLE; ALTER TABLE items DISABLE ROW LEVEL SECURITY;));
is($stdout, '20 40 77', 'a role that sees three items gets these') or diag($stderr);

# A right to columns is enough, and their loss is told
($stdout, $stderr) = session(q(
	SET ROLE alice; SELECT count(*) FROM recommend(7, 5, 'home'); RESET ROLE;
	REVOKE SELECT (stock) ON items FROM alice;
	SET ROLE alice; SELECT count(*) FROM recommend(7, 5, 'home');
	SELECT count(*) FROM recommend(7, 5, 'home', context => '{"filter": {"secret": "x"}}');
	RESET ROLE; GRANT SELECT (stock) ON items TO alice;
	SET ROLE alice; SELECT count(*) FROM recommend(7, 5, 'home');));
is($stdout, "5\n5", 'rights to the columns that are declared are enough');
is(() = $stderr =~ /permission denied for table items/g, 2, 'without them there is an error, by the definition or the context');

# What is sold out between two calls is not shown any more, as far as the snapshot goes
my $first = $node->safe_psql('postgres', q(SELECT item_id FROM recommend(7, 1, 'home')));
my $best = q(SELECT item_id FROM recommend(7, 1, 'home'););
my $is_out = other_session("UPDATE items SET stock = 0 WHERE product_id = $first");
my $is_back = other_session("UPDATE items SET stock = 1 WHERE product_id = $first");
($stdout) = session("BEGIN; $best\n$is_out $best\n$is_back $best COMMIT;");
my @lists = split /\n/, $stdout;
ok($lists[0] == $first && $lists[1] != $first && $lists[2] == $first, 'read committed: each call sees what is committed') or diag($stdout);
($stdout) = session("BEGIN ISOLATION LEVEL REPEATABLE READ; $best\n$is_out $best COMMIT; $best\n$is_back");
@lists = split /\n/, $stdout;
ok($lists[0] == $first && $lists[1] == $first && $lists[2] != $first, 'repeatable read: what the snapshot sees') or diag($stdout);
($stdout) = session("BEGIN; UPDATE items SET stock = 0 WHERE product_id = $first; $best ROLLBACK; $best");
@lists = split /\n/, $stdout;
ok($lists[0] != $first && $lists[1] == $first, 'the own transaction counts, and its rollback') or diag($stdout);

# Functions of a filter
$node->safe_psql('postgres', q(
	CREATE FUNCTION may_show(integer) RETURNS boolean STABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 > 0; END';
	SELECT recsys.create_recommender('asked', '[{"events": "events_recsys"}]', 'items', 'product_id', item_filter => 'may_show(stock)')));
sub replaced
{
	my ($body, $volatility) = @_;
	$volatility //= 'STABLE';
	return "CREATE OR REPLACE FUNCTION may_show(integer) RETURNS boolean $volatility LANGUAGE plpgsql AS \$f\$BEGIN $body RETURN \$1 > 0; END\$f\$;";
}
my $asked = q(SELECT listed('asked'););
($stdout, $stderr) = session(join("\n", $asked, replaced('RAISE EXCEPTION $$not today$$;'), $asked,
	replaced('INSERT INTO public.events VALUES (1, 1);'), $asked, replaced('PERFORM 1;', 'VOLATILE'), $asked, replaced(''), $asked,
	replaced('LOOP PERFORM 1; END LOOP;'), "SET statement_timeout = '300ms';", $asked, 'RESET statement_timeout;', replaced('RETURN $1 > 5;'),
	$asked, replaced(''), $asked));
$all = $node->safe_psql('postgres', 'SELECT listed()');
is($stdout, join("\n", $all, $all, '0 rows, 0 even, 0 thirds', $all), 'a function that is replaced is asked in its new form');
my @errors = $stderr =~ /ERROR:  ([^\n]*)/g;
is_deeply(\@errors, [ 'not today', 'INSERT is not allowed in a non-volatile function',
		'functions in the definition of a recommender must not be volatile', 'canceling statement due to statement timeout' ],
	'one that raises, writes, is volatile or does not end is an error');
is(() = $stderr =~ /"item_filter" of recommender "asked"/g, 4, 'which tells the part and the recommender') or diag($stderr);

# One that calls recommend itself, with more shapes of a context than are kept, and changes the table meanwhile
$node->safe_psql('postgres', q(
	CREATE TABLE wide (product_id integer PRIMARY KEY, stock integer);
	INSERT INTO wide SELECT product_id, stock FROM items;
	DO $$ BEGIN FOR i IN 1 .. 40 LOOP EXECUTE format('ALTER TABLE wide ADD c%s integer DEFAULT 1', i); END LOOP; END $$;
	CREATE FUNCTION nested(integer) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('filter.inside', true) = 'yes' THEN RETURN $1 > 0; END IF;
		PERFORM set_config('filter.inside', 'yes', false);
		FOR i IN 1 .. 40 LOOP
			PERFORM * FROM public.recommend(7, 3, 'nested', context => jsonb_build_object('filter', jsonb_build_object('c' || i, 1)));
		END LOOP;
		RETURN $1 > 0;
	END $$;
	SELECT recsys.create_recommender('nested', '[{"events": "events_recsys"}]', 'wide', 'product_id', item_filter => 'nested(stock)')));
is($node->safe_psql('postgres', q(SELECT count(*) FROM recommend(7, 2, 'nested'); SET filter.inside = 'no'; SELECT listed('nested', '{"filter": {"min_c1": 1}}'))),
	"2\n$all", 'a filter may call recommend, with any contexts');

# Any number of shapes leaves no more behind than the last ones
my $shapes = q(SELECT sum(length(listed('nested', jsonb_build_object('filter', jsonb_build_object('c' || i % 40 + 1, 1, 'min_c' || i / 40 + 1, 1))))) > 0
	FROM generate_series(1, 300) i;);
my $memory = q(SELECT sum(total_bytes) FROM pg_backend_memory_contexts;);
($stdout) = session("SET filter.inside = 'yes'; $shapes $memory $shapes $memory");
my (undef, $before, undef, $after) = split /\n/, $stdout;
cmp_ok($after, '<', $before * 1.1 + 200_000, "300 shapes of a context again: $before and $after bytes");
cmp_ok($before, '<', 60_000_000, 'and they are few at all');

# Locks of others
my $holder = start_psql($node, 'BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)');
$node->poll_query_until('postgres', q(SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'items'::regclass)));
($stdout, $stderr) = session(q(SET lock_timeout = '200ms'; SELECT listed();));
like($stderr, qr/canceling statement due to lock timeout/, 'lock_timeout ends a wait for the items');
$node->safe_psql('postgres', q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE items%'));
finish($holder);
is($node->safe_psql('postgres', 'SELECT listed()'), $all, 'and then it goes on');

# A table that grows after its queries have been planned, without statistics: by its index all the same
$node->safe_psql('postgres', q(
	CREATE TABLE grown (product_id bigint PRIMARY KEY, ok boolean);
	SELECT recsys.create_recommender('grown', '[{"events": "events_recsys"}]', 'grown', 'product_id', item_filter => 'ok')));
my $scans = q(SELECT pg_stat_force_next_flush(); SELECT pg_stat_clear_snapshot();
	SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'grown';);
($stdout, $stderr) = session(qq(SELECT count(*) FROM recommend(7, 10, 'grown');
	INSERT INTO grown SELECT p, p % 5 > 0 FROM generate_series(1, 50000) p;
	$scans
	SELECT count(*) FILTER (WHERE item_id % 5 > 0) FROM generate_series(1, 20) u CROSS JOIN LATERAL recommend(u, 10, 'grown');
	$scans));
my @grown = grep { $_ ne '' } split /\n/, $stdout;
my ($sequential, $by_index) = map { [ split /\|/, $_ ] } grep { /\|/ } @grown;
is($by_index->[0] - $sequential->[0], 0, 'it is not read from one end to the other') or diag($stdout, $stderr);
cmp_ok($by_index->[1] - $sequential->[1], '>=', 21, 'but by its index');
ok((grep { $_ eq '200' } @grown) > 0, 'and the lists are full') or diag($stdout);

# The same where the index has been dropped, and comes back, and with statistics
$node->safe_psql('postgres', q(
	CREATE TABLE bare AS SELECT p::bigint AS product_id, p % 5 > 0 AS ok FROM generate_series(1, 20000) p;
	CREATE UNIQUE INDEX bare_key ON bare (product_id);
	SELECT recsys.create_recommender('bare', '[{"events": "events_recsys"}]', 'bare', 'product_id', item_filter => 'ok');
	DROP INDEX bare_key));
$scans =~ s/grown/bare/;
my $count = q(SELECT count(*) FILTER (WHERE item_id % 5 > 0) FROM generate_series(1, 5) u CROSS JOIN LATERAL recommend(u, 10, 'bare'););
($stdout) = session("$count CREATE UNIQUE INDEX bare_key ON bare (product_id);\n$scans $count\n$scans ANALYZE bare; $count\n$scans");
my @scans = map { [ split /\|/, $_ ] } grep { /\|/ } split /\n/, $stdout;
is($scans[1][0] - $scans[0][0], 0, 'an index that is made meanwhile is used at once') or diag($stdout);
cmp_ok($scans[2][1] - $scans[1][1], '>=', 5, 'and goes on being so after ANALYZE');
is(() = $stdout =~ /^50$/mg, 3, 'the lists are full every time');

# A table that is made anew, with other columns and another type of key
($stdout, $stderr) = session(q(
	SELECT listed('asked');
	BEGIN; DROP TABLE items; CREATE TABLE items (note text, product_id smallint, stock integer);
	INSERT INTO items SELECT 'n', p, p % 3 FROM generate_series(1, 400) p; COMMIT;
	SELECT listed('asked'); SELECT listed();
	ALTER TABLE items ALTER product_id TYPE text; SELECT listed();
	ALTER TABLE items ALTER product_id TYPE bigint USING product_id::bigint; SELECT listed();
	ALTER TABLE items DROP COLUMN stock; SELECT listed();
	ALTER TABLE items ADD stock integer DEFAULT 1; SELECT count(*) FROM recommend(7, 10, 'home');
	DROP TABLE items; SELECT listed();));
is($stdout, join("\n", $all, $all, $all, $all, 10), 'a table that is made anew is read as it is');
@errors = $stderr =~ /ERROR:  ([^\n]*)/g;
is_deeply(\@errors, [ 'item keys of recommender "home" are of type text in public.items, but integer in "public.events_recsys"',
		'column items.stock does not exist', 'relation public.items does not exist' ], 'what does not fit or is gone is told') or diag($stderr);
like($stderr, qr/SELECT recsys\.alter_recommender\('home', reset => '\{item_filter\}'\)/, 'with the call to do without');

# One item in ten thousand, among 40,000 of which the events know 400
$node->safe_psql('postgres', q(
	CREATE TABLE many (product_id integer PRIMARY KEY, rare integer, label text);
	INSERT INTO many SELECT p, p % 10000, 'label ' || p % 10000 FROM generate_series(1, 40000) p;));
foreach my $statistics ('no statistics', 'statistics', 'an index')
{
	$node->safe_psql('postgres', 'ANALYZE many') if $statistics eq 'statistics';
	$node->safe_psql('postgres', 'CREATE INDEX ON many (rare)') if $statistics eq 'an index';
	foreach my $rare (50, 333, 9999)
	{
		my $name = "rare_$rare";
		my $eligible = join(' ', sort { $a <=> $b } map { $rare + 10000 * $_ } 0 .. 3);

		$node->safe_psql('postgres', qq(SELECT recsys.create_recommender('$name', '[{"events": "events_recsys"}]', 'many', 'product_id',
			item_filter => 'rare = $rare'))) if $statistics eq 'no statistics';
		is($node->safe_psql('postgres', qq(
				SELECT count(*) FROM generate_series(1, 150) u
				CROSS JOIN LATERAL (SELECT string_agg(item_id::text, ' ' ORDER BY item_id) AS list, count(*), min(rank) FILTER (WHERE item_id = $rare) AS rank
					FROM recommend(u, 10, '$name', exclude_seen => false)) r
				LEFT JOIN LATERAL (SELECT 1 AS found FROM recommend(u, 100000, 'events_recsys', exclude_seen => false) WHERE item_id = $rare AND source = 'history') i ON true
				WHERE list <> '$eligible' OR (found = 1 AND r.rank > 1))),
			'0', "filter of one in 10,000, $statistics, $rare: exactly those, the known one first");
	}
}

done_testing();
