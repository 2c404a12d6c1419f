# An index over an item graph: a standby answers as its primary does, a crash leaves an index that is
# whole or none, a session that has been served goes on rightly after any REINDEX, and a damaged file
# never brings the server down.
#
# RECSYS_FUZZ_SEED chooses the random damages, RECSYS_FUZZ_ROUNDS how many.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysPages;
use RecsysTest;

my $seed = $ENV{RECSYS_FUZZ_SEED} // 20260101;
my $rounds = $ENV{RECSYS_FUZZ_ROUNDS} // 1;

# All that index purchases_recsys knows, as a graph in table NAME
sub export
{
	my ($name, $kind) = @_;

	$kind //= '';
	return qq(
		CREATE $kind TABLE $name AS
		SELECT i.item_id, i.users, s.similar_ids, s.scores, s.supports
		FROM popular_items(NULL, 'purchases_recsys') AS i
		LEFT JOIN (SELECT item_id, array_agg(similar_item_id) AS similar_ids, array_agg(score) AS scores, array_agg(support) AS supports
				   FROM item_similarity('purchases_recsys') GROUP BY item_id) AS s USING (item_id);
		CREATE INDEX ${name}_graph ON $name USING recsys_graph (item_id, users, similar_ids, scores, supports););
}

# Lists of all users and more, neighbors and popular items, as a fingerprint
sub lists_by
{
	my ($graph) = @_;

	return qq(SELECT md5(string_agg(u || r::text, ',' ORDER BY u, r.rank)) FROM generate_series(0, 410) AS u,
			recsys.recommend_from(u, 10, 'purchases_recsys', '$graph') AS r);
}

my $recommended = q(SELECT md5(string_agg(u || r::text, ',' ORDER BY u, r.rank)) FROM generate_series(0, 410) AS u,
	recommend(u, 10, 'purchases_recsys') AS r);

sub same
{
	my ($node, $graph, $name) = @_;

	is($node->safe_psql('postgres', lists_by($graph)), $node->safe_psql('postgres', $recommended), $name);
}

# A standby
my $node = new_node('primary');
create_purchases($node, 6000);
$node->safe_psql('postgres', 'CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = rp3beta, neighbors = 20)');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', export('graph'));
same($node, 'graph', 'the primary answers as recommend does');
$node->wait_for_catchup($standby);
same($standby, 'graph', 'and so does the standby');
check_clean($standby, 'graph_graph', 'check_index there');
$node->safe_psql('postgres', 'REINDEX INDEX graph_graph');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY graph_graph');
$node->wait_for_catchup($standby);
same($standby, 'graph', 'after REINDEX, plain and concurrently');
check_clean($standby, 'graph_graph', 'check_index there');
$standby->stop;

# A session that remembers how items are numbered
my $remembered = $node->safe_psql('postgres', qq(
	SELECT count(*) > 0 FROM recsys.recommend_from(1, 5, 'purchases_recsys', 'graph');
	@{[ lists_by('graph') ]};
	DELETE FROM graph WHERE item_id % 3 = 0;
	REINDEX INDEX graph_graph;
	@{[ lists_by('graph') ]};
	DELETE FROM purchases WHERE product_id % 3 = 0;
	REINDEX INDEX purchases_recsys;
	DROP TABLE graph;
	@{[ export('graph') ]}
	@{[ lists_by('graph') ]};
	$recommended;));
my @remembered = split /\n/, $remembered;
isnt($remembered[1], $remembered[2], 'a graph with fewer rows gives other lists');
is($remembered[3], $remembered[4], 'a session sees what has been built anew');

# Crashes
$node->safe_psql('postgres', export('unlogged', 'UNLOGGED'));
$node->safe_psql('postgres', 'CHECKPOINT');
$node->safe_psql('postgres', export('late'));
kill_server($node);
$node->start;
same($node, 'late', 'a crash behind CREATE INDEX: the same lists');
check_clean($node, 'late_graph', 'check_index after it');
is($node->safe_psql('postgres', q(SELECT count(*) FROM recsys.popular_from(10, 'unlogged'))), '0', 'an unlogged graph is empty after a crash');
check_clean($node, 'unlogged_graph', 'check_index of that');

$node->safe_psql('postgres', q(
	CREATE TABLE large AS
	SELECT i AS item_id, 1 + i % 1000 AS users, ARRAY(SELECT 1 + (i + j * j) % 60000 FROM generate_series(1, 60) AS j) AS similar_ids,
		   ARRAY(SELECT (1 / j::real) FROM generate_series(1, 60) AS j) AS scores
	FROM generate_series(1, 60000) AS i));
for my $delay (0, 0.1, 0.3)
{
	my $build = start_psql($node, 'CREATE INDEX large_graph ON large USING recsys_graph (item_id, users, similar_ids, scores)');

	poll_progress($node, $build);
	sleep $delay;
	kill_server($node);
	eval { finish($build) };
	$node->start;
	is($node->safe_psql('postgres', q(SELECT count(*) FROM large)), '60000', "killed $delay s into a build: the table is there");
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS large_graph');
}
my ($status, undef, $stderr) = $node->psql('postgres',
	q(SET statement_timeout = '100ms'; CREATE INDEX large_graph ON large USING recsys_graph (item_id, users, similar_ids, scores)));
like($stderr, qr/statement timeout/, 'a build is cancelled');
$node->safe_psql('postgres', 'CREATE INDEX large_graph ON large USING recsys_graph (item_id, users, similar_ids, scores)');
check_clean($node, 'large_graph', 'check_index of a large one');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_ls_tmpdir())), '0', 'no temporary file is left');
$node->safe_psql('postgres', 'DROP TABLE large');
$node->stop;

# Damage, on a server without checksums
my $damaged = PostgreSQL::Test::Cluster->new('damaged');
$damaged->init(extra => ['--encoding=UTF8']);
$damaged->append_conf('postgresql.conf', q(
	autovacuum = off
	statement_timeout = 5s
	jit = off
	dynamic_shared_memory_type = mmap));
$damaged->start;
$damaged->safe_psql('postgres', q(
	CREATE EXTENSION recsys;
	CREATE TABLE purchases AS SELECT u AS user_id, 'p' || (u * i * i) % 300 AS product_id FROM generate_series(1, 200) AS u, generate_series(1, 12) AS i;
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine, min_support = 1, neighbors = 20)));

sub random_damage
{
	my ($number) = @_;

	return [ "random damage $number", sub {
		my ($content) = @_;
		my $blocks = length($$content) / PAGE;

		srand($number);
		foreach my $i (0 .. int rand 6)
		{
			my $block = int rand $blocks;
			my $where = rand;
			my $at = $block * PAGE + ($where < 0.3 ? int rand 64 : $where < 0.4 ? LOW + int rand 16 : int rand PAGE);
			my $what = rand;

			$at = $blocks * PAGE - 4 if $at > $blocks * PAGE - 4;
			substr($$content, $at, 1) = chr int rand 256 if $what < 0.4;
			substr($$content, $at & ~3, 4) = pack('L', rand() < 0.5 ? int rand $blocks * 2 : int rand 2**32) if $what >= 0.4 && $what < 0.6;
			substr($$content, $at, 1) = chr(ord(substr($$content, $at, 1)) ^ (1 << int rand 8)) if $what >= 0.6 && $what < 0.9;
			substr($$content, $block * PAGE, PAGE) = substr($$content, PAGE * int rand $blocks, PAGE) if $what >= 0.9;
		}
	} ];
}

my $all = "\xFF\xFF\xFF\xFF";
my @damages = (
	[ 'none', sub { } ],
	(map { my $at = CONTENT + 4 * $_; (
		[ "meta page: field at $at", on_pages(META, $at, $all) ],
		[ "meta page: field at $at is 0", on_pages(META, $at, "\0" x 4) ]) } 2 .. 60),
	(map { my $kind = $_; (
		[ "pages of kind $kind zeroed", on_pages($kind, 0, "\0" x PAGE) ],
		[ "pages of kind $kind: other kind", on_pages($kind, KIND, chr(GRAPH)) ],
		[ "pages of kind $kind: other side", on_pages($kind, SIDE, chr(0)) ],
		[ "pages of kind $kind: garbage in the special space", on_pages($kind, LOW, "\xA5" x 16) ],
		[ "pages of kind $kind: low end of the free space", on_pages($kind, 12, pack('S', 4)) ],
		[ "pages of kind $kind: no free space", on_pages($kind, 12, pack('SS', 8176, 8176)) ],
		[ "pages of kind $kind: contents are garbage", on_pages($kind, CONTENT, "\xA5" x 8000) ]) } DIRECTORY, BUCKET, MAP_ROOT, MAP_LEAF, GRAPH, POPULAR, PENDING),
	(map { [ "owners: field at $_", on_tuples(BUCKET, $_, $all) ] } 0, 4, 8, 12, 16, 20),
	(map { [ "graph rows: field at $_", on_tuples(GRAPH, $_, $all) ] } 0, 4, 8, 12, 16, 20, 24),
	[ 'row map: leads nowhere', on_pages(MAP_LEAF, CONTENT, $all x 100) ],
	[ 'row map: leads to one row', on_pages(MAP_LEAF, CONTENT, "\0\0\x05\0\x01\0" x 100) ],
	[ 'popular page: unknown items', on_pages(POPULAR, CONTENT, $all x 100) ],
	map { random_damage($_) } $seed .. $seed + 40 * $rounds - 1);

sub script
{
	my ($n) = @_;

	return qq(
		SELECT count(*) FROM generate_series(1, 60) AS u, recsys.recommend_from(u, 20, 'purchases_recsys', 'g$n', NULL::text);
		SELECT count(*) FROM recsys.recommend_from(NULL::integer, NULL, 'purchases_recsys', 'g$n', NULL::text);
		SELECT count(*) FROM generate_series(1, 100) AS i, recsys.similar_from('p' || i, 20, 'g$n');
		SELECT count(*) FROM recsys.popular_from(NULL, 'g$n', NULL::text);
		SELECT count(*) FROM recommend_for_items(ARRAY['p1', 'p2'], 20, 'g${n}_graph');
		SELECT count(*) FROM item_similarity('g${n}_graph', NULL::text);
		SELECT count(*) FROM recsys.page_summary('g${n}_graph');
		SELECT recsys.index_info('g${n}_graph');
		SELECT count(*) FROM recsys.index_stats WHERE index_name = 'g${n}_graph';
		SELECT recsys.merge('g${n}_graph');
		DELETE FROM g$n WHERE item_id < 'p2';
		VACUUM g$n;
		SELECT recsys.check_index('g${n}_graph'););
}

sub repair
{
	my ($n) = @_;
	return qq(REINDEX INDEX g${n}_graph; SELECT recsys.check_index('g${n}_graph');
		SELECT count(*) > 0 FROM recsys.popular_from(5, 'g$n', NULL::text););
}

my (%path, @failed, $refused);
$damaged->safe_psql('postgres', q(
	CREATE TABLE g AS
	SELECT i.item_id, i.users, s.similar_ids, s.scores, s.supports
	FROM popular_items(NULL, 'purchases_recsys', NULL::text) AS i
	LEFT JOIN (SELECT item_id, array_agg(similar_item_id) AS similar_ids, array_agg(score) AS scores, array_agg(support) AS supports
			   FROM item_similarity('purchases_recsys', NULL::text) GROUP BY item_id) AS s USING (item_id);) . join '', map { qq(
	CREATE TABLE g$_ AS TABLE g;
	CREATE INDEX g${_}_graph ON g$_ USING recsys_graph (item_id, users, similar_ids, scores, supports);) } 0 .. $#damages);
%path = split /[|\n]/, $damaged->safe_psql('postgres',
	"SELECT n, pg_relation_filepath(('g' || n || '_graph')::regclass) FROM generate_series(0, $#damages) AS n");
$damaged->stop;
foreach my $n (0 .. $#damages)
{
	change_file($damaged->data_dir . "/$path{$n}", $damages[$n]->[1]);
}
$damaged->start;
foreach my $n (0 .. $#damages)
{
	my $name = $damages[$n]->[0];
	my ($status, $output, $errors) = $damaged->psql('postgres', script($n), on_error_stop => 0, timeout => 60);
	my $lost = $errors =~ /server closed|connection to server was lost|statement timeout|invalid memory alloc|out of memory/;

	$refused++ if $errors =~ /^HINT:  REINDEX INDEX public\.g${n}_graph;$/m;
	$lost ||= $name eq 'none' && $errors =~ /ERROR/;
	is_back($damaged, 0) if $errors =~ /server closed|connection to server was lost/;
	($status, $output) = $damaged->psql('postgres', repair($n), on_error_stop => 1);
	push @failed, $name if $lost || $status != 0 || $output !~ /^t$/m;
	diag("$name: $errors") if $lost || $status != 0;
}
is("@failed", '', scalar(@damages) . ' damages: answers or errors, and REINDEX repairs it');
cmp_ok($refused, '>', 60, 'the hint is the command that repairs the index');

done_testing();
