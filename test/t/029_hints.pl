# A hint that prints a call or a command prints one that works: each is provoked, and
# what it prints is run.  The sources are searched for hints that are missing here.

use strict;
use warnings;

use File::Find;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('hints');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;

# The tables of the examples, and recommenders of each type of keys
sub fill
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<'SQL');
CREATE EXTENSION recsys;
CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
INSERT INTO purchases
SELECT n / 4, (n * 7 + n / 4) % 23, 1, '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour' FROM generate_series(1, 400) n;
CREATE TABLE order_items AS SELECT user_id AS order_id, product_id, 2.5 AS price, quantity FROM purchases;
SQL
}
fill('shop');
$node->safe_psql('shop', <<'SQL');
CREATE SCHEMA other;
CREATE TABLE texts AS SELECT user_id::text, 'p''' || product_id AS product_id FROM purchases;
CREATE TABLE uuids AS SELECT lpad(to_hex(user_id), 32, '0')::uuid AS user_id, lpad(to_hex(product_id), 32, '0')::uuid AS product_id FROM purchases;
CREATE INDEX bare_recsys ON purchases USING recsys (user_id, product_id);
CREATE INDEX order_items_recsys ON order_items USING recsys (order_id, product_id);
CREATE INDEX learned_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = ease);
CREATE INDEX "Texts" ON texts USING recsys (user_id, product_id);
CREATE INDEX uuids_recsys ON uuids USING recsys (user_id, product_id);
CREATE TABLE text_rules AS SELECT * FROM association_rules('"Texts"', NULL::text, 0.02, 0.1);
CREATE TABLE uuid_rules AS SELECT * FROM association_rules('uuids_recsys', NULL::uuid, 0.02, 0.1);
CREATE INDEX btree ON purchases (user_id);
CREATE TABLE parted (user_id bigint, product_id bigint) PARTITION BY LIST (user_id);
CREATE INDEX parted_recsys ON parted USING recsys (user_id, product_id);
INSERT INTO purchases VALUES (7, 3, 1, '2024-02-01 00:00+00');
CREATE TABLE hidden AS SELECT * FROM purchases;
CREATE INDEX hidden_recsys ON hidden USING recsys (user_id, product_id);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE ROLE reader;
GRANT SELECT ON purchases, hidden TO reader;
SQL
fill('empty');
fill('single');
$node->safe_psql('single', <<'SQL');
CREATE TABLE texts AS SELECT user_id::text, 'p' || product_id AS product_id FROM purchases;
CREATE INDEX "Texts" ON texts USING recsys (user_id, product_id);
SQL

# The hint of the error or the notice that a statement ends in
sub hint
{
	my ($database, $sql) = @_;
	my ($code, $out, $error) = $node->psql($database, $sql);

	return $error =~ /HINT:\s+(.*)/ ? $1 : "none, but $error";
}

# What a hint prints, as statements
sub statements
{
	my ($hint) = @_;
	my $nested;
	my @found;

	$nested = qr/\((?:[^()']|'(?:[^']|'')*'|(??{$nested}))*\)/;
	while ($hint =~ s/((?:CREATE (?:INDEX|MATERIALIZED VIEW)|REINDEX INDEX|ALTER INDEX|DROP INDEX) (?:$nested|'[^']*'|[^.,;]|\.(?=\S))*)//)
	{
		push @found, $1;
	}
	# what stands for something to be completed is no command; those above are whole
	while ($hint =~ s/\b((?:[a-z]+\.)?[a-z_]+$nested)//)
	{
		push @found, "SELECT * FROM $1";
	}
	push @found, "SELECT * FROM popular_items(k => 1, since_text => NULL, $1)" while $hint =~ s/(recommender => '(?:[^']|'')*')//;
	return @found;
}

my %provoked;
my @cases = (
	# item keys of another type, in every function that has a variant for bigint
	"SELECT * FROM recommend('7', 3, '\"Texts\"')",
	"SELECT * FROM recommend('7'::text, 3, '\"Texts\"', NULL::uuid)",
	"SELECT * FROM recommend('00000000000000000000000000000007', 3, 'uuids_recsys')",
	"SELECT * FROM recommend(7, 3, 'bare_recsys', NULL::uuid)",
	"SELECT * FROM recommend(7, 3, 'bare_recsys', NULL::json)",
	"SELECT * FROM recommend(NULL::bigint, NULL, 'uuids_recsys')",
	"SELECT * FROM recommend_for_items(ARRAY[1, 2], 3, '\"Texts\"')",
	"SELECT * FROM recommend_for_items(ARRAY[1, 2], 3, 'uuids_recsys')",
	"SELECT * FROM recommend_for_items(ARRAY[]::uuid[], 3, 'bare_recsys')",
	"SELECT * FROM similar_items(1, 3, '\"Texts\"')",
	"SELECT * FROM similar_items('00000000000000000000000000000007'::uuid, 3, 'bare_recsys')",
	"SELECT * FROM popular_items(3, 'uuids_recsys')",
	"SELECT * FROM popular_items(3, '\"Texts\"', NULL::uuid)",
	"SELECT * FROM explain_recommendation('7', 3, '\"Texts\"')",
	"SELECT * FROM explain_recommendation('00000000000000000000000000000007'::uuid, 3, 'uuids_recsys')",
	"SELECT * FROM frequently_bought_together(3, 3, 'uuids_recsys')",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'text_rules')",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'uuid_rules')",
	"SELECT * FROM item_similarity('\"Texts\"')",
	"SELECT * FROM item_similarity('\"Texts\"', NULL::json)",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM texts WHERE product_id <> ''x''')",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM texts', NULL::uuid)",
	"SELECT * FROM query_item_similarity('SELECT user_id, product_id FROM texts', NULL::text)",
	"SELECT * FROM association_rules('\"Texts\"', 0.02)",
	"SELECT * FROM association_rules('bare_recsys', NULL::uuid)",
	"SELECT * FROM association_rules_to_sets('uuids_recsys')",
	"SELECT * FROM query_association_rules('SELECT user_id, product_id FROM uuids')",
	"SELECT * FROM query_association_rules_to_sets('SELECT user_id, product_id FROM uuids')",
	"SELECT * FROM frequent_itemsets('\"Texts\"', 0.02)",
	"SELECT * FROM frequent_itemsets('\"Texts\"', item_type => NULL::numeric)",
	"SELECT * FROM query_frequent_itemsets('SELECT user_id, product_id FROM texts')",
	"SET search_path = other; SELECT * FROM public.recommend(7, 3, 'bare_recsys', NULL::json)",
	# the others
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, NULL)",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'purchases')",
	"SELECT * FROM complete_basket(ARRAY[1, 2], 3, 'btree')",
	"SELECT * FROM popular_items(3)",
	"SELECT * FROM recommend(7, 3, 'bare_recsys', half_life => '1 day')",
	"SELECT * FROM popular_items(3, 'bare_recsys', since => '2024-01-01')",
	"SELECT * FROM recsys.item_factors('bare_recsys')",
	"SELECT * FROM popular_items(3, 'nothing')",
	"SELECT * FROM popular_items(3, 'btree')",
	"SELECT * FROM popular_items(3, 'parted_recsys')",
	"SET ROLE reader; SELECT * FROM popular_items(3, 'hidden_recsys')",
	"SELECT * FROM association_rules('bare_recsys', weights => true)",
	"SELECT * FROM recsys.merge('learned_recsys', true)",
);
foreach my $case ((map { [ 'shop', $_ ] } @cases), [ 'empty', 'SELECT * FROM popular_items(3)' ],
	[ 'single', "SELECT * FROM recommend('7', 3)" ], [ 'single', 'SELECT * FROM popular_items(3)' ])
{
	my ($database, $sql) = @$case;
	my $hint = hint($database, $sql);
	my @statements = statements($hint);
	my $context = $sql =~ /^(SET [^;]*;)/ ? $1 : '';

	$provoked{$hint} = 1;
	ok(@statements > 0, "$sql: its hint prints something to run") or diag($hint);
	foreach my $statement (@statements)
	{
		my ($code, $out, $error) = $node->psql($database, "$context BEGIN; $statement; ROLLBACK",
			on_error_stop => 1);

		# the only two that must not be in a transaction block, or whose index is there
		($code, $out, $error) = $node->psql($database, "$context $statement", on_error_stop => 1)
			if $error =~ /transaction block/;
		is($error, '', "what it prints works: $statement");
	}
}

# Every hint of the sources that prints a call or a command has been seen above.
my %elsewhere = (
	# nothing can call the library's functions where the extension is not
	'Run CREATE EXTENSION recsys in this database.' => 1,
	# prints no command to run, but tells of one that is running
	'Wait for CREATE INDEX CONCURRENTLY to finish; if it has failed, DROP the index and create it again.' => 1,
	'Wait for CREATE INDEX CONCURRENTLY to finish; if it has failed, REINDEX the index.' => 1,
	# an expression of the caller's own column
	'Select an expression such as md5(key)::uuid instead.' => 1,
	'Index an expression such as md5(key)::uuid instead.' => 1,
);
my $sources = 0;
find({ no_chdir => 1, wanted => sub {
	return unless /\.c$/;
	my $text = slurp_file($_);
	my $file = $_;
	my %defined = $text =~ /#define (\w+_HINT) \\?\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g;

	$sources++;
	while ($text =~ /errhint\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+|\w+_HINT\b)/g)
	{
		my $hint = $defined{$1} // $1;

		$hint =~ s/^"|"\s*$//g;
		$hint =~ s/"\s+"//g;
		next unless $hint =~ /(?:CREATE|REINDEX|ALTER|DROP) [A-Z]{4}|\w\(|: %s\.|^Use %s\.|=> %s/;
		next if $elsewhere{$hint};
		my $pattern = join '.*', map { quotemeta } split /%(?:l*[dus])/, $hint, -1;
		ok((grep { /^$pattern$/ } keys %provoked), "seen: $hint") or diag("in $file");
	}
}}, "$FindBin::RealBin/../../src");
cmp_ok($sources, '>', 100, 'the sources are there');

done_testing();
