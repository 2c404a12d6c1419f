# Bandits outlive a dump with what they have learned, choose on a standby, belong to somebody, and are
# variants of experiments.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary');

create_purchases($node, 2000);
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE alice;
CREATE ROLE bob;
CREATE ROLE app;
CREATE ROLE reader IN ROLE pg_read_all_data;
CREATE TABLE products (product_id bigint PRIMARY KEY, is_new boolean);
INSERT INTO products SELECT product_id, product_id % 20 = 0 FROM generate_series(1, 300) product_id;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text);
INSERT INTO customers SELECT c, (ARRAY['DE', 'FR'])[1 + c % 2] FROM generate_series(1, 200) c;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
CREATE INDEX plain_recsys ON purchases USING recsys (user_id, product_id);
GRANT SELECT ON purchases, products, customers TO alice, app;
SET ROLE alice;
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', profiles => 'customers', profile_key => 'customer_id');
SELECT recsys.create_bandit('slot', arms => '{home, plain_recsys}');
SELECT recsys.create_bandit('fresh', recommender => 'home', places => '{2}', candidates => 'is_new');
SELECT recsys.create_bandit('personal', arms => '{home, plain_recsys}', policy => 'linear_thompson', features => '{"country": {"expression": "country", "buckets": 2}, "device": {"context": "label", "buckets": 2}}', half_life => '30 days');
SQL

my $visits = q(SELECT count(*) FROM generate_series(1, 40) u, unnest('{slot, fresh, personal}'::text[]) b,
	LATERAL (SELECT request_id, item_id FROM recommend(u, 5, b, log => true, context => '{"features": {"device": "phone"}}') WHERE rank = 2) r,
	LATERAL (SELECT u % 3 = 0 AND recsys.log_click(r.request_id, r.item_id)) c);
my $learned = q(SELECT bandit, arm, place, trials::numeric(10, 3), rewards::numeric(10, 3) FROM recsys.bandit_arms WHERE trials > 0 ORDER BY 1, 3, 2);
my $state = 'SELECT name, arm, place, trials, rewards, squares, sums, as_of FROM recsys.bandit JOIN recsys.bandit_state USING (generation) ORDER BY 1, 3, 2';

sub as
{
	my ($role, $sql) = @_;
	my ($code, $out, $error) = $node->psql('postgres', "SET ROLE $role; $sql", on_error_stop => 1);

	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

sleep 0.01;
is(as('app', $visits), '120', 'whoever may use the arms is served, and logged');
$node->safe_psql('postgres', 'SELECT recsys.fold_bandits()');
is(as('app', $visits), '120', 'some is folded, some is not');
is($node->safe_psql('postgres', 'SELECT sum(trials) FROM recsys.bandit_arms WHERE bandit <> $$personal$$'), '160', 'all of it is counted');

# Rights
is(as('bob', 'SELECT count(*) FROM recsys.bandits'), '0', 'somebody else sees no bandit');
is(as('bob', 'SELECT count(*) FROM recsys.bandit_arms'), '0', 'nor what it has learned');
like(as('bob', q(SELECT recsys.bandit_arm_rows('slot'))), qr/must be owner of bandit "slot"/, 'not by the function, either');
foreach my $call (q(drop_bandit('slot')), q(reset_bandit('slot')), q(alter_bandit('slot', policy => 'ucb1')))
{
	like(as('bob', "SELECT recsys.$call"), qr/must be owner of bandit "slot"/, "not his: $call");
}
like(as('bob', q(SELECT recsys.create_bandit('mine', arms => '{plain_recsys, purchases_recsys}'))), qr/permission denied/, 'arms must be readable');
like(as('bob', 'SELECT recsys.fold_bandits()'), qr/must be owner of the extension/, 'folding is for the keeper');
foreach my $table ('bandit', 'bandit_state', 'bandit_delta', 'bandit_paid')
{
	like(as('alice', "SELECT count(*) FROM recsys.$table"), qr/permission denied/, "recsys.$table is not read by itself");
}
is(as('alice', 'SELECT count(*) FROM recsys.bandits'), '3', 'her own');
is(as('reader', 'SELECT count(*) FROM recsys.bandits'), '3', 'who reads all data sees all bandits');
is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.bandits WHERE problem IS NULL'), '3', 'so does a superuser');
like(as('alice', q(SELECT recsys.alter_bandit('slot', new_owner => 'bob'))), qr/must have privileges of role "bob"/, 'nobody gives it to strangers');
$node->safe_psql('postgres', q(SELECT recsys.alter_bandit('slot', new_owner => 'bob')));
is(as('bob', 'SELECT name FROM recsys.bandits'), 'slot', 'a superuser may');
$node->safe_psql('postgres', q(SELECT recsys.alter_bandit('slot', new_owner => 'alice')));

# What others declare does not run with the rights of who looks at it
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE secrets AS SELECT 1 AS secret;
CREATE SCHEMA alice AUTHORIZATION alice;
SET ROLE alice;
CREATE FUNCTION alice.probe(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE WARNING 'runs as %', current_user; RETURN true; END $$;
CREATE FUNCTION alice.constant() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'runs as %', current_user; RETURN true; END $$;
SELECT recsys.create_bandit('trap', recommender => 'home', places => '{1}', candidates => 'product_id < 3 AND alice.probe(product_id) AND alice.constant()');
SELECT recsys.create_bandit('bait', arms => '{home, plain_recsys}', policy => 'linucb', features => '{"x": "alice.constant()"}');
SQL
my ($code, $out, $error) = $node->psql('postgres', 'SELECT count(*) FROM recsys.bandits; SELECT count(*) > 5 FROM recsys.bandit_arms');
like($error, qr/runs as alice/, 'candidates are looked for as their owner');
unlike($error, qr/runs as postgres/, 'and nothing runs as a superuser who looks');
is($out, "5\nt", 'who sees all');
$node->safe_psql('postgres', q(SELECT recsys.drop_bandit('trap'), recsys.drop_bandit('bait')));

# A dump
foreach my $format ('plain', 'custom')
{
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$format";

	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	$node->command_ok([ 'pg_dump', "-F$format", '-f', $file, $node->connstr('postgres') ], "pg_dump, $format");
	$node->command_ok($format eq 'plain' ?
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('from_plain') ] :
		[ 'pg_restore', '-e', '-d', $node->connstr('from_custom'), $file ], "it is restored, $format");
	is($node->safe_psql("from_$format", $state), $node->safe_psql('postgres', $state), "what it has learned is there, $format");
	is($node->safe_psql("from_$format", $learned), $node->safe_psql('postgres', $learned), "with what was not folded, $format");
	is($node->safe_psql("from_$format", q(SET ROLE app; SELECT count(*) FROM recommend(1, 5, 'slot', log => true); RESET ROLE; SELECT recsys.fold_bandits(); SELECT sum(trials) FROM recsys.bandit_arms WHERE bandit = 'slot')),
		"5\n3\n81", "it goes on, $format");
}

# A standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $learned), $node->safe_psql('postgres', $learned), 'a standby sees what the primary has learned');
foreach my $bandit ('slot', 'fresh', 'personal')
{
	is($standby->safe_psql('postgres', "SELECT count(*) FROM recommend(1, 5, '$bandit')"), '5', "and serves $bandit");
}
is($standby->safe_psql('postgres', q(SELECT count(*) FROM recsys.bandit_choice('personal', 1))), '1', 'and chooses');
my $before = $node->safe_psql('postgres', q(SELECT sum(trials) FROM recsys.bandit_arms WHERE bandit IN ('slot', 'fresh')));
foreach my $bandit ('slot', 'fresh', 'personal')
{
	my $request = $standby->safe_psql('postgres', "SELECT recommend_request(1, 5, '$bandit')");

	$request =~ s/'/''/g;
	$node->safe_psql('postgres', "SELECT recsys.log_request('$request'), recsys.log_request('$request')");
}
is($node->safe_psql('postgres', q(SELECT sum(trials) FROM recsys.bandit_arms WHERE bandit IN ('slot', 'fresh'))), $before + 2, 'what a standby has shown is counted once, when the primary logs it');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.request_log WHERE bandit = 'personal' AND cardinality(features) = 5)), '81', 'features go the same way');

# A variant of an experiment
$node->safe_psql('postgres', q(SET ROLE alice; SELECT recsys.create_experiment('test', variants => '{"control": {"recommender": "home", "share": 0.5}, "bandit": {"recommender": "slot", "share": 0.5}}')));
like(as('alice', q(SELECT recsys.create_bandit('test', arms => '{home, plain_recsys}'))), qr/there is an? experiment "test"/, 'an experiment has that name');
like(as('alice', q(SELECT recsys.create_experiment('slot', variants => '{"control": {"recommender": "home", "share": 0.5}, "bandit": {"recommender": "slot", "share": 0.5}}'))), qr/there is a bandit "slot"/, 'a bandit has that name');
like(as('alice', q(SELECT recsys.create_recommender('slot', '[{"events": "purchases_recsys"}]'))), qr/there is a bandit "slot"/, 'and no recommender gets it');
like(as('alice', q(SELECT recsys.drop_bandit('slot'))), qr/experiment "test"/, 'a variant is not dropped');
$node->safe_psql('postgres', q(SELECT count(*) FROM generate_series(1, 60) u, LATERAL (SELECT request_id FROM recommend(u, 5, 'test', log => true)) r));
is($node->safe_psql('postgres', q(SELECT count(*) > 10, bool_and(arm IS NOT NULL), bool_and(propensities[1] > 0 AND propensities[1] <= 0.5) FROM recsys.request_log WHERE experiment = 'test' AND variant = 'bandit')), 't|t|t', 'a bandit is a variant');
is($node->safe_psql('postgres', q(SELECT sum(a.trials) = (SELECT count(*) FROM recsys.request_log WHERE bandit = 'slot') FROM recsys.bandit_arms a WHERE bandit = 'slot')), 't', 'and learns from that');

# Its recommender is gone: it says so
$node->safe_psql('postgres', 'DROP INDEX plain_recsys');
like($node->safe_psql('postgres', q(SELECT problem FROM recsys.bandits WHERE name = 'slot')), qr/plain_recsys/, 'what is missing is named');

unlike(slurp_file($node->logfile) . slurp_file($standby->logfile), qr/PANIC:|TRAP:|corrupt|AddressSanitizer/, 'nothing alarming in the log');
$standby->stop;
$node->stop;
done_testing();
