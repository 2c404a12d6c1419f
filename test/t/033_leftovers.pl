# What a failed REINDEX CONCURRENTLY leaves is in nobody's way: not the merge worker's, not that of a
# function that looks for the only recommender, not VACUUM's; and while one is under way, nobody is told to
# drop what it is building.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('primary', "shared_preload_libraries = 'recsys'", 'recsys.merge_interval = 200ms');

$node->safe_psql('postgres', q(
	CREATE FUNCTION moody(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
	$$ BEGIN IF current_setting('test.fail', true) = 'on' THEN RAISE 'a bad day'; END IF; RETURN $1; END $$;
	CREATE TABLE e AS SELECT u::bigint AS u, ((u * i) % 23)::bigint AS i FROM generate_series(1, 60) u, generate_series(1, 5) i;
	CREATE INDEX e_recsys ON e USING recsys ((moody(u)), i);));
$node->psql('postgres', q(SET test.fail = on; REINDEX INDEX CONCURRENTLY e_recsys));
is($node->safe_psql('postgres', q(SELECT string_agg(index_name, ',' ORDER BY index_name) FROM recsys.index_stats)),
	'e_recsys,e_recsys_ccnew', 'the failed index is left');

my $offset = -s $node->logfile;
$node->safe_psql('postgres', q(INSERT INTO e SELECT 1000 + n, n % 23 FROM generate_series(1, 100) n));
ok($node->poll_query_until('postgres', q(SELECT pending = 0 FROM recsys.index_stats WHERE index_name = 'e_recsys')),
	'the worker merges the good one');
is($node->safe_psql('postgres', 'SELECT count(*) FROM recommend(1, 3)'), 3, 'it is the only recommender');
$node->safe_psql('postgres', 'VACUUM e');
unlike(slurp_file($node->logfile, $offset), qr/WARNING|ERROR/, 'nobody complains');
like($node->safe_psql('postgres', q(SELECT problem FROM recsys.index_stats WHERE index_name = 'e_recsys_ccnew')),
	qr/left by a REINDEX CONCURRENTLY that failed, remove it with DROP INDEX public\.e_recsys_ccnew$/, 'it is named for what it is');
$node->safe_psql('postgres', 'DROP INDEX public.e_recsys_ccnew');

# under way: it waits for a transaction that has written
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN; INSERT INTO e VALUES (5000, 1)');
my $reindex = $node->background_psql('postgres');
$reindex->query_until(qr/begun/, "\\echo begun\nREINDEX INDEX CONCURRENTLY e_recsys;\n\\echo over\n");
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_class WHERE relname = 'e_recsys_ccnew')), 'a REINDEX is under way');
like($node->safe_psql('postgres', q(SELECT problem FROM recsys.index_stats WHERE index_name = 'e_recsys_ccnew')),
	qr/may still be under construction/, 'the index that is being built is not taken for a leftover');
$old->query_safe('COMMIT');
$old->quit;
ok($node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_class WHERE relname = 'e_recsys_ccnew')), 'it ends well');
$reindex->quit;
is($node->safe_psql('postgres', 'SELECT problem IS NULL FROM recsys.index_stats'), 't', 'nothing is left');

$node->stop;
done_testing();
