# recsys.refresh: what a schedule calls in the night.  One view that fails does not keep the others,
# what is done is done, and readers do not wait.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('refresh');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE bob LOGIN;
GRANT CREATE ON SCHEMA public TO bob;
CREATE TABLE purchases AS SELECT 1 + n % 50 AS user_id, 1 + (n * n / 7) % 30 AS product_id FROM generate_series(1, 600) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
GRANT SELECT ON purchases TO bob;
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]');
CREATE SCHEMA reports;
SELECT count(*) FROM recsys.create_views('home', 'reports');
SQL

# What others have committed, whatever the view is: a time tells which refresh it is of
sub stamp
{
	my ($name, $more) = @_;
	return "CREATE MATERIALIZED VIEW $name AS SELECT clock_timestamp() AS at, p.item_id FROM popular_items(1, 'home') p" . ($more // '');
}

sub stamps
{
	return $node->safe_psql('postgres', 'SELECT ' . join(', ', map { "(SELECT at FROM $_)" } @_));
}

sub call_of
{
	my ($sql) = @_;
	my ($code, $out, $error) = $node->psql('postgres', $sql, on_error_stop => 0);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

# Views over views over views, made in an order that is not that of their reading
$node->safe_psql('postgres', join(';', stamp('first'),
	q(CREATE VIEW plain AS SELECT at FROM first),
	q(CREATE MATERIALIZED VIEW second AS SELECT p.at AS before, clock_timestamp() AS at FROM plain p, popular_items(1, 'home')),
	q(CREATE MATERIALIZED VIEW third AS WITH x AS (SELECT * FROM second) SELECT (SELECT at FROM x) AS before, clock_timestamp() AS at FROM popular_items(1, 'home')),
	# dropped and made again: now it is the last one, and read by the others
	q(DROP MATERIALIZED VIEW third), q(DROP MATERIALIZED VIEW second), q(DROP VIEW plain), q(DROP MATERIALIZED VIEW first),
	q(CREATE TABLE first AS SELECT now() AS at), q(CREATE VIEW plain AS SELECT at FROM first),
	q(CREATE MATERIALIZED VIEW second AS SELECT p.at AS before, clock_timestamp() AS at FROM plain p, popular_items(1, 'home')),
	q(CREATE MATERIALIZED VIEW third AS WITH x AS (SELECT * FROM second) SELECT (SELECT at FROM x) AS before, clock_timestamp() AS at FROM popular_items(1, 'home')),
	stamp('late'), q(CREATE OR REPLACE VIEW plain AS SELECT at FROM late)));
call_of(q(CALL recsys.refresh('home')));
is($node->safe_psql('postgres', 'SELECT (SELECT before FROM second) = (SELECT at FROM late), (SELECT before FROM third) = (SELECT at FROM second)'), 't|t',
	'each is refreshed behind those that it reads');

# A view that fails: a WARNING, the others are committed, and an error in the end
$node->safe_psql('postgres', join(';', 'CREATE TABLE switch AS SELECT 1 AS on', stamp('a_fails', ', (SELECT 1 / "on" FROM switch) x (y) WHERE y > 0'),
	'UPDATE switch SET "on" = 0'));
my $before = stamps(qw(late third a_fails));
my $said = call_of(q(CALL recsys.refresh('home')));
like($said, qr/WARNING:  could not refresh public\.a_fails: division by zero.*ERROR:  1 of \d+ could not be refreshed: public\.a_fails\nDETAIL:  The others have been refreshed\..*CALL recsys\.refresh\('home'\);/s, 'a failure is told');
my @was = split /\|/, $before;
my @is = split /\|/, stamps(qw(late third a_fails));
ok($is[0] ne $was[0] && $is[1] ne $was[1] && $is[2] eq $was[2], 'the others are done, and committed');
# within a block all of it is undone
$before = stamps(qw(late third));
like(call_of(q(BEGIN; CALL recsys.refresh('home'); COMMIT;)), qr/Within a transaction all of it is undone/, 'in a transaction block');
is(stamps(qw(late third)), $before, 'it is undone');
$node->safe_psql('postgres', 'UPDATE switch SET "on" = 1');
is(call_of(q(BEGIN; CALL recsys.refresh('home'); SELECT 1; COMMIT)), '1', 'a block goes on behind a call');
isnt(stamps(qw(late third)), $before, 'and commits');
is(call_of(q(DO $$ BEGIN CALL recsys.refresh('home'); PERFORM 1; END $$)), '', 'from a block of PL/pgSQL');
$node->safe_psql('postgres', q(CREATE PROCEDURE nightly() LANGUAGE plpgsql AS $$ BEGIN CALL recsys.refresh('home'); COMMIT; CALL recsys.refresh('purchases_recsys'); END $$));
is(call_of(q(CALL nightly())), '', 'from a procedure, which may commit');
$node->safe_psql('postgres', q(CREATE FUNCTION nightly_function() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL recsys.refresh('home'); END $$));
is(call_of(q(SELECT nightly_function())), '', 'from a function');

# One that is busy is passed over in the time that one gives it
# A call in a session of its own, while a transaction of this one goes on
sub beside
{
	my ($sql, $timeout) = @_;
	my $connection = $node->connstr('postgres');

	return call_of(qq(BEGIN;\n$sql;\n\\! PGOPTIONS='-c lock_timeout=$timeout' psql -X -q -d "$connection" -c "CALL recsys.refresh('home')" 2>&1\nROLLBACK;));
}
$before = stamps(qw(late second third));
like(beside('SELECT count(*) FROM second', '200ms'), qr/could not refresh public\.second: canceling statement due to lock timeout.*1 of/s, 'one that is locked');
@was = split /\|/, $before;
@is = split /\|/, stamps(qw(late second third));
ok($is[0] ne $was[0] && $is[1] eq $was[1] && $is[2] ne $was[2], 'the others are done');
# with a unique index nobody waits for it: it is refreshed beside its readers
is(beside('SELECT FROM reports.item_similarity, reports.association_rules, reports.popular_by_segment, reports.daily_metrics LIMIT 0', '5s'), '',
	'ready views are refreshed while somebody reads');

# Who stops it stops all of it
$node->safe_psql('postgres', stamp('zz_slow', ', pg_sleep((SELECT CASE WHEN "on" = 2 THEN 60 ELSE 0 END FROM switch)) AS x') . '; UPDATE switch SET "on" = 2');
$before = stamps(qw(late zz_slow));
like(call_of(q(SET statement_timeout = '1500ms'; CALL recsys.refresh('home'))), qr/^ERROR:  canceling statement due to statement timeout/, 'a timeout ends it');
@was = split /\|/, $before;
@is = split /\|/, stamps(qw(late zz_slow));
ok($is[0] ne $was[0] && $is[1] eq $was[1], 'what was done before stays');
$node->safe_psql('postgres', 'DROP MATERIALIZED VIEW zz_slow; UPDATE switch SET "on" = 1');

# Others' views are for others, and run with their rights
$node->safe_psql('postgres', 'SET ROLE bob;' . q(CREATE FUNCTION public.who() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT current_user::text';) .
	q(CREATE MATERIALIZED VIEW of_bob AS SELECT who() AS who, clock_timestamp() AS at FROM popular_items(1, 'purchases_recsys');));
$before = stamps(qw(late of_bob));
is(call_of(q(SET ROLE bob; CALL recsys.refresh('home'))), '', 'a role refreshes its own');
@was = split /\|/, $before;
@is = split /\|/, stamps(qw(late of_bob));
ok($is[0] eq $was[0] && $is[1] ne $was[1], 'and nothing else');
# a superuser does not let strangers keep him waiting, nor somebody who lets him maintain a view
$before = stamps(qw(late of_bob));
is(call_of(q(CALL recsys.refresh('home'))), '', 'a superuser');
@was = split /\|/, $before;
@is = split /\|/, stamps(qw(late of_bob));
ok($is[0] ne $was[0] && $is[1] eq $was[1], 'leaves views of strangers to them');
$node->safe_psql('postgres', q(SET ROLE bob; SELECT recsys.create_recommender('bobs', '[{"events": "purchases_recsys"}]')));
is(call_of(q(CALL recsys.refresh('bobs'))), '', 'a recommender of somebody else');
isnt(stamps(qw(of_bob)), $is[1], 'its owner is no stranger');
is($node->safe_psql('postgres', 'SELECT who FROM of_bob'), 'bob', 'and is lent no rights');
like(call_of(q(SET ROLE bob; CALL recsys.refresh('purchases_recsys'); DROP MATERIALIZED VIEW of_bob; CALL recsys.refresh('home'))),
	qr/^NOTICE:  nothing of recommender "home" is to be refreshed by you/, 'nothing to do is told');
SKIP:
{
	skip 'MAINTAIN is granted from PostgreSQL 17 on', 1 if $node->safe_psql('postgres', 'SHOW server_version_num') < 170000;
	$before = stamps('late');
	# its owner is a superuser, whom everybody trusts
	call_of(q(GRANT MAINTAIN ON late TO bob; SET ROLE bob; CALL recsys.refresh('home')));
	isnt(stamps('late'), $before, 'who may maintain a view refreshes it');
}

# Two at once
my @both = map { start_psql($node, q(CALL recsys.refresh('home'))) } 1 .. 3;
is(scalar(grep { finish($_) } @both), 3, 'several at once wait for each other');

# Names: of the index without its schema, in functions of the shop, in a JSON text; and what is none
$node->safe_psql('postgres', <<'SQL');
CREATE MATERIALIZED VIEW by_index AS SELECT clock_timestamp() AS at FROM item_similarity('purchases_recsys') LIMIT 1;
CREATE MATERIALIZED VIEW by_name AS SELECT clock_timestamp() AS at FROM item_similarity('public.purchases_recsys'::name::text) LIMIT 1;
CREATE MATERIALIZED VIEW in_subquery AS SELECT clock_timestamp() AS at WHERE EXISTS (SELECT FROM item_similarity('"purchases_recsys"'));
CREATE MATERIALIZED VIEW by_user AS SELECT clock_timestamp() AS at FROM (SELECT DISTINCT user_id FROM purchases LIMIT 2) u, LATERAL recommend(u.user_id, 1, 'home') r LIMIT 1;
CREATE MATERIALIZED VIEW unrelated AS SELECT clock_timestamp() AS at, 'home'::text AS name, upper('home') AS other;
CREATE MATERIALIZED VIEW by_other AS SELECT clock_timestamp() AS at FROM query_item_similarity('SELECT user_id, product_id FROM public.purchases') LIMIT 1;
SQL
my @names = qw(by_index by_name in_subquery by_user unrelated by_other);
$before = stamps(@names);
is(call_of(q(SET search_path = public; CALL recsys.refresh('home'))), '', 'names of all kinds');
@was = split /\|/, $before;
@is = split /\|/, stamps(@names);
is(join(', ', map { $is[$_] ne $was[$_] ? $names[$_] : () } 0 .. $#names), 'by_index, by_name, in_subquery, by_user', 'those that name the recommender');

# What a recommender is made of comes first: materialized views among its tables, in plain views, too;
# and what is made of what is made of it comes last
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE lines AS SELECT 1 + n % 50 AS u, 1 + (n * n / 7) % 30 AS i FROM generate_series(1, 600) n;
CREATE TABLE goods AS SELECT n AS i, 'Thing ' || n AS name FROM generate_series(1, 40) n;
CREATE MATERIALIZED VIEW bought AS SELECT u, i FROM lines;
CREATE MATERIALIZED VIEW names AS SELECT i, name FROM goods;
CREATE VIEW items AS SELECT i, name FROM names;
CREATE INDEX bought_recsys ON bought USING recsys (u, i);
SELECT recsys.create_recommender('made', '[{"events": "bought_recsys"}]', items => 'items', item_key => 'i', title => 'name');
CREATE SCHEMA made;
SELECT count(*) FROM recsys.create_views('made', 'made');
CREATE MATERIALIZED VIEW over AS SELECT item_id, title, count(*) AS n FROM made.item_similarity GROUP BY 1, 2;
CREATE MATERIALIZED VIEW over_over AS SELECT count(*) AS n FROM over;
INSERT INTO lines SELECT u, 40 FROM generate_series(1, 20) u;
UPDATE goods SET name = 'Fortieth' WHERE i = 40;
SQL
is(call_of(q(CALL recsys.refresh('made'))), '', 'a recommender over materialized views');
is($node->safe_psql('postgres', q(SELECT DISTINCT title FROM made.item_similarity WHERE item_id = 40; SELECT n > 0 FROM over WHERE title = 'Fortieth'; SELECT n = (SELECT count(*) FROM over) FROM over_over)),
	"Fortieth\nt\nt", 'they come first, and what is made of it last');
is($node->safe_psql('postgres', q(SELECT support = (SELECT count(*) FROM bought WHERE i = 40) FROM recsys.index_stats, LATERAL (SELECT users AS support FROM popular_items(100, 'bought_recsys') WHERE item_id = 40) p WHERE index_name = 'bought_recsys' AND pending = 0)),
	't', 'changes of its index are merged');

# A standby and a read-only transaction say so
like(call_of(q(SET default_transaction_read_only = on; CALL recsys.refresh('home'))), qr/cannot execute recsys\.refresh\(\) in a read-only transaction/, 'read-only');

$node->stop;
done_testing();
