# What tests of partitioned tables share: a partitioned table and a plain one with the same rows,
# statements for both, and the whole of what their indexes answer, compared.
package RecsysParts;

use strict;
use warnings;

use Exporter 'import';
use Test::More;

use RecsysTest;

our @EXPORT = qw(both on_both part_answers same_as_plain parts_scan parts_are_fresh merge_all %LAYOUTS create_layout);

# Ways to partition.  Each is the table p with leaves, whose index is p_recsys, and the plain table q
# with q_recsys.  columns: without user and item, what both have; items and users make keys of a number.
# leaf: the name of a leaf that may be emptied and detached at will; what: which rows it has.
# bounds: for ATTACH.
our %LAYOUTS = (
	range => {
		user => 'bigint', item => 'bigint',
		method => 'RANGE (at)',
		create => [ (map { sprintf q(CREATE TABLE p_%02d PARTITION OF p FOR VALUES FROM ('2024-%02d-01') TO ('2024-%02d-01')), $_, $_, $_ + 1 } 1 .. 6),
			'CREATE TABLE p_rest PARTITION OF p DEFAULT' ],
		leaf => 'p_02', what => "at >= '2024-02-01' AND at < '2024-03-01'", bounds => "FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')",
		index => '(user_id, item, quantity, at)',
	},
	hash => {
		user => 'text', item => 'uuid',
		method => 'HASH (user_id)',
		create => [ map { "CREATE TABLE p_$_ PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER $_)" } 0 .. 3 ],
		leaf => 'p_3', what => "satisfies_hash_partition('p'::regclass, 4, 3, user_id)", bounds => 'FOR VALUES WITH (MODULUS 4, REMAINDER 3)',
		index => '(user_id, item, quantity, at)',
	},
	# leaves whose columns stand elsewhere, a list, and levels of partitions
	list => {
		user => 'text', item => 'text',
		method => 'LIST (region)',
		create => [
			'CREATE TABLE p_eu (gone integer, at timestamptz NOT NULL, item text, region text, lost text, quantity integer, user_id text, id integer) PARTITION BY RANGE (at)',
			'ALTER TABLE p_eu DROP COLUMN gone, DROP COLUMN lost',
			"CREATE TABLE p_eu_1 PARTITION OF p_eu FOR VALUES FROM ('2024-01-01') TO ('2024-04-01')",
			'CREATE TABLE p_eu_2 (region text, junk integer, user_id text, quantity integer, id integer, item text, at timestamptz NOT NULL)',
			'ALTER TABLE p_eu_2 DROP COLUMN junk',
			"ALTER TABLE p_eu ATTACH PARTITION p_eu_2 FOR VALUES FROM ('2024-04-01') TO (MAXVALUE)",
			"ALTER TABLE p ATTACH PARTITION p_eu FOR VALUES IN ('eu')",
			"CREATE TABLE p_us PARTITION OF p FOR VALUES IN ('us', 'ca')",
			'CREATE TABLE p_other PARTITION OF p DEFAULT PARTITION BY HASH (item)',
			(map { "CREATE TABLE p_other_$_ PARTITION OF p_other FOR VALUES WITH (MODULUS 2, REMAINDER $_)" } 0, 1) ],
		leaf => 'p_us', what => "region IN ('us', 'ca')", bounds => "FOR VALUES IN ('us', 'ca')",
		index => '(user_id, item, quantity, at)',
	},
	# an expression, a predicate, neither weight nor time
	partial => {
		user => 'text', item => 'bigint',
		method => 'RANGE (quantity)',
		create => [ 'CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (MINVALUE) TO (2)',
			'CREATE TABLE p_2 (id integer, at timestamptz NOT NULL, dropped text, quantity integer, region text, item bigint, user_id text)',
			'ALTER TABLE p_2 DROP COLUMN dropped', 'ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES FROM (2) TO (3)',
			'CREATE TABLE p_rest PARTITION OF p DEFAULT' ],
		leaf => 'p_2', what => 'quantity = 2', bounds => 'FOR VALUES FROM (2) TO (3)',
		index => '((lower(user_id)), item)', where => "WHERE region <> 'us'", condition => "region <> 'us'", user_expression => 'lower(user_id)',
	});

# A statement of p as one of q: leaves of p are the table q itself.
sub both
{
	my ($sql) = @_;
	my $other = $sql =~ s/\bp\b/q/gr;

	return "$sql;\n$other;\n";
}

sub on_both
{
	my ($node, @statements) = @_;
	return $node->safe_psql('postgres', join '', map { both($_) } @statements);
}

# Both tables, without rows and indexes.
sub create_layout
{
	my ($node, $name) = @_;
	my $layout = $LAYOUTS{$name};
	my $columns = "id integer, user_id $layout->{user}, item $layout->{item}, quantity integer, at timestamptz NOT NULL, region text";

	$node->safe_psql('postgres', join '', map { "$_;\n" } 'DROP TABLE IF EXISTS p, q, p_gone CASCADE',
		"CREATE TABLE p ($columns) PARTITION BY $layout->{method}", @{ $layout->{create} }, "CREATE TABLE q ($columns)");
	return $layout;
}

# All that the index answers about the model and every user, as text, one line an answer.  Items that
# came after a build stand in order of arrival where scores are equal, and two tables need not have the same
# order of arrival: so equal ones get the same rank.
sub part_answers
{
	my ($node, $table, $user) = @_;
	my $index = "${table}_recsys";
	my $who = $user // 'user_id';
	my $since = $node->safe_psql('postgres', "SELECT indnkeyatts > 2 FROM pg_index WHERE indexrelid = '$index'::regclass") eq 't' ?
		"SELECT 'since', item_id, users FROM popular_items(NULL, '$index', NULL::text, since => '2024-03-15') ORDER BY 3 DESC, 2;" : '';

	return $node->safe_psql('postgres', qq(
		SET work_mem = '64MB';
		$since
		SELECT 'graph', item_id, similar_item_id, score, support FROM item_similarity('$index', NULL::text) s ORDER BY 2, 4 DESC, 3;
		SELECT 'popular', item_id, users, score FROM popular_items(NULL, '$index', NULL::text) ORDER BY 3 DESC, 4 DESC, 2;
		SELECT 'recommend', u, item_id, score, source FROM (SELECT DISTINCT $who AS u FROM q) u, LATERAL recommend(u::text, 2000, '$index', NULL::text) r
		WHERE source = 'history' ORDER BY u, score DESC, item_id;
		SELECT 'shown', u, source, count(*) FROM (SELECT DISTINCT $who AS u FROM q) u, LATERAL recommend(u::text, 2000, '$index', NULL::text) r
		GROUP BY u, source ORDER BY u, source;
		SELECT 'again', u, item_id, score FROM (SELECT DISTINCT $who AS u FROM q) u, LATERAL recommend(u::text, 2000, '$index', NULL::text, exclude_seen => false) r
		WHERE source = 'history' ORDER BY u, score DESC, item_id;
		SELECT 'all', user_id, count(*), min(score), max(score) FROM recommend_all('$index', 10, NULL::text, NULL::text) GROUP BY user_id ORDER BY user_id;
		SELECT 'cart', i, r.item_id, r.score FROM (SELECT DISTINCT item AS i FROM q WHERE item IS NOT NULL) i,
			LATERAL recommend_for_items(ARRAY[i], 2000, '$index') r WHERE source = 'history' ORDER BY i, r.score DESC, item_id;
		SELECT 'rule', antecedent, consequent, support, confidence, lift FROM association_rules('$index', NULL::text, min_support => 0.005, min_confidence => 0.05, max_length => 3)
		ORDER BY 2, 3;
		SELECT 'stats', users, items, interactions, neighbors, pending, inexact_items, capped_users, capped_interactions FROM recsys.index_stats WHERE index_name = '$index'));
}

# An exact merge of both, after VACUUM has taken the dead rows out of both.
sub merge_all
{
	my ($node) = @_;

	$node->safe_psql('postgres', q(VACUUM (INDEX_CLEANUP on) p; VACUUM (INDEX_CLEANUP on) q));
	foreach my $index ('p_recsys', 'q_recsys')
	{
		foreach my $attempt (1 .. 50)
		{
			last if $node->safe_psql('postgres', "SELECT merged IS NOT NULL FROM recsys.merge('$index', true)") eq 't';
			select(undef, undef, undef, 0.1);
		}
	}
}

# The same rows, the same answers.
sub same_as_plain
{
	my ($node, $layout, $name) = @_;

	is($node->safe_psql('postgres', q(SELECT count(*) FROM (TABLE p EXCEPT ALL TABLE q) d)) . ' '
		. $node->safe_psql('postgres', q(SELECT count(*) FROM (TABLE q EXCEPT ALL TABLE p) d)), '0 0', "$name: the tables have the same rows");
	merge_all($node);
	check_clean($node, "${_}_recsys", "$name: check_index of $_") foreach 'p', 'q';
	return same_answers(part_answers($node, 'p', $layout->{user_expression}),
		part_answers($node, 'q', $layout->{user_expression}), "$name: the partitioned table answers as the plain one");
}

# Whatever merges have not seen yet: users' lists are their visible history times the graph as it is.
sub parts_are_fresh
{
	my ($node, $layout, $name) = @_;
	my $is = $layout->{condition} // 'true';
	my $who = $layout->{user_expression} // 'user_id';
	my $weight = $layout->{index} =~ /quantity/ ? 'sum(coalesce(quantity, 1))::double precision' : 'count(*)::double precision';
	my $different = $node->safe_psql('postgres', qq(
		SET work_mem = '256MB';
		WITH history AS (
			SELECT $who AS user_id, item::text AS item, $weight AS weight FROM p WHERE user_id IS NOT NULL AND item IS NOT NULL AND $is GROUP BY 1, 2),
		expected AS (
			SELECT h.user_id::text, s.similar_item_id AS item_id, sum(h.weight * s.score) AS score
			FROM history h JOIN item_similarity('p_recsys', NULL::text) s ON s.item_id = h.item
			WHERE (h.user_id, s.similar_item_id) NOT IN (SELECT user_id, item FROM history)
			GROUP BY 1, 2),
		got AS (
			SELECT u.user_id::text, r.item_id, r.score
			FROM (SELECT DISTINCT user_id FROM history) u, LATERAL recommend(u.user_id::text, NULL, 'p_recsys', NULL::text) r
			WHERE r.source = 'history')
		SELECT count(*) FILTER (WHERE e.score IS NULL), count(*) FILTER (WHERE g.score IS NULL),
			   count(*) FILTER (WHERE abs(e.score - g.score) > 1e-5 * greatest(1, e.score)), count(*) > 0
		FROM expected e FULL JOIN got g USING (user_id, item_id)));

	is($different, '0|0|0|t', "$name: lists are those of the visible rows (unexpected, missing, different score, any)");
}

# Scans by user, item, both, and by neither, by every leaf and the parent, find the rows that a sequential scan finds.
sub parts_scan
{
	my ($node, $layout, $name) = @_;
	my $is = $layout->{condition} // 'true';
	my $who = $layout->{user_expression} // 'user_id';
	my @wrong;

	foreach my $table ('p', split /\n/, $node->safe_psql('postgres', q(SELECT relid::regclass FROM pg_partition_tree('p') WHERE isleaf)))
	{
		my $rows = 't.id, t.user_id, t.item, t.quantity, t.at, t.region';
		my $digest = 'SELECT count(*), sum(hash_record_extended(r, 0)::numeric) FROM';
		my %query = (
			user => [ "(SELECT DISTINCT $who AS u FROM $table WHERE $is) k, LATERAL (SELECT $rows FROM $table t WHERE $who = k.u AND $is OFFSET 0) r", "$who IS NOT NULL" ],
			item => [ "(SELECT DISTINCT item AS i FROM $table WHERE $is) k, LATERAL (SELECT $rows FROM $table t WHERE item = k.i AND $is OFFSET 0) r", 'item IS NOT NULL' ],
			both => [ "(SELECT DISTINCT $who AS u, item AS i FROM $table WHERE $is) k, LATERAL (SELECT $rows FROM $table t WHERE $who = k.u AND item = k.i AND $is OFFSET 0) r",
				"$who IS NOT NULL AND item IS NOT NULL" ]);

		foreach my $key (sort keys %query)
		{
			my $expected = $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; $digest (SELECT $rows FROM $table t WHERE $is AND $query{$key}->[1]) r");

			foreach my $off ('bitmapscan', 'indexscan')
			{
				my ($plan, $got) = $node->safe_psql('postgres', qq(
					SET enable_seqscan = off; SET enable_$off = off; SET enable_memoize = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
					EXPLAIN (COSTS off) $digest $query{$key}->[0]; SELECT '---';
					$digest $query{$key}->[0])) =~ /(.*)\n---\n(.*)/s;

				push @wrong, "$table $key without $off: index not used" if $plan !~ /Index Scan/;
				push @wrong, "$table $key without $off: $got, not $expected" if $got ne $expected;
			}
		}
	}
	is(join("\n", @wrong), '', "$name: index scans find the rows that sequential ones find");
}

1;
