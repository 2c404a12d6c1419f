# Indexes that are not in the write-ahead log: unlogged ones are empty and
# sound after a crash, temporary ones work, and ones built in the transaction
# that made their table (wal_level = minimal) survive.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my $index = "CREATE INDEX purchases_recsys ON $columns";

# unlogged
my $node = new_node('unlogged');
create_purchases($node, 3000, 'UNLOGGED');
$node->safe_psql('postgres', $index);
insert_purchases($node, 300);
check_clean($node, 'purchases_recsys', 'unlogged: check_index');
recommend_agrees($node, 'purchases_recsys', 'unlogged: recommend by its definition');

my $kept = answers($node, 'purchases_recsys');
$node->restart;
same_answers(answers($node, 'purchases_recsys'), $kept, 'unlogged: a clean restart keeps it');

kill_server($node);
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM purchases'), '0', 'unlogged: a crash empties the table');
check_clean($node, 'purchases_recsys', 'unlogged: check_index of the empty index');
is($node->safe_psql('postgres', q(
		SELECT (SELECT count(*) FROM recommend(1::bigint, 5)), (SELECT count(*) FROM popular_items(5)),
			   (SELECT count(*) FROM similar_items(1::bigint)), (SELECT count(*) FROM item_similarity()))),
	'0|0|0|0', 'unlogged: no answers from an empty index, and no error');
is($node->safe_psql('postgres', q(
		SET enable_seqscan = off;
		SELECT count(*) FROM purchases WHERE user_id = 1)), '0', 'unlogged: scans of the empty index');
insert_purchases($node, 3000);
check_clean($node, 'purchases_recsys', 'unlogged: check_index after new inserts');
scans_agree($node, 'unlogged');
$node->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
check_clean($node, 'purchases_recsys', 'unlogged: check_index after REINDEX');
recommend_agrees($node, 'purchases_recsys', 'unlogged: recommend after REINDEX');

# a model of factors has none after a crash, until the next build
$node->safe_psql('postgres', q(ALTER INDEX purchases_recsys SET (similarity = als, rank = 10); REINDEX INDEX purchases_recsys));
is($node->safe_psql('postgres', q(SELECT count(*) > 100 FROM recsys.item_factors())), 't', 'unlogged: factors');
kill_server($node);
$node->start;
insert_purchases($node, 3000);
check_clean($node, 'purchases_recsys', 'unlogged: check_index of an index that lost its factors');
$node->safe_psql('postgres', q(SELECT recsys.merge('purchases_recsys')));
is($node->safe_psql('postgres', q(
		SELECT (SELECT count(*) FROM recsys.item_factors()), (SELECT string_agg(DISTINCT source, ' ') FROM recommend(1::bigint, 5)))),
	'0|popular', 'unlogged: without factors there are popular items');
$node->safe_psql('postgres', q(ALTER INDEX purchases_recsys RESET (similarity, rank); REINDEX INDEX purchases_recsys));

# an unlogged table that becomes a logged one survives the next crash
$node->safe_psql('postgres', 'ALTER TABLE purchases SET LOGGED');
$kept = answers($node, 'purchases_recsys');
kill_server($node);
$node->start;
check_clean($node, 'purchases_recsys', 'SET LOGGED: check_index after a crash');
same_answers(answers($node, 'purchases_recsys'), $kept, 'SET LOGGED: the crash loses nothing');

# temporary
is($node->safe_psql('postgres', q(
		CREATE TEMPORARY TABLE baskets (basket integer, item integer) ON COMMIT PRESERVE ROWS;
		INSERT INTO baskets SELECT b, i FROM generate_series(1, 30) b, generate_series(1, 6) i WHERE (b + i) % 3 > 0;
		CREATE INDEX baskets_recsys ON baskets USING recsys (basket, item);
		INSERT INTO baskets VALUES (31, 1), (31, 2);
		SELECT count(*) FROM recommend(31, 3, 'baskets_recsys') WHERE source = 'history';
		DELETE FROM baskets WHERE basket < 5;
		VACUUM baskets;
		SELECT recsys.check_index('baskets_recsys');
		SET enable_seqscan = off;
		SELECT count(*) FROM baskets WHERE basket = 31;
		TRUNCATE baskets;
		SELECT count(*) FROM recommend(31, 3, 'baskets_recsys');)),
	"3\n\n2\n0", 'temporary: build, insert, recommend, vacuum, check, scan, truncate');
is($node->safe_psql('postgres', q(
		CREATE TEMPORARY TABLE carts (cart integer, item integer) ON COMMIT DELETE ROWS;
		CREATE INDEX carts_recsys ON carts USING recsys (cart, item);
		BEGIN;
		INSERT INTO carts VALUES (1, 1), (1, 2), (2, 1), (2, 2);
		SELECT count(*) FROM carts WHERE cart = 1;
		COMMIT;
		SELECT count(*) FROM recommend(1, 3, 'carts_recsys');
		SELECT recsys.check_index('carts_recsys');)),
	"2\n0\n", 'temporary: emptied at commit');
$node->stop;

# not logged, because the table is new in the same transaction
$node = new_node('minimal', 'wal_level = minimal', 'max_wal_senders = 0', 'wal_skip_threshold = 0');
$node->safe_psql('postgres', qq(
	BEGIN;
	CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
	INSERT INTO purchases SELECT 1 + i % 400, 1 + (i * i / 7) % 250, 1 + i % 3, now() FROM generate_series(1, 5000) i;
	$index;
	INSERT INTO purchases SELECT 1 + i % 400, 1 + (i * i / 11) % 250, 1 + i % 3, now() FROM generate_series(1, 500) i;
	COMMIT;));
$kept = answers($node, 'purchases_recsys');
kill_server($node);
$node->start;
check_clean($node, 'purchases_recsys', 'wal_level = minimal: check_index after a crash');
same_answers(answers($node, 'purchases_recsys'), $kept, 'wal_level = minimal: the crash loses nothing');
insert_purchases($node, 500);
check_clean($node, 'purchases_recsys', 'wal_level = minimal: check_index after inserts');
kill_server($node);
$node->start;
check_clean($node, 'purchases_recsys', 'wal_level = minimal: check_index after a crash following inserts');
scans_agree($node, 'wal_level = minimal');

$node->stop;
done_testing();
