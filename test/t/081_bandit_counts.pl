# Bandits count every trial and every reward once: sixteen clients, folding beside them, requests
# that are rolled back, a server that is killed.  Nobody waits for somebody else's transaction.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $seconds = $ENV{RECSYS_SECONDS} // 6;
my $node = new_node('bandits', 'shared_buffers = 32MB', 'autovacuum = on', 'autovacuum_naptime = 1s', 'max_connections = 40');

create_purchases($node, 4000);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE products (product_id bigint PRIMARY KEY, is_new boolean);
INSERT INTO products SELECT product_id, product_id % 20 = 0 FROM generate_series(1, 300) product_id;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
CREATE INDEX plain_recsys ON purchases USING recsys (user_id, product_id);
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id');
SELECT recsys.create_recommender('plain', '[{"events": "plain_recsys"}]', items => 'products', item_key => 'product_id');
SELECT recsys.create_bandit('slot', arms => '{home, plain, plain_recsys}');
SELECT recsys.create_bandit('spend', arms => '{home, plain}', policy => 'thompson_normal', reward => '{"click": 1, "purchase": "value"}');
SELECT recsys.create_bandit('fresh', recommender => 'home', places => '{2, 4}', candidates => 'is_new', tolerance => 0.5);
SQL

# What the log says, by plain SQL: arm, place, trials, rewards, squares
my $logged = q(
	WITH paid AS (
		SELECT request_id, item_id, sum(CASE kind WHEN 'click' THEN 1 WHEN 'purchase' THEN value ELSE 0 END) AS paid
		FROM recsys.event_log GROUP BY 1, 2),
	lists AS (
		SELECT r.bandit, r.arm, 0 AS place,
			CASE r.bandit WHEN 'slot' THEN least(coalesce(sum(p.paid), 0), 1) ELSE coalesce(sum(p.paid), 0) END AS reward
		FROM recsys.request_log r LEFT JOIN paid p USING (request_id) WHERE r.bandit <> 'fresh' GROUP BY r.request_id, r.bandit, r.arm),
	places AS (
		SELECT r.bandit, CASE r.arms[place] WHEN 'candidate' THEN r.item_ids[place] ELSE '' END, place, least(coalesce(p.paid, 0), 1)
		FROM recsys.request_log r CROSS JOIN (VALUES (2), (4)) v(place)
			LEFT JOIN paid p ON p.request_id = r.request_id AND p.item_id = r.item_ids[place]
		WHERE r.bandit = 'fresh' AND r.item_ids[place] IS NOT NULL)
	SELECT bandit, arm, place, count(*), sum(reward)::bigint, sum(reward * reward)::bigint
	FROM (TABLE lists UNION ALL TABLE places) t GROUP BY 1, 2, 3 ORDER BY 1, 3, 2);
my $counted = q(
	SELECT b.name, s.arm, s.place, s.trials::bigint, s.rewards::bigint, s.squares::bigint
	FROM recsys.bandit_state s JOIN recsys.bandit b USING (generation) ORDER BY 1, 3, 2);
# without folding
my $seen = q(
	SELECT bandit, coalesce(arm, ''), coalesce(place, 0), trials::bigint, rewards::bigint
	FROM recsys.bandit_arms WHERE trials > 0 ORDER BY 1, 3, 2);

my $visit = "\\set u random(1, 200)\n\\set c random(1, 100)\n" .
	q(SELECT request_id AS r, min(item_id) FILTER (WHERE rank = 2) AS second, min(item_id) FILTER (WHERE rank = 4) AS fourth FROM recommend(:u, 5, 'BANDIT', log => true) GROUP BY 1) . " \\gset\n" .
	"\\if :c > 40\nSELECT recsys.log_click(':r'::uuid, :second);\n\\endif\n" .
	"\\if :c > 70\nSELECT recsys.log_click(':r'::uuid, :fourth);\n\\endif\n" .
	"\\if :c > 90\nSELECT recsys.log_event(':r'::uuid, 'purchase', :second, value => 3);\n\\endif\n";
my @scripts;
my $directory = PostgreSQL::Test::Utils::tempdir();

foreach my $bandit ('slot', 'spend', 'fresh')
{
	my $file = "$directory/$bandit.sql";

	append_to_file($file, $visit =~ s/BANDIT/$bandit/r);
	push @scripts, '-f', "$file\@10";
}
append_to_file("$directory/rollback.sql", "BEGIN;\n" . ($visit =~ s/BANDIT/slot/r) . "ROLLBACK;\n");
append_to_file("$directory/block.sql", "BEGIN;\n" . ($visit =~ s/BANDIT/spend/r) . "COMMIT;\n");
append_to_file("$directory/fold.sql", "SELECT recsys.fold_bandits();\n");
push @scripts, '-f', "$directory/rollback.sql\@2", '-f', "$directory/block.sql\@2", '-f', "$directory/fold.sql\@1";

sub compare
{
	my ($name) = @_;

	is($node->safe_psql('postgres', $seen),
		$node->safe_psql('postgres', "SELECT bandit, arm, place, count, sum FROM ($logged) t (bandit, arm, place, count, sum, squares) ORDER BY 1, 3, 2"),
		"$name: what is seen, folded or not, is what the log has");
	$node->safe_psql('postgres', 'SELECT recsys.fold_bandits()');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.bandit_delta'), '0', "$name: all is folded");
	is($node->safe_psql('postgres', $counted), $node->safe_psql('postgres', $logged), "$name: counts are what the log has");
}

my $run = pgbench($node, $seconds, 16, @scripts);
ok($run->finish, 'sixteen clients work without an error') or diag(slurp_file($run->{recsys_log}));
note(grep { /tps|transactions actually/ } split /^/, slurp_file($run->{recsys_log}));
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.bandit_state'), '>', 5, 'clients have folded');
compare('sixteen clients');

$run = pgbench($node, 60, 16, @scripts);
sleep 3;
kill_server($node);
$run->finish;
$node->start;
compare('killed');

$run = pgbench($node, 2, 16, @scripts);
ok($run->finish, 'they go on') or diag(slurp_file($run->{recsys_log}));
compare('afterwards');

# A transaction that stays open keeps nobody from anything
my $visit_once = q(SELECT request_id AS r, min(item_id) FILTER (WHERE rank = 1) AS first, min(item_id) FILTER (WHERE rank = 2) AS second FROM recommend(1, 5, 'slot', log => true) GROUP BY 1 \gset
SELECT recsys.log_click(:'r', :first);
);
my $open = $node->background_psql('postgres', on_error_stop => 1);
$open->query_safe('BEGIN');
$open->query_safe(q(DO $$ DECLARE r record; BEGIN FOR i IN 1 .. 300 LOOP SELECT * INTO r FROM recommend(i, 5, 'slot', log => true) LIMIT 1; PERFORM recsys.log_click(r.request_id, r.item_id); END LOOP; END $$));
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')), '0', 'a transaction that goes on does not fold by itself');

my ($status, $stderr, $time) = timed($node, "SET lock_timeout = '2s';\n" . $visit_once x 3 . 'SELECT recsys.fold_bandits();');
is($status, 0, 'others serve, log and fold beside an open transaction') or diag($stderr);
$open->query_safe('COMMIT');
compare('an open transaction');

# nor does one that has folded
$open->query_safe('BEGIN');
$node->safe_psql('postgres', $visit_once);
$open->query_safe('SELECT recsys.fold_bandits()');
($status, $stderr) = timed($node, "SET lock_timeout = '2s';\n" . $visit_once x 3 . 'SELECT recsys.fold_bandits();');
is($status, 0, 'others serve, log and fold beside one that has folded') or diag($stderr);
$open->query_safe('ROLLBACK');
compare('folded and rolled back');

# Two clicks on one list in two transactions that do not see each other are one success
$node->safe_psql('postgres', q(CREATE TABLE visit AS SELECT request_id, item_id, rank FROM recommend(3, 5, 'slot', log => true)));
$open->query_safe('BEGIN');
$open->query_safe('SELECT recsys.log_click(request_id, item_id) FROM visit WHERE rank = 1');
($status, $stderr) = timed($node, "SET lock_timeout = '2s'; SELECT recsys.log_click(request_id, item_id) FROM visit WHERE rank = 2;");
is($status, 0, 'clicks on one list do not wait for each other') or diag($stderr);
$node->safe_psql('postgres', 'SELECT recsys.fold_bandits()');
$open->query_safe('COMMIT');
$open->quit;
compare('two clicks');

# Where all work in transaction blocks somebody folds when thousands of rows wait
$node->safe_psql('postgres', q(INSERT INTO recsys.bandit_delta SELECT generation, 'home', 0, md5(n::text)::uuid, clock_timestamp(), NULL FROM recsys.bandit, generate_series(1, 3000) n WHERE name = 'slot'));
$node->safe_psql('postgres', "BEGIN;\n${visit_once}COMMIT;");
is($node->safe_psql('postgres', 'SELECT count(*) < 100 FROM recsys.bandit_delta'), 't', 'a transaction block folds what has come to be too much');

# Under a snapshot that does not see what others fold nothing is folded, and nothing fails
is($node->safe_psql('postgres', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT recsys.fold_bandits(); COMMIT'), '0', 'repeatable read');

unlike(slurp_file($node->logfile), qr/PANIC:|TRAP:|corrupt|AddressSanitizer/, 'nothing alarming in the log');
$node->stop;
done_testing();
