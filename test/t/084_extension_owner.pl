# The owner of a trusted extension, who is no superuser, gets nowhere near the rights of one: by what
# he writes into tables of the extension that are his, by their triggers, or by other column types.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('owner');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE keeper; CREATE DATABASE shop OWNER keeper');

# What is run with whose rights, by all that follows
sub as_owner
{
	my ($sql) = @_;

	return $node->psql('shop', "SET SESSION AUTHORIZATION keeper;\n$sql");
}

sub owner_does
{
	my ($sql, $name) = @_;
	my ($code, $out, $err) = as_owner($sql);

	is($code, 0, $name) or diag($err);
	unlike($err, qr/RIGHTS OF postgres/, "$name: with nobody else's rights");
	return $out;
}

sub owner_may_not
{
	my ($sql, $why, $name) = @_;
	my ($code, $out, $err) = as_owner($sql);

	isnt($code, 0, $name);
	like($err, $why, "$name: why");
	unlike($err, qr/RIGHTS OF postgres/, "$name: with nobody else's rights");
}

owner_does(<<'SQL', 'the extension is installed');
CREATE EXTENSION recsys;
CREATE SCHEMA mine;
CREATE TABLE mine.sales AS SELECT n % 20 AS u, n % 13 AS i, now() - interval '1 hour' AS t, 1.5 AS amount FROM generate_series(1, 200) n;
CREATE INDEX sales_recsys ON mine.sales USING recsys (u, i, t);
CREATE INDEX sales_cosine ON mine.sales USING recsys (u, i, t) WITH (similarity = cosine);
-- says so if a superuser runs it
CREATE FUNCTION mine.whose(what text) RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
	RAISE WARNING 'RIGHTS OF %: %', current_user, what;
	RETURN 1;
END $$;
CREATE FUNCTION mine.fires() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM mine.whose(TG_NAME);
	RETURN NULL;
END $$;
SELECT recsys.configure_log(purchases => '{"table": "mine.sales", "amount": "amount"}');
SELECT recsys.create_experiment('halves', '{"control": "mine.sales_recsys", "other": "mine.sales_recsys"}',
	metrics => '{ctr, revenue}');
SELECT count(*) FROM generate_series(1, 19) u, recommend(u, 3, 'halves', log => true);
SELECT recsys.maintain();
SQL

#
# Roles in rows
#
owner_does(<<'SQL', 'the reader of purchases can be written');
UPDATE recsys.log_setting SET purchases_role = 'postgres', purchases = purchases || '{"condition": "mine.whose(''purchases'') > 0"}';
SQL
my $why = qr/purchases cannot be read with the rights of role "postgres"/;
owner_may_not('SELECT recsys.refresh_metrics()', $why, 'metrics');
my ($hint) = (as_owner('SELECT recsys.refresh_metrics()'))[2] =~ /HINT:  Set them again as the owner: (SELECT .*;)/;
my ($printed, undef, $error) = as_owner("BEGIN; $hint ROLLBACK;");
is("$printed$error", '0', 'what its hint prints works') or diag($hint);
owner_may_not(q(SELECT * FROM recsys.experiment_results('halves', 'raw')), $why, 'results');
owner_may_not(q(SELECT recsys.refresh_experiment('halves')), $why, 'refresh of an experiment');
owner_may_not(q(SELECT recsys.off_policy_value('mine.sales_recsys', metric => 'revenue')), $why, 'off-policy value');
my ($code, $out, $err) = $node->psql('shop', q(SELECT recsys.maintain()));
unlike($err, qr/RIGHTS OF postgres/, 'nor when a superuser sees to the log');
like($err, $why, 'who is told');
($code, $out, $err) = $node->psql('shop', q(SELECT recsys.configure_log(purchases => 'mine.sales')));
isnt($code, 0, 'a superuser does not lend his rights');
like($err, qr/Role "keeper", the owner of the extension, has not these rights/, 'why');
like($err, qr/HINT:  SET ROLE keeper;/, 'and what to do');
$node->safe_psql('shop', q(SET ROLE keeper; SELECT recsys.configure_log(purchases => 'mine.sales')));
owner_does('SELECT recsys.refresh_metrics()', 'purchases are read by their owner');

for my $table ('recommender', 'experiment', 'bandit')
{
	owner_may_not("UPDATE recsys.$table SET owner = 'postgres'", qr/permission denied for table $table/, "owners in $table");
	owner_may_not("ALTER TABLE recsys.$table DISABLE TRIGGER ALL", qr/must be owner of table $table/, "triggers of $table");
}

#
# Triggers of his tables, when what a superuser owns is written as well, and when one calls
#
owner_does(<<'SQL', 'triggers on all of his tables');
SELECT format('CREATE TRIGGER fires AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION mine.fires()', oid::regclass)
FROM pg_class WHERE relnamespace = 'recsys'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relowner = 'keeper'::regrole
\gexec
SQL
my $calls = <<'SQL';
SELECT recsys.create_experiment('more', '{"control": "mine.sales_recsys", "other": "mine.sales_recsys"}', metrics => '{ctr, revenue}');
SELECT count(recsys.log_click(request_id, item_id)) FROM generate_series(1, 19) u, recommend(u, 3, 'more', log => true);
SELECT recsys.refresh_experiment('more');
SELECT recsys.alter_experiment('more', alpha => 0.01);
SELECT recsys.drop_experiment('more');
SELECT recsys.create_bandit('slot', '{mine.sales_recsys, mine.sales_cosine}');
SELECT count(recsys.log_click(request_id, item_id)) FROM generate_series(1, 19) u, recommend(u, 3, 'slot', log => true);
SELECT recsys.fold_bandits();
SELECT recsys.alter_bandit('slot', policy => 'ucb1');
SELECT recsys.reset_bandit('slot');
SELECT recsys.drop_bandit('slot');
SELECT recsys.configure_log(pseudonymous => true);
SELECT recsys.configure_log(pseudonymous => false);
SELECT recsys.forget_user('mine.sales', 3);
SELECT recsys.maintain();
SELECT recsys.refresh_metrics();
SQL
owner_does($calls, 'all that is written');
($code, $out, $err) = $node->psql('shop', $calls, on_error_stop => 0);
unlike($err, qr/RIGHTS OF postgres/, 'a superuser runs none of them');
like($err, qr/RIGHTS OF keeper/, 'but the owner of the extension does');

# What a superuser looks at is not the owner's either
is($node->safe_psql('shop', q(SELECT count(*) FROM pg_class WHERE relnamespace = 'recsys'::regnamespace
	AND relkind = 'v' AND relowner = 'keeper'::regrole)), '0', 'views cannot be replaced by the owner');

#
# Columns of other types, and of none of what they cannot be without: errors, but not the end of the server
#
owner_does('DROP TRIGGER fires ON recsys.request_log; DROP TRIGGER fires ON recsys.event_log', 'the log has no triggers');
$node->safe_psql('shop', q(SET ROLE keeper;
	SELECT recsys.create_bandit('slot', '{mine.sales_recsys, mine.sales_cosine}');
	SELECT recsys.configure_log(pseudonymous => true)));
my @tables = split /\n/, $node->safe_psql('shop', q(SELECT relname FROM pg_class
	WHERE relnamespace = 'recsys'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relowner = 'keeper'::regrole ORDER BY 1));
cmp_ok(scalar @tables, '>', 10, 'he has tables');
for my $table (@tables)
{
	$node->safe_psql('postgres', 'CREATE DATABASE changed TEMPLATE shop OWNER keeper');
	for my $type ('boolean', 'text')
	{
		$node->psql('changed', <<SQL, on_error_stop => 0);
SET SESSION AUTHORIZATION keeper;
SELECT format('ALTER TABLE recsys.$table ALTER %1\$I DROP NOT NULL, ALTER %1\$I DROP DEFAULT, ALTER %1\$I TYPE $type USING NULL', attname)
FROM pg_attribute WHERE attrelid = 'recsys.$table'::regclass AND attnum > 0 AND NOT attisdropped
\\gexec
$calls
SELECT * FROM recsys.experiment_results('halves', 'daily');
SELECT * FROM recsys.experiment_history('halves');
SELECT * FROM recsys.experiment_alerts;
SELECT * FROM recsys.bandit_arms;
SELECT count(recsys.log_click(request_id, item_id)) FROM generate_series(1, 19) u, recommend(u, 3, 'slot', log => true);
SELECT recsys.log_request(recommend_request(3, 3, 'slot'));
SELECT recsys.off_policy_value('mine.sales_recsys', metric => 'revenue');
SQL
		is($node->safe_psql('changed', 'SELECT 1'), '1', "$table may have columns of $type");
	}
	$node->safe_psql('postgres', 'DROP DATABASE changed');
}
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server has not ended');

$node->stop;
done_testing();
