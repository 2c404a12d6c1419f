# Daily sums of experiments: sessions that refresh at the same time, maintenance where one of several
# experiments cannot be read, a standby, an extension that no superuser owns, a dump.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('sums');
init_node($node, allows_streaming => 1);
$node->append_conf('postgresql.conf', "autovacuum = off\nstatement_timeout = '60s'");
$node->start;

my $variants = q({"control": {"recommender": "public.likes_recsys", "share": 0.5}, "new": {"recommender": "public.likes_recsys", "share": 0.5}});
my $tables = <<"SQL";
CREATE TABLE likes (user_id bigint, item_id bigint);
INSERT INTO likes SELECT n % 20, n % 7 FROM generate_series(1, 100) AS n;
CREATE INDEX likes_recsys ON likes USING recsys (user_id, item_id);
CREATE TABLE sales AS SELECT (n % 60)::text AS customer, (n % 9)::text AS product, now() - n * interval '20 minutes' AS sold_at, n % 13 + 0.99 AS amount
FROM generate_series(1, 300) AS n;
SELECT recsys.create_experiment('first', '$variants', metrics => '{ctr,revenue}',
	purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}');
SELECT recsys.create_experiment('second', '$variants', metrics => '{ctr}');
SQL
my $log = <<'SQL';
UPDATE recsys.experiment SET started_at = now() - interval '6 days';
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(n::text, 15, '0'))::uuid, at, (n % 60)::text, 'x', e,
	CASE WHEN n % 2 = 0 THEN 'control' ELSE 'new' END, ARRAY[(n % 9)::text, ((n + 1) % 9)::text]
FROM (SELECT n, date_trunc('milliseconds', now() - n * interval '10 minutes') AS at FROM generate_series(1, 800) AS n) AS r CROSS JOIN (VALUES ('first'), ('second')) AS x (e)
ON CONFLICT DO NOTHING;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, 'click', item_ids[1], time + interval '1 minute' FROM recsys.request_log WHERE user_id::int % 3 = 0;
SQL
my $same = <<'SQL';
SELECT (SELECT count(*) FROM recsys.experiment_results('first', 'daily')) || ' ' || (SELECT count(*) FROM (
	SELECT to_jsonb(d) - 'computed_from' FROM recsys.experiment_results('first', 'daily') AS d
	EXCEPT SELECT to_jsonb(r) - 'computed_from' FROM recsys.experiment_results('first', 'raw',
		(SELECT max(until) FROM recsys.experiment_day WHERE experiment = 'first')) AS r) AS x)
SQL

$node->safe_psql('postgres', "CREATE EXTENSION recsys; $tables");
# the id of a request is its own, whatever the experiment
$log =~ s/lpad\(n::text/lpad((n + 1000 * (e = 'first')::int)::text/;
$node->safe_psql('postgres', $log);

# the second waits for the first, and adds nothing twice
my @refreshing = map { start_psql($node, "SELECT recsys.refresh_experiment('first'), pg_sleep(0.2)") } 1 .. 4;
ok(finish($_), 'a refresh beside others ends well') foreach @refreshing;
is($node->safe_psql('postgres', $same), '2 0', 'sums are those of raw rows');
is($node->safe_psql('postgres', "SELECT count(*) = count(DISTINCT unit) AND sum(requests) = (SELECT count(*) FROM recsys.request_log WHERE experiment = 'first'
	AND time < (SELECT closed_until FROM recsys.experiment_state WHERE experiment = 'first')) FROM recsys.experiment_unit WHERE experiment = 'first'"),
	't', 'each request counts once');

# what is taken back leaves nothing
$node->safe_psql('postgres', "BEGIN; SELECT recsys.refresh_experiment('first', now() - interval '4 days'); ROLLBACK");
is($node->safe_psql('postgres', $same), '2 0', 'the same after a refresh that was rolled back');

# what takes too long can be cancelled
my ($code, $out, $error) = $node->psql('postgres', "CREATE VIEW slow AS SELECT customer || pg_sleep(0.1)::text AS customer, product, sold_at FROM sales;
	SELECT recsys.alter_experiment('second', metrics => '{ctr,orders}', purchases => '{\"table\": \"slow\", \"user\": \"customer\", \"item\": \"product\", \"time\": \"sold_at\"}');
	SET statement_timeout = '300ms'; SELECT * FROM recsys.experiment_results('second', 'raw')");
like($error, qr/statement timeout/, 'reading purchases can be cancelled');

# one experiment that cannot be read: maintenance goes on, and says so
$node->safe_psql('postgres', "SELECT recsys.alter_experiment('second', metrics => '{ctr,orders}', purchases => '{\"table\": \"sales\", \"user\": \"customer\", \"item\": \"product\", \"time\": \"sold_at\"}');
	SELECT recsys.refresh_experiment('second'); ALTER TABLE sales RENAME TO sold");
($code, $out, $error) = $node->psql('postgres', 'SELECT action, object FROM recsys.maintain()');
is($code, 0, 'maintenance goes on');
like($error, qr/WARNING:\s+experiment "first" could not be brought up to date: relation "public.sales" does not exist/, 'and warns');
is($node->safe_psql('postgres', "SELECT string_agg(experiment || ': ' || alert || ', ' || detail, '; ' ORDER BY experiment) FROM recsys.experiment_alerts WHERE severity = 'error' AND alert LIKE 'refresh%'"),
	'first: refresh failed, relation "public.sales" does not exist; second: refresh failed, relation "public.sales" does not exist', 'so do alerts');
$node->safe_psql('postgres', 'ALTER TABLE sold RENAME TO sales');
like($node->safe_psql('postgres', 'SELECT action, detail FROM recsys.maintain()'), qr/^experiments refreshed\|2 experiments$/m, 'maintenance sums both');
is($node->safe_psql('postgres', "SELECT count(*) FROM recsys.experiment_alerts WHERE alert LIKE 'refresh%'"), '0', 'the alerts have gone');
is($node->safe_psql('postgres', $same), '2 0', 'sums are those of raw rows');

# on a standby
my $answers = "SELECT metric, users, value, verdict, computed_from FROM recsys.experiment_results('first')";
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $answers), $node->safe_psql('postgres', $answers), 'a standby says the same');
is($standby->safe_psql('postgres', $same), '2 0', 'from raw rows, too');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM recsys.experiment_alerts'), $node->safe_psql('postgres', 'SELECT count(*) FROM recsys.experiment_alerts'), 'it has the same alerts');
($code, $out, $error) = $standby->psql('postgres', "SELECT recsys.refresh_experiment('first')");
like($error, qr/during recovery/, 'and does not refresh');
$standby->stop;

# a dump brings the sums along
my $dump = $node->backup_dir . '/sums.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('copy') ], 'restore');
is($node->safe_psql('copy', "SELECT metric, users, value, verdict, computed_from FROM recsys.experiment_results('first', 'daily')"),
	$node->safe_psql('postgres', "SELECT metric, users, value, verdict, computed_from FROM recsys.experiment_results('first', 'daily')"), 'the copy says the same');
is($node->safe_psql('copy', "SELECT recsys.refresh_experiment('first') > 0"), 't', 'and goes on');
is($node->safe_psql('copy', $same), '2 0', 'sums are those of raw rows there');

# an extension of somebody who is no superuser
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN; CREATE DATABASE shop OWNER shop');
$node->safe_psql('shop', "SET ROLE shop; CREATE EXTENSION recsys");
$node->safe_psql('shop', "GRANT ALL ON SCHEMA public TO shop; SET ROLE shop; $tables");
$node->safe_psql('shop', $log);
is($node->safe_psql('shop', "SET ROLE shop; SELECT recsys.refresh_experiment('first') > 0"), 't', 'its owner refreshes');
is($node->safe_psql('shop', "SET ROLE shop; $same"), '2 0', 'and sees sums and raw rows');
like($node->safe_psql('shop', "SET ROLE shop; SELECT action, detail FROM recsys.maintain()"), qr/^experiments refreshed\|2 experiments$/m, 'and maintains');
is($node->safe_psql('shop', "SET ROLE shop; SELECT count(*) FROM recsys.experiment_alerts WHERE severity = 'error'"), '0', 'and is told of nothing');

$node->stop;
done_testing();
