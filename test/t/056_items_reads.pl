# What an index over items answers is what its snapshot sees: beside writers, merges and VACUUM,
# for statements and for transactions that look at the past, and on a standby, where rows
# that no merge has taken yet are seen as soon as they are there.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('primary', "shared_buffers = 16MB", "hot_standby_feedback = on", "wal_consistency_checking = 'generic'");
$primary->safe_psql('postgres', <<'SQL');
CREATE TABLE goods (id bigint PRIMARY KEY, category integer, price real, shape real[]);
CREATE FUNCTION good(n bigint) RETURNS goods LANGUAGE sql AS $$
	SELECT n, (n * 7 % 5)::int, exp(2 + (n * 37 % 101) / 25.0)::real, ARRAY(SELECT (sin(n * (i + 1) * 0.7) + 1.2)::real FROM generate_series(1, 4) i)
$$;
INSERT INTO goods SELECT (good(n)).* FROM generate_series(1, 60) n;
CREATE INDEX goods_items ON goods USING recsys_items (id, category, price, shape) WITH (neighbors = 12, pending_limit = 64);
CREATE VIEW pairs AS
SELECT a.id AS a, b.id AS b,
	((a.category = b.category)::int + exp(-power(ln(a.price) - ln(b.price), 2) / (2 * 0.5 * 0.5)) +
		greatest(0, (SELECT sum(x::float8 * y) / sqrt(sum(x::float8 * x) * sum(y::float8 * y)) FROM unnest(a.shape, b.shape) v(x, y)))) / 3 AS score
FROM goods a JOIN goods b ON a.id <> b.id;
-- answers that are not those of the definition, for what the statement sees
CREATE FUNCTION wrong(k bigint) RETURNS TABLE (item bigint, what text) LANGUAGE sql STABLE AS $$
	WITH said AS MATERIALIZED (SELECT g.id AS a, s.* FROM goods g, similar_items(g.id, wrong.k, 'goods_items') s),
		 truth AS MATERIALIZED (SELECT * FROM pairs)
	SELECT s.a, 'score of ' || item_id || ': ' || s.score || ' for ' || coalesce(t.score::text, 'nothing')
	FROM said s LEFT JOIN truth t ON t.a = s.a AND t.b = s.item_id
	WHERE t.score IS NULL OR abs(s.score - t.score) > 0.0005
	UNION ALL
	SELECT a, 'number: ' || count(b) FROM (SELECT id AS a FROM goods) g LEFT JOIN (SELECT a, item_id AS b FROM said) s USING (a)
	GROUP BY a HAVING count(b) <> least(wrong.k, 12, (SELECT count(*) FROM truth t WHERE t.a = g.a AND t.score > 0))
	UNION ALL
	SELECT t.a, 'misses ' || t.b FROM truth t JOIN (SELECT a, min(score) AS least FROM said GROUP BY a) l USING (a)
	WHERE t.score > l.least + 0.0005 AND NOT EXISTS (SELECT FROM said s WHERE s.a = t.a AND s.item_id = t.b)
$$;
SQL

my $what_is_wrong = q(SELECT count(*), min(item || ' ' || what) FROM wrong(5));
my $right = '0|';

# Looks many times within one transaction, or each time anew; its exit status tells.
sub look
{
	my ($node, $isolation, $times) = @_;
	my $check = 'IF EXISTS (SELECT FROM wrong(5)) THEN RAISE EXCEPTION \'%\', (SELECT min(item || \' \' || what) FROM wrong(5)); END IF; PERFORM pg_sleep(0.02);';

	return start_psql($node, "BEGIN ISOLATION LEVEL $isolation; DO \$\$ BEGIN FOR i IN 1 .. $times LOOP $check END LOOP; END \$\$; COMMIT");
}

is($primary->safe_psql('postgres', $what_is_wrong), $right, 'a new index answers as the definition says');

# Beside writers, merges and VACUUM
my $writers = start_pgbench($primary, 3,
	[ '\set n random(1, 90)' . "\nINSERT INTO goods SELECT (good(:n)).* ON CONFLICT (id) DO UPDATE SET price = goods.price * 1.3, category = (goods.category + 1) % 5;\nSELECT pg_sleep(0.01);\n", 6 ],
	[ '\set n random(1, 90)' . "\nDELETE FROM goods WHERE id = :n;\nSELECT pg_sleep(0.01);\n", 3 ],
	[ '\set n random(1, 90)' . "\nBEGIN;\nUPDATE goods SET category = 7 WHERE id = :n;\nSELECT pg_sleep(0.02);\nROLLBACK;\n", 2 ],
	[ "SELECT recsys.merge('goods_items');\nSELECT pg_sleep(0.02);\n", 2 ],
	[ "VACUUM goods;\nSELECT pg_sleep(0.05);\n", 1 ]);
my @looks = (look($primary, 'READ COMMITTED', 40), map { look($primary, 'REPEATABLE READ', $_) } 1, 5, 20, 40);
ok(finish($_), 'right answers beside writers, merges and VACUUM') foreach @looks;
$writers->kill_kill;
is($primary->safe_psql('postgres', $what_is_wrong), $right, 'right answers when all is over');
$primary->safe_psql('postgres', $_) foreach 'VACUUM goods', "SELECT recsys.merge('goods_items', true)";
is($primary->safe_psql('postgres', $what_is_wrong), $right, 'right answers after an exact merge');
check_clean($primary, 'goods_items', 'check_index');

# A standby
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

sub compare
{
	my ($name, @statements) = @_;

	$primary->safe_psql('postgres', $_) foreach @statements;
	$primary->wait_for_catchup($standby);
	is($standby->safe_psql('postgres', $what_is_wrong), $right, "standby, $name: right answers");
}
compare('as it is');
compare('new rows', 'INSERT INTO goods SELECT (good(n)).* FROM generate_series(101, 120) n');
compare('changed rows', 'UPDATE goods SET price = price * 2, category = 3 WHERE id % 3 = 0');
compare('deleted rows', 'DELETE FROM goods WHERE id % 4 = 1');
compare('merged', "SELECT recsys.merge('goods_items')");
compare('vacuumed', 'VACUUM goods');
compare('rolled back', 'BEGIN; DELETE FROM goods; ROLLBACK');
is($standby->safe_psql('postgres', q(SELECT count(*) FROM items_like('{"category": 3}', NULL, 'goods_items') WHERE score > 0.9)),
	$primary->safe_psql('postgres', 'SELECT count(*) FROM goods WHERE category = 3'), 'standby: search by content');

# transactions on it that look at the past while changes are replayed
my @past = map { look($standby, 'REPEATABLE READ', $_) } 15, 40;
$standby->poll_query_until('postgres', q(SELECT count(*) >= 2 FROM pg_stat_activity WHERE query LIKE 'BEGIN ISOLATION%')) or die;
for my $round (1 .. 6)
{
	$primary->safe_psql('postgres', $_)
	  foreach "UPDATE goods SET price = price * 1.7 WHERE id % 5 = $round % 5", "DELETE FROM goods WHERE id % 9 = $round",
	  "SELECT recsys.merge('goods_items')", "INSERT INTO goods SELECT (good(n)).* FROM generate_series(101, 140) n ON CONFLICT DO NOTHING";
}
ok(finish($_), 'standby: right answers for an old snapshot') foreach @past;
compare('at last');
check_clean($standby, 'goods_items', 'standby: check_index');

done_testing();
