# The log distributed: every node writes to one log, each where its customers are, and reports of all
# nodes say what those of one server with the same rows say.  Rights, forgetting, retention, and moves
# of shards under load.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my @nodes = ($coordinator, @workers);

sub sql { my ($node, $query) = @_; return $node->safe_psql('postgres', $query) }

# rows of a query on one node, or in one database, to a table of another
sub copy_rows
{
	my ($query, $to, $table) = @_;
	my $from = $coordinator->connstr('postgres');

	PostgreSQL::Test::Utils::run_log([ 'bash', '-c',
		qq(psql -X -q -d "$from" -c "COPY ($query) TO STDOUT" | psql -X -q -v ON_ERROR_STOP=1 -d "$to" -c "COPY $table FROM STDIN") ])
	  or die "rows of $table cannot be copied";
}

create_purchases($coordinator, 20_000);
sql($coordinator, q(
	CREATE TABLE sales (user_id bigint, product_id bigint, sold_at timestamptz, amount numeric);
	SELECT create_distributed_table('purchases', 'user_id');
	SELECT create_distributed_table('sales', 'user_id');
	CREATE INDEX home ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	CREATE INDEX taste ON purchases USING recsys (user_id, product_id) WITH (similarity = jaccard);
	SELECT recsys.distribute('home');
	SELECT recsys.distribute('taste')));

# each node has a log of its own, with partitions on some; the call makes one log of them
sql($_, 'SELECT count(*) FROM recsys.maintain()') for $coordinator, $workers[0];
my @early = map { sql($_, "SELECT DISTINCT request_id FROM recommend(42, 3, 'home', log => true)") } @nodes;
sql($workers[0], "SELECT recsys.log_click('$early[1]', item_ids[1]) FROM recsys.request_log");
like(says($workers[0], 'SELECT recsys.distribute_log()'), qr/is for the coordinator/, 'not on a worker');
like(says($coordinator, 'BEGIN; SELECT recsys.distribute_log()'), qr/inside a transaction block/, 'not in a transaction block');
sql($coordinator, 'CREATE ROLE client LOGIN; GRANT SELECT (user_id, product_id, quantity, purchased_at) ON purchases TO client');
like(says($coordinator, 'SELECT recsys.distribute_log()', extra_params => [ '-U', 'client' ]), qr/permission denied/, 'not for everyone');

# what anybody may have made in a schema of the search path runs in no session of the owner's
my $traps = q(SET citus.enable_ddl_propagation = off;
	CREATE FUNCTION public.trap(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$;
	CREATE OPERATOR public.= (FUNCTION = public.trap, LEFTARG = oid, RIGHTARG = regclass);
	CREATE FUNCTION public.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$);
my $no_traps = q(SET citus.enable_ddl_propagation = off;
	DROP FUNCTION public.unnest(text[]); DROP OPERATOR public.= (oid, regclass); DROP FUNCTION public.trap);
on_all($traps, @nodes);
sql($coordinator, 'ALTER DATABASE postgres SET citus.shard_replication_factor = 2');
is(says($coordinator, 'SELECT recsys.distribute_log()'), '', 'one log is made of all');
sql($coordinator, 'ALTER DATABASE postgres RESET citus.shard_replication_factor');
on_all($no_traps, @nodes);
is(sql($coordinator, q(SELECT count(*), count(DISTINCT shardid) FROM pg_dist_placement JOIN pg_dist_shard USING (shardid)
	WHERE logicalrelid IN ('recsys.request_log'::regclass, 'recsys.event_log'::regclass))), '8|8', 'each shard of it is on one node');
is(sql($_, 'SELECT count(*) FROM recsys.request_log'), 3, $_->name . ': what each node has logged before') for @nodes;
is(sql($_, 'SELECT count(*) FROM recsys.event_log'), 1, $_->name . ': and its events') for @nodes;
is(says($coordinator, 'SELECT recsys.distribute_log()'), '', 'once more');
is(sql($coordinator, 'SELECT count(*) FROM recsys.request_log'), 3, 'changes nothing');

# a node writes to its own shards
my $where = q(SELECT string_agg(DISTINCT nodeport::text, ',' ORDER BY nodeport::text) FROM unnest('{%s}'::uuid[]) id
	JOIN pg_dist_placement p ON p.shardid = get_shard_id_for_distribution_column('recsys.request_log', id) JOIN pg_dist_node n USING (groupid));
for my $node (@workers)
{
	my $ids = join ',', map { sql($node, "SELECT DISTINCT request_id FROM recommend($_, 3, 'home', log => true)") } 1 .. 12;
	my $new = join ',', map { sql($node, 'SELECT recsys.new_request_id()') } 1 .. 12;

	is(sql($coordinator, sprintf($where, $ids)), $node->port, $node->name . ': requests are logged there');
	is(sql($coordinator, sprintf($where, $new)), $node->port, $node->name . ': new ids are its own');
	is(sql($coordinator, "SELECT count(*) FROM recsys.request_log WHERE request_id = ANY ('{$ids}')"), 12, $node->name . ': and known to all');
}
my ($there) = grep { in_nodes($coordinator, 'purchases', $_) == $workers[1]->port } 1 .. 100;
my $asked = join ',', map { sql($coordinator, "SELECT DISTINCT request_id FROM recommend($there, 3, 'home', log => true)") } 1 .. 12;
is(sql($coordinator, sprintf($where, $asked)), $workers[1]->port, 'what the coordinator logs is where the list was made');

# an experiment, whose lists come from all nodes
my $purchases = q({"table": "sales", "user": "user_id", "item": "product_id", "time": "sold_at", "amount": "amount"});
sql($coordinator, qq(
	SELECT recsys.create_experiment('trial', '{"control": {"recommender": "home", "share": 0.5}, "treatment": {"recommender": "taste", "share": 0.5}}',
		metrics => '{ctr, conversion, revenue, user_revenue, requests_per_user}', primary_metric => 'ctr', guardrails => '{latency_ms}',
		purchases => '$purchases', pre_period => '3 days');
	SELECT recsys.create_experiment('woven', '{"control": {"recommender": "home", "share": 0.5}, "other": {"recommender": "taste", "share": 0.5}}', interleave => true);
	SELECT recsys.configure_log(purchases => '$purchases')));
is(sql($_, "SELECT string_agg(name || ' ' || state, ',' ORDER BY name) FROM recsys.experiments"), 'trial running,woven running', $_->name . ' knows the experiments') for @nodes;
for my $i (0 .. $#nodes)
{
	sql($nodes[$i], qq(
		SELECT count(*) FROM generate_series(1, 150) u, LATERAL recommend(u::bigint, 4, 'trial', log => true) WHERE u % 3 = $i;
		SELECT count(*) FROM generate_series(1, 150) u, LATERAL recommend(u::bigint, 4, 'trial', log => true) WHERE u % 5 = $i;
		SELECT count(*) FROM generate_series(1, 60) u, LATERAL recommend(u::bigint, 4, 'woven', log => true) WHERE u % 3 = $i));
}
is(sql($coordinator, "SELECT count(*) FROM (SELECT user_id FROM recsys.request_log WHERE experiment = 'trial' GROUP BY user_id HAVING count(DISTINCT variant) > 1) t"),
	0, 'a user gets one variant, whichever node is asked');

# clicks come to another node than the request; a second one is none
my @clicked = split /\n/, sql($coordinator, q(SELECT request_id || ' ' || item_ids[1 + user_id::integer % 4] FROM recsys.request_log
	WHERE experiment IS NOT NULL AND user_id::integer % 3 < 2 AND cardinality(item_ids) = 4 ORDER BY 1));
my $n = 0;
my %clicks;
for (@clicked)
{
	my ($id, $item) = split / /;

	push @{ $clicks{ $n++ % 3 } }, "SELECT recsys.log_click('$id', '$item');";
}
is(sql($nodes[$_], join("\n", @{ $clicks{$_} })), join("\n", ('t') x @{ $clicks{$_} }), $nodes[$_]->name . ': clicks') for 0 .. 2;
is(sql($nodes[0], $clicks{1}[0]), 'f', 'a click that another node has logged');
like(says($nodes[1], "SELECT recsys.log_click('$early[2]', 'nothing')"), qr/was not in the list/, 'what was not shown');
is(sql($workers[1], "SELECT recsys.log_impressions('home', '{1,2,3}'::bigint[], user_id => 7, request_id => '$early[0]')"), $early[0], 'a request that is there');
is(sql($coordinator, "SELECT count(*) FROM recsys.request_log WHERE request_id = '$early[0]'"), 1, 'is there once');
my $first = sql($coordinator, "SELECT item_ids[1] FROM recsys.request_log WHERE request_id = '$early[0]'");
is(sql($workers[1], "SELECT recsys.log_event('$early[0]', 'cart', '$first', value => 2)"), 't', 'an event of a kind');
sql($coordinator, q(INSERT INTO sales SELECT user_id::bigint, item_ids[1]::bigint, time + interval '1 millisecond', 1 + user_id::integer % 7
	FROM recsys.request_log WHERE experiment IS NOT NULL AND user_id::integer % 4 = 0));
sleep 0.1;

# one server with the same rows
$coordinator->safe_psql('template1', 'CREATE DATABASE alone');
$coordinator->safe_psql('alone', q(CREATE EXTENSION recsys; CREATE TABLE sales (user_id bigint, product_id bigint, sold_at timestamptz, amount numeric);
	CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz)));
copy_rows("SELECT * FROM $_", $coordinator->connstr('alone'), $_)
  for qw(purchases sales recsys.request_log recsys.event_log recsys.experiment recsys.log_setting);
$coordinator->safe_psql('alone', q(CREATE INDEX home ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	CREATE INDEX taste ON purchases USING recsys (user_id, product_id) WITH (similarity = jaccard)));

# no figure depends on the order of rows; as of a time that is over
my $now = sql($coordinator, 'SELECT clock_timestamp()');
my %reports = (
	'raw results' => "SELECT * FROM recsys.experiment_results('trial', 'raw', '$now')",
	'interleaving' => "SELECT * FROM recsys.interleaving_results('woven')",
	'value of a policy' => "SELECT estimator, value, rows, requests, units, status FROM recsys.off_policy_value('public.taste', until => '$now', estimators => '{ips,snips,clipped}')",
	'what was shown' => 'SELECT count(*), min(time), max(time), sum(cardinality(item_ids)) FROM recsys.request_log',
	'alerts' => 'SELECT * FROM recsys.experiment_alerts');
for my $report (sort keys %reports)
{
	my $expected = $coordinator->safe_psql('alone', $reports{$report});

	isnt($expected, '', "$report: there is something") unless $report eq 'alerts';
	is(sql($_, $reports{$report}), $expected, $_->name . ": $report as on one server") for @nodes;
}
sql($coordinator, "SELECT recsys.refresh_experiment('trial')");
sql($coordinator, 'SELECT recsys.refresh_metrics()');
$coordinator->safe_psql('alone', "SELECT recsys.refresh_experiment('trial'); SELECT recsys.refresh_metrics()");
for my $view (qw(recsys.metrics_daily recsys.metrics_positions_daily recsys.metrics_items_daily))
{
	my $query = "SELECT to_jsonb(m) - 'refreshed_at' - 'novelty' - 'popularity_shown' - 'category' - 'seller' - 'user_share' AS m FROM $view m ORDER BY 1::text";

	is(sql($coordinator, $query), $coordinator->safe_psql('alone', $query), "$view as on one server");
}
my $daily = "SELECT metric, variant, users, value, difference, ci_low, ci_high FROM recsys.experiment_results('trial', 'daily')";
is(sql($coordinator, $daily), $coordinator->safe_psql('alone', $daily), 'daily sums as on one server');
like(says($workers[0], "SELECT recsys.refresh_experiment('trial')"), qr/is for the coordinator/, 'sums are the coordinator\'s');
is(sql($_, 'SELECT count(*) FROM recsys.maintenance_advice WHERE topic <> \'maintain\''), sql($_, 'SELECT 0'), $_->name . ': advice') for @nodes;

# whatever transaction it is in
is(sql($workers[0], "BEGIN; SELECT count(*) FROM recommend(1, 2, 'home', log => true); ROLLBACK; SELECT count(*) FROM recsys.request_log"),
	sql($workers[0], "SELECT 2; SELECT count(*) FROM recsys.request_log"), 'a transaction that is rolled back has logged nothing');
is(sql($coordinator, "BEGIN; SELECT count(*) FROM recommend(1, 2, 'home', log => true); ROLLBACK; SELECT count(*) FROM recsys.request_log"),
	sql($coordinator, "SELECT 2; SELECT count(*) FROM recsys.request_log"), 'on the coordinator neither');
is(sql($_, "BEGIN; CREATE TEMP TABLE made AS SELECT * FROM recommend(1, 2, 'home', log => true);
	SELECT recsys.log_click(request_id, item_id::text) FROM made WHERE rank = 1; SELECT recsys.log_click(request_id, item_id::text) FROM made WHERE rank = 1; COMMIT"),
	"t\nf", $_->name . ': a list and its click in one transaction') for @nodes;

# rights: who is served may log, nobody reads
for my $node (@nodes)
{
	my @as = (extra_params => [ '-U', 'client' ]);

	is($node->safe_psql('postgres', "SELECT count(*) FROM recommend(7, 3, 'home', log => true)", @as), 3, $node->name . ': who is served logs');
	like(says($node, $_, @as), qr/permission denied|must be owner/, $node->name . ": denied: $_")
	  for 'SELECT count(*) FROM recsys.request_log', "SELECT recsys.log_impressions('other', '{1}'::bigint[])", "SELECT * FROM recsys.experiment_results('trial')";
}

# pseudonyms, of one key on all nodes
sql($coordinator, 'SELECT recsys.configure_log(pseudonymous => true)');
sleep 1.1;
my %names = map { sql($_, "WITH made AS (SELECT DISTINCT request_id FROM recommend(11, 3, 'home', log => true)) SELECT request_id FROM made") => 1 } @nodes;
my $ids = join ',', keys %names;
is(sql($coordinator, "SELECT count(*), count(DISTINCT user_id), bool_or(user_id = '11') FROM recsys.request_log WHERE request_id = ANY ('{$ids}')"),
	'3|1|f', 'a pseudonym is the same on all nodes');

# forgetting takes the log along, of all nodes, once for all shards; and what experiments keep
my $unit = q(INSERT INTO recsys.experiment_unit SELECT (jsonb_populate_record(NULL::recsys.experiment_unit,
	(SELECT jsonb_object_agg(attname, 0) FROM pg_attribute WHERE attrelid = 'recsys.experiment_unit'::regclass AND attnum > 0)
	|| jsonb_build_object('experiment', 'trial', 'unit', '%s', 'first_time', now(), 'variant', 'control', 'mixed', false))).*);
my $session = q(recsys.experiment '' "{,}" \ %s);
sql($coordinator, join(';', map { sprintf($unit, $_) } 11, 12, 13, $session));
sql($coordinator, "INSERT INTO recsys.request_log (request_id, time, user_id, session_id, recommender, experiment, variant, item_ids)
	VALUES (gen_random_uuid(), now(), '11', '$session', 'public.home', 'trial', 'control', '{1}')");
on_all($traps, @nodes);
sql($coordinator, "ALTER DATABASE postgres SET log_statement = 'all'");
my $logged_to = -s $coordinator->logfile;
is(says($workers[1], "SET client_min_messages = warning; SELECT recsys.forget_user('home', 11)"), '', 'a user is forgotten from a worker');
my $statements = substr(slurp_file($coordinator->logfile), $logged_to);
is(scalar(() = $statements =~ /statement: DO +E?'BEGIN SET LOCAL search_path/g), 1, 'the coordinator is asked once');
sql($coordinator, 'ALTER DATABASE postgres RESET log_statement');
on_all($no_traps, @nodes);
is(sql($coordinator, 'SELECT string_agg(unit, $$,$$ ORDER BY unit) FROM recsys.experiment_unit'), '12,13', 'with a session of an odd name');
is(sql($_, "SELECT count(*) FROM recsys.request_log WHERE recommender = 'public.home' AND (user_id = '11' OR request_id = ANY ('{$ids}'))"), 0, $_->name . ': a user is forgotten in the log') for @nodes;
is(sql($coordinator, "SELECT count(*) FROM recsys.event_log e WHERE NOT EXISTS (SELECT FROM recsys.request_log r WHERE r.request_id = e.request_id AND r.time = e.request_time)"),
	0, 'with the events');
sql($coordinator, 'SELECT recsys.configure_log(pseudonymous => false)');
sleep 1.1;

# whoever has locked what is deleted deletes it all the same; and the rows of the log are the transaction's
my $of = q(SELECT count(*) FROM recsys.request_log WHERE user_id = '%s' AND recommender = 'public.home');
my $before = sql($coordinator, sprintf($of, 12));
cmp_ok($before, '>', 0, 'there are requests of a user');
is(says($coordinator, q(SET client_min_messages = warning; SET statement_timeout = '60s';
	BEGIN; SELECT recsys.refresh_experiment('trial'); SELECT recsys.forget_user('home', 12); ROLLBACK)), '', 'a transaction that has refreshed an experiment forgets a user');
is(sql($coordinator, sprintf($of, 12)), $before, 'rolled back, the log has the requests');
is(says($coordinator, q(SET client_min_messages = warning; SET statement_timeout = '60s';
	BEGIN; SELECT recsys.refresh_experiment('trial'); SELECT recsys.forget_user('home', 12); COMMIT)), '', 'and again');
is(sql($_, sprintf($of, 12)), 0, $_->name . ': committed, it has them no more') for @nodes;
is(sql($coordinator, 'SELECT count(*) FROM recsys.experiment_unit WHERE unit = $$12$$'), 0, 'nor has the experiment');

# by the name of a shard, too
my ($of_worker) = grep { in_nodes($coordinator, 'purchases', $_) == $workers[0]->port } 14 .. 100;
my $shard = sql($coordinator, "SELECT get_shard_id_for_distribution_column('purchases', $of_worker)");
is(sql($workers[0], "SELECT count(*) FROM recommend($of_worker, 3, 'public.home_$shard', log => true)"), 3, 'the index of a shard logs');
$of = "SELECT count(*) FROM recsys.request_log WHERE recommender = 'public.home_$shard'";
is(sql($coordinator, $of), 1, 'under its name');
sql($workers[1], "SELECT recsys.forget_user('home', $of_worker)");
is(sql($coordinator, $of), 0, 'which is forgotten with that of the recommender');

# days get partitions, and old ones go, on all nodes
is(sql($workers[0], q(SELECT count(*) FROM recsys.maintain() WHERE action ~ 'partition|refreshed')), 0, 'a worker leaves that to the coordinator');
sql($coordinator, q(INSERT INTO recsys.request_log (request_id, time, recommender, item_ids)
	SELECT gen_random_uuid(), now() - interval '40 days' - d * interval '1 hour', 'old', '{1}' FROM generate_series(1, 50) d));
my $made = sql($coordinator, q(SELECT count(*) FROM recsys.maintain() WHERE action = 'postponed' AND object !~ 'default'));
is($made, 0, 'maintain postpones nothing');
my $partitions = q(SELECT count(*) FROM pg_inherits WHERE inhparent = 'recsys.request_log'::regclass);
is(sql($_, $partitions), sql($coordinator, $partitions), $_->name . ': as many partitions') for @workers;
sql($coordinator, q(ALTER TABLE recsys.request_log DETACH PARTITION recsys.request_log_) . sql($coordinator, q(SELECT to_char((now() AT TIME ZONE 'UTC') + interval '7 days', 'YYYYMMDD'))));
sql($coordinator, q(DROP TABLE recsys.request_log_) . sql($coordinator, q(SELECT to_char((now() AT TIME ZONE 'UTC') + interval '7 days', 'YYYYMMDD'))));
my $again = sql($coordinator, q(SELECT string_agg(action, ',') FROM recsys.maintain() WHERE object ~ 'request_log_2'));
is($again, 'partition created', 'a partition is made of a log that is distributed');
is(sql($_, $partitions), sql($coordinator, $partitions), $_->name . ': and known to all') for @workers;
sql($coordinator, "SELECT recsys.configure_log(retention => '30 days')");
like(sql($coordinator, q(SELECT string_agg(action || ' ' || coalesce(detail, ''), ',') FROM recsys.maintain() WHERE object = 'recsys.request_log_default')),
	qr/50 rows had expired/, 'what is too old goes');
is(sql($_, q(SELECT count(*) FROM recsys.request_log WHERE recommender = 'old')), 0, $_->name . ': from all nodes') for @nodes;

# shards of the log move under load: what a client was told is logged is there
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/log.sql", "\\set u random(1, 300)\nINSERT INTO told SELECT DISTINCT request_id FROM recommend(:u, 3, 'home', log => true);\n");
$_->safe_psql('postgres', 'SET citus.enable_ddl_propagation = off; CREATE TABLE told (request_id uuid)') for @nodes;
my @loads = map { pgbench($_, 600, 2, '-f', "$directory/log.sql") } @nodes;
sleep 1;
for my $mode (qw(block_writes auto force_logical block_writes auto))
{
	my ($shard, $from) = split /\|/, sql($coordinator, q(SELECT s.shardid, n.nodeport FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid)
		JOIN pg_dist_node n USING (groupid) WHERE s.logicalrelid = 'recsys.request_log'::regclass ORDER BY random() LIMIT 1));
	my ($to) = grep { $_ != $from } map { $_->port } @workers;

	is(says($coordinator, "SELECT citus_move_shard_placement($shard, '127.0.0.1', $from, '127.0.0.1', $to, shard_transfer_mode => '$mode')"), '', "a shard of the log is moved: $mode");
	sleep 0.5;
}
for my $load (@loads)
{
	$load->signal('TERM');
	$load->finish;
	is(join("\n", grep { /ERROR/ } split /\n/, slurp_file($load->{recsys_log})), '', 'lists were logged without an error');
}
for my $node (@nodes)
{
	my $told = sql($node, "SELECT count(*) FROM told");

	cmp_ok($told, '>', 20, $node->name . ": $told lists were logged meanwhile");
	is(sql($node, 'WITH l AS MATERIALIZED (SELECT request_id FROM recsys.request_log) SELECT count(*) FROM told WHERE request_id NOT IN (SELECT request_id FROM l)'), 0,
		$node->name . ': and none is lost');
}

# a node is down: customers of the others are served and logged
kill_server($workers[1]);
my ($here) = grep { in_nodes($coordinator, 'purchases', $_) == $workers[0]->port } 1 .. 100;
my $both = $coordinator->safe_psql('postgres', "SELECT count(*) FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid) JOIN pg_dist_shard s USING (shardid)
	WHERE s.logicalrelid = 'recsys.request_log'::regclass AND n.nodeport = ${\ $workers[0]->port}");
SKIP:
{
	skip 'all shards of the log have moved to the other node', 2 if $both == 0;
	is(says($coordinator, "SELECT count(*) FROM recommend($here, 3, 'home', log => true)"), '', 'the coordinator logs lists of a node that is up');
	is(says($workers[0], "SELECT count(*) FROM recommend($here, 3, 'home', log => true)"), '', 'that node logs its own');
}
like(says($coordinator, "SELECT * FROM recsys.experiment_results('trial', 'raw')"), qr/connection|server closed|could not/i, 'a report says that it cannot read all');
$workers[1]->start;
is(says($coordinator, "SELECT * FROM recsys.experiment_results('trial', 'raw')"), '', 'and can again');

# a node that is added gets its part of the log, and serves experiments; one that is taken away leaves all
my $more = citus_node('worker_3');
add_to_citus($coordinator, $more);
sql($coordinator, "SELECT recsys.distribute('home'); SELECT recsys.distribute('taste'); SELECT recsys.distribute_log()");
my $rows = 'SELECT count(*) FROM recsys.request_log; SELECT count(*) FROM recsys.event_log';
my $logged = sql($coordinator, $rows);
sql($coordinator, "SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes'); SELECT citus_drain_node('127.0.0.1', ${\ $workers[1]->port}, shard_transfer_mode => 'block_writes')");
is(sql($_, $rows), $logged, $_->name . ': nothing is lost') for $coordinator, $more;
is(sql($more, "SELECT count(DISTINCT variant) FROM generate_series(1, 50) u, LATERAL recommend(u::bigint, 1, 'trial', log => true)"), 2, 'a new node serves experiments');
my $own = join ',', map { sql($more, 'SELECT recsys.new_request_id()') } 1 .. 12;
is(sql($coordinator, sprintf($where, $own)), $more->port, 'and logs to shards of its own');
sql($more, "SELECT recsys.stop_experiment('trial')");
is(sql($_, "SELECT state FROM recsys.experiments WHERE name = 'trial'"), 'stopped', $_->name . ': an experiment is stopped from any node') for $coordinator, $workers[0];

$_->stop for $more, @nodes;
done_testing();
