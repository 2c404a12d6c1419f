# Declared recommenders outlive a dump, are changed by one session at a time, and lend nobody
# the rights of those who call them more than a view does.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('declare');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE products (product_id bigint PRIMARY KEY, name text, stock integer, seller_id integer);
INSERT INTO products SELECT p, 'Product ' || p, p % 3, p % 7 FROM generate_series(1, 60) p;
CREATE TABLE purchases (user_id bigint, product_id bigint);
INSERT INTO purchases SELECT 1 + n % 40, 1 + (n * 7 + n / 40) % 60 FROM generate_series(1, 400) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE FUNCTION is_fine(bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 > 0';
CREATE ROLE mallory LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE shopkeeper LOGIN CREATEDB;
CREATE SCHEMA mallory AUTHORIZATION mallory;
GRANT SELECT ON purchases, products TO mallory, bob;
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	item_filter => 'stock > 0 AND is_fine(product_id)', seller => 'seller_id', max_per_seller => 2);
SQL

my $lists = "SELECT u, r.* FROM generate_series(1, 40) u, recommend(u, 10, 'home') r ORDER BY u, rank";
my $definitions = 'SELECT name, owner, definition, created_at FROM recsys.recommender ORDER BY name';

my $directory = PostgreSQL::Test::Utils::tempdir();
my $sessions = 0;

sub as
{
	my ($role, $sql, $database) = @_;
	my ($code, $out, $error) = $node->psql($database // 'postgres', "SET ROLE $role; $sql", on_error_stop => 1);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

sub error_of
{
	return ($node->psql('postgres', $_[0]))[2];
}

# A session of its own, and what it has said when it has ended
sub begin
{
	my ($sql) = @_;
	my $session = { said => '' };
	my $file = "$directory/session" . $sessions++;

	append_to_file($file, $sql);
	$session->{run} = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$session->{said}, '2>', \$session->{said});
	return $session;
}

sub said
{
	my ($session) = @_;

	$session->{run}->finish;
	return $session->{said};
}

# A dump
foreach my $format ('plain', 'custom')
{
	my $file = "$directory/$format";

	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	$node->command_ok([ 'pg_dump', "-F$format", '-f', $file, $node->connstr('postgres') ], "pg_dump, $format");
	$node->command_ok($format eq 'plain' ?
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('from_plain') ] :
		[ 'pg_restore', '-e', '-d', $node->connstr('from_custom'), $file ], "it is restored, $format");
	is($node->safe_psql("from_$format", $definitions), $node->safe_psql('postgres', $definitions), "the definition is there, $format");
	is($node->safe_psql("from_$format", 'SELECT problem IS NULL FROM recsys.recommenders'), 't', "it has no problem, $format");
	is($node->safe_psql("from_$format", $lists), $node->safe_psql('postgres', $lists), "it gives the same lists, $format");
	$node->command_ok([ 'pg_dump', '-f', "$file.again", $node->connstr("from_$format") ], "and can be dumped again, $format");
}

# Of an owner of a database who is no superuser: what he cannot give away becomes his
$node->safe_psql('postgres', 'CREATE DATABASE small OWNER shopkeeper');
$node->safe_psql('postgres', 'CREATE DATABASE small_again OWNER shopkeeper');
my @shopkeeper = ('-U', 'shopkeeper', '-h', $node->host, '-p', $node->port);
$node->safe_psql('small', <<'SQL', extra_params => [ '-U', 'shopkeeper' ]);
CREATE EXTENSION recsys;
CREATE SCHEMA shop;
CREATE TABLE shop.bought AS SELECT n % 20 AS u, n % 13 AS i FROM generate_series(1, 200) n;
CREATE INDEX bought_recsys ON shop.bought USING recsys (u, i);
SELECT recsys.create_recommender('his', '[{"events": "shop.bought_recsys"}]');
SQL
$node->safe_psql('small', q(SELECT recsys.create_recommender('not_his', '[{"events": "shop.bought_recsys"}]')));
$node->command_ok([ 'pg_dump', @shopkeeper, '-f', "$directory/small", 'small' ], 'pg_dump by who is no superuser');
$node->command_ok([ 'psql', '-X', '-q', @shopkeeper, '-v', 'ON_ERROR_STOP=1', '-f', "$directory/small", 'small_again' ],
	'and restored by him');
is($node->safe_psql('small_again', 'SELECT name, owner FROM recsys.recommender ORDER BY 1'), "his|shopkeeper\nnot_his|shopkeeper",
	'what he had not declared becomes his');
is($node->safe_psql('small_again', q(SELECT count(*) FROM recommend(1, 3, 'his'))), 3, 'it works');
like(as('shopkeeper', q(UPDATE recsys.recommender SET owner = 'postgres'), 'small'), qr/permission denied/, 'he changes no rows');
like(as('shopkeeper', q(DELETE FROM recsys.recommender), 'small'), qr/permission denied/, 'and removes none');
$node->safe_psql('small', q(SET ROLE shopkeeper; INSERT INTO recsys.recommender SELECT 'forged', 'postgres', definition FROM recsys.recommender WHERE name = 'his'));
is($node->safe_psql('small', q(SELECT owner FROM recsys.recommender WHERE name = 'forged')), 'shopkeeper', 'and forges no owner');

# A standby
my $standby = PostgreSQL::Test::Cluster->new('declare_standby');
$node->backup('backup');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $lists), $node->safe_psql('postgres', $lists), 'a standby serves it');
is($standby->safe_psql('postgres', 'SELECT name, problem IS NULL FROM recsys.recommenders'), 'home|t', 'and looks for problems');
like(($standby->psql('postgres', q(SELECT recsys.alter_recommender('home', min_users => 3))))[2],
	qr/cannot execute recsys.alter_recommender\(\) in a read-only transaction/, 'but changes nothing');
my $watching = $standby->safe_psql('postgres', "SELECT count(*) FROM recommend(1, 3, 'home')");
$node->safe_psql('postgres', q(SELECT recsys.alter_recommender('home', item_filter => 'product_id = 7')));
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q(SELECT DISTINCT item_id FROM generate_series(1, 40) u, recommend(u, 3, 'home'))), 7, 'a change arrives there');
$node->safe_psql('postgres', q(SELECT recsys.alter_recommender('home', item_filter => 'stock > 0 AND is_fine(product_id)')));
$standby->stop;

# One session at a time: the first one stays in its transaction until the second waits for it
sub race
{
	my ($first, $end, $second) = @_;
	my $holder = begin("BEGIN; $first; SELECT pg_advisory_lock(1);
DO \$\$ BEGIN FOR i IN 1 .. 400 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE locktype IN ('transactionid', 'tuple', 'object', 'relation') AND NOT granted); PERFORM pg_sleep(0.05); END LOOP; END \$\$;
$end;");
	my $waiter;

	$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory')) or BAIL_OUT('nobody holds');
	$waiter = begin("$second;");
	said($holder);
	return said($waiter);
}
my $create = q(SELECT recsys.create_recommender('new', '[{"events": "purchases_recsys"}]'));
like(race($create, 'COMMIT', $create), qr/ERROR:  recommender "new" already exists/, 'the second of two who create one waits, and is told');
$node->safe_psql('postgres', q(SELECT recsys.drop_recommender('new')));
unlike(race($create, 'ROLLBACK', $create), qr/ERROR/, 'or creates it when the first has not');
unlike(race(q(SELECT recsys.alter_recommender('new', min_users => 7)), 'COMMIT', q(SELECT recsys.alter_recommender('new', diversity => 0.5))),
	qr/ERROR/, 'the second of two who change one waits');
is($node->safe_psql('postgres', q(SELECT min_users, diversity FROM recsys.recommenders WHERE name = 'new')), '7|0.5', 'and nothing is lost');
like(race(q(SELECT recsys.drop_recommender('new')), 'COMMIT', q(SELECT recsys.alter_recommender('new', diversity => 0.4))),
	qr/ERROR:  recommender "new" does not exist/, 'who changes what is dropped meanwhile is told');

# What another session commits counts in the next call
my $psql = 'psql -X -q -h ' . $node->host . ' -p ' . $node->port . ' postgres';
is($node->safe_psql('postgres', qq(SELECT count(*) FROM recommend(1, 100, 'home') JOIN products ON product_id = item_id WHERE stock = 1;
\\! $psql -c "SELECT recsys.alter_recommender('home', item_filter => 'stock = 2')" >/dev/null
SELECT count(*) FROM recommend(1, 100, 'home') JOIN products ON product_id = item_id WHERE stock = 1;
\\! $psql -c "SELECT recsys.alter_recommender('home', item_filter => 'stock > 0 AND is_fine(product_id)')" >/dev/null
SELECT count(*) > 0 FROM recommend(1, 100, 'home') JOIN products ON product_id = item_id WHERE stock = 1)) =~ s/^\d+/many/r,
	"many\n0\nt", 'a session follows the changes of another');
like(error_of(qq(SELECT count(*) FROM recommend(1, 3, 'home');
\\! $psql -c "CREATE OR REPLACE FUNCTION is_fine(bigint) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT true'"
SELECT count(*) FROM recommend(1, 3, 'home'))), qr/must not be volatile/, 'a function that has become volatile is refused');
$node->safe_psql('postgres', q(CREATE OR REPLACE FUNCTION is_fine(bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 > 0'));

# Nobody runs what a stranger has declared without having named it
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE trace (role text);
GRANT INSERT ON trace TO PUBLIC;
SET ROLE mallory;
CREATE FUNCTION mallory.write() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO public.trace VALUES (current_user); RETURN true; END $$;
CREATE FUNCTION mallory.trap(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN mallory.write(); END $$;
CREATE FUNCTION mallory.constant(bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN mallory.write(); END $$;
SELECT recsys.create_recommender('trap', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	item_filter => 'mallory.trap(product_id) AND mallory.constant(1)');
CREATE VIEW mallory.trap AS SELECT * FROM products WHERE mallory.trap(product_id);
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
GRANT SELECT ON mallory.trap TO PUBLIC;
SQL
sub traces
{
	my ($what, $expected, $name) = @_;

	$node->safe_psql('postgres', 'TRUNCATE trace');
	my $said = $node->psql('postgres', $what);
	is($node->safe_psql('postgres', 'SELECT DISTINCT role FROM trace'), $expected, $name) or diag($said);
}
traces('SELECT problem FROM recsys.recommenders', '', 'a superuser who looks runs nothing');
traces("SET ROLE bob; SELECT problem FROM recsys.recommenders", '', 'nor does anybody else');
traces("SET ROLE mallory; SELECT recsys.alter_recommender('trap', min_users => 1, item_filter => 'mallory.trap(product_id) AND mallory.constant(1)')", '',
	'nothing is run by declaring it');
traces('SELECT count(*) FROM recommend(1, 3)', '', 'a superuser who names nothing does not run it');
traces('SET ROLE bob; SELECT count(*) FROM recommend(1, 3)', '', 'nor does anybody else whose table it is not over');
$node->safe_psql('postgres', q(SELECT recsys.drop_recommender('home')));
traces('SELECT count(*) FROM recommend(1, 3)', '', 'not even where it is the only one');
traces('SET ROLE bob; SELECT count(*) FROM recommend(1, 3)', '', 'for nobody');
traces('SELECT count(*) FROM mallory.trap', 'postgres', 'a view runs such a function with the rights of who reads it');
traces(q(SELECT count(*) FROM recommend(1, 3, 'trap')), 'postgres', 'so does a recommender that is named');
traces(q(SET ROLE bob; SELECT count(*) FROM recommend(1, 3, 'trap')), 'bob', 'with the rights of who calls');
traces(q(SET ROLE mallory; SELECT count(*) FROM recommend(1, 3)), 'mallory', 'who has declared it need not name it');
$node->safe_psql('postgres', q(SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'stock = 1')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM recommend(1, 100) JOIN products ON product_id = item_id WHERE stock <> 1'), 0, 'what a superuser has declared is for all');
is(as('bob', 'SELECT count(*) FROM recommend(1, 100) JOIN products ON product_id = item_id WHERE stock <> 1'), 0, 'for all');
like(as('mallory', q(SELECT recsys.alter_recommender('trap', new_owner => 'postgres'))), qr/must have privileges of role "postgres"/,
	'a trap is given to nobody');
like(as('mallory', q(SELECT recsys.create_recommender('purchases_recsys', '[{"events": "purchases_recsys"}]'))), qr/there is a recsys index/,
	'the name of an index is not taken away');
# an index that comes later has the name
$node->safe_psql('postgres', 'CREATE TABLE few AS SELECT 1 AS u, n AS i FROM generate_series(1, 5) n; CREATE INDEX home ON few USING recsys (u, i)');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recommend(2, 100, 'home'))), 5, 'an index of the name comes first');
$node->safe_psql('postgres', 'DROP TABLE few');

# Filters that fail
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION raising(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE 'not today'; END $$;
CREATE FUNCTION writing(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN INSERT INTO public.trace VALUES ('x'); RETURN true; END $$;
CREATE FUNCTION endless(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN LOOP END LOOP; END $$;
SELECT recsys.create_recommender(f, '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => f || '(product_id)')
FROM unnest('{raising,writing,endless}'::text[]) f;
SQL
my $error = error_of(q(SELECT * FROM recommend(1, 3, 'raising')));
like($error, qr/ERROR:  not today/, 'a function of a filter raises an error');
like($error, qr/"\w+" of recommender "raising"/, 'which says where it comes from');
like(error_of(q(SELECT * FROM recommend(1, 3, 'writing'))), qr/INSERT is not allowed in a non-volatile function/, 'one writes');
like(error_of(q(SET statement_timeout = '200ms'; SELECT * FROM recommend(1, 3, 'endless'))),
	qr/canceling statement due to statement timeout/, 'one never ends, until the timeout');
my $endless = begin(q(SELECT * FROM recommend(1, 3, 'endless');));
$node->poll_query_until('postgres', q(SELECT count(pg_cancel_backend(pid)) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT * FROM recommend(1, 3, ''endless'')%'))
  or BAIL_OUT('the endless call does not show');
like(said($endless), qr/canceling statement due to user request/, 'or until it is cancelled');
# in one session: after each error the next call is as before, and the search path is the session's
is($node->safe_psql('postgres', q(
	SET search_path = mallory, public;
	DO $$ BEGIN PERFORM recommend(1, 3, 'raising'); EXCEPTION WHEN raise_exception THEN END $$;
	SHOW search_path;
	SELECT count(*) FROM recommend(1, 3, 'home');
	SHOW search_path)), "mallory, public\n3\nmallory, public", 'an error leaves nothing behind');

# Of the same failing call a session keeps nothing, however often it is asked
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE broken AS SELECT product_id, 'a' AS kind FROM products;
CREATE UNIQUE INDEX ON broken (product_id);
CREATE TABLE users AS SELECT u AS user_id, false AS is_fake FROM generate_series(1::bigint, 40) u;
SELECT recsys.create_recommender('broken', '[{"events": "purchases_recsys"}]', items => 'broken', item_key => 'product_id', item_filter => $$kind > ''$$,
	profiles => 'users', profile_key => 'user_id', exclude_users => 'is_fake');
ALTER TABLE broken RENAME kind TO sort;
CREATE FUNCTION fail(call text, times integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			EXECUTE call;
			RAISE 'no error from %', call;
		EXCEPTION WHEN undefined_column OR raise_exception THEN NULL;
		END;
	END LOOP;
	RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
END $$;
SQL
foreach my $call (q(SELECT count(*) FROM recommend(1, 3, 'broken')), q(SELECT count(*) FROM recommend(1, 3, 'raising')))
{
	my ($first, $then) = split /\n/, $node->safe_psql('postgres', 'SELECT fail($q$' . $call . '$q$, 100); SELECT fail($q$' . $call . '$q$, 2000)');
	cmp_ok($then - $first, '<', 100_000, "2000 failing calls: $call");
}

# What was boolean and is a text by now is not taken for true
$node->safe_psql('postgres', q(ALTER TABLE broken RENAME sort TO kind));
my $types = error_of(q(SELECT count(*) FROM recommend(1, 3, 'broken'); ALTER TABLE users ALTER is_fake TYPE text USING 'no'; SELECT count(*) FROM recommend(1, 3, 'broken')));
like($types, qr/argument of IS TRUE must be type boolean, not type text/, 'a condition that is none any more');
like($types, qr/"exclude_users" of recommender "broken"/, 'which says what it is');

# An owner who is gone
$node->safe_psql('postgres', 'CREATE ROLE passing; GRANT SELECT ON purchases TO passing');
as('passing', q(SELECT recsys.create_recommender('left', '[{"events": "purchases_recsys"}]')));
$node->safe_psql('postgres', 'DROP OWNED BY passing; DROP ROLE passing');
is($node->safe_psql('postgres', q(SELECT problem FROM recsys.recommenders WHERE name = 'left')), 'owner: role "passing" does not exist', 'an owner who is gone shows');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recommend(1, 3, 'left'))), 3, 'it serves all the same');
like(as('bob', q(SELECT recsys.alter_recommender('left', min_users => 1))), qr/must be owner/, 'it is nobody\'s');
$node->safe_psql('postgres', q(SELECT recsys.alter_recommender('left', new_owner => 'bob')));
unlike(as('bob', q(SELECT recsys.drop_recommender('left'))), qr/ERROR/, 'until a superuser gives it to somebody');

done_testing();
