# recsys beside other extensions that hook the planner, loaded before it and after it:
# frequent_itemsets() in FROM is the custom scan all the same, and gives the same rows.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

# A module that hooks the place where recsys puts its scan, and counts the function
# scans that it is shown.
my $directory = PostgreSQL::Test::Utils::tempdir();
open(my $source, '>', "$directory/beside.c") or die $!;
print $source <<'END';
#include "postgres.h"

#include "fmgr.h"
#include "optimizer/paths.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

static set_rel_pathlist_hook_type previous = NULL;
static int	calls = 0;

void		_PG_init(void);

static void
count_call(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (previous != NULL)
		previous(root, rel, rti, rte);
	if (rte->rtekind == RTE_FUNCTION)
		calls++;
}

void
_PG_init(void)
{
	DefineCustomIntVariable("beside.calls", "Functions in FROM that have been planned.", NULL, &calls,
							0, 0, PG_INT32_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
	previous = set_rel_pathlist_hook;
	set_rel_pathlist_hook = count_call;
}
END
close($source);
chmod 0755, $directory;
system_or_bail('gcc', '-std=gnu99', '-O2', '-shared', '-fPIC', "-I$ENV{RECSYS_INCLUDES}",
	'-o', "$directory/beside.so", "$directory/beside.c");

# What others there are: these come with the server, pg_hint_plan may be installed.
my $pkglib = `pg_config --pkglibdir`;
chomp $pkglib;
my @others = ("$directory/beside", grep { -e "$pkglib/$_.so" } qw(auto_explain pg_stat_statements pg_hint_plan));
note("beside recsys: @others");
cmp_ok(scalar(@others), '>=', 3, 'there are others to stand beside');

my $node = new_node('primary');
$node->safe_psql('postgres', q(
	CREATE TABLE lines AS SELECT b AS basket, i AS item, 1 + (b + i) % 3 AS amount
	FROM generate_series(1, 300) b, generate_series(1, 12) i WHERE (b * 7919 + i * 104729) % 101 < 45;
	CREATE INDEX lines_recsys ON lines USING recsys (basket, item, amount)));

my $call = q(frequent_itemsets('lines_recsys', 10, weights => true));
my $rows = "SELECT * FROM $call ORDER BY items";
my $join = "SELECT s.length, count(*), sum(s.support) FROM $call s JOIN generate_series(1, 3) l ON l = s.length GROUP BY 1 ORDER BY 1";
my $prepared = "PREPARE sets AS $rows; EXECUTE sets; EXECUTE sets";
my %alone = map { $_ => $node->safe_psql('postgres', $_) } $rows, $join, $prepared;
isnt($alone{$rows}, '', 'there are item sets');

foreach my $libraries ([ 'recsys', @others ], [ @others, 'recsys' ], [@others])
{
	my $order = join ', ', map { s{.*/}{}r } @$libraries;

	$node->append_conf('postgresql.conf', join("\n", "shared_preload_libraries = '" . join(',', @$libraries) . "'",
		'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on'));
	$node->restart;

	like($node->safe_psql('postgres', "EXPLAIN $rows"), qr/Custom Scan \(recsys item sets\)/, "$order: a custom scan");
	like($node->safe_psql('postgres', "EXPLAIN ANALYZE $join"), qr/Custom Scan \(recsys item sets\)/, "$order: in a join, which is run");
	unlike($node->safe_psql('postgres', "SET recsys.itemset_scan = off; EXPLAIN $rows"), qr/Custom Scan/, "$order: none when it is off");
	foreach my $query ($rows, $join, $prepared)
	{
		is($node->safe_psql('postgres', $query), $alone{$query}, "$order: the same rows");
		is($node->safe_psql('postgres', "SET recsys.itemset_scan = off; $query"), $alone{$query}, "$order: the same when it is off");
	}
	like($node->safe_psql('postgres', "EXPLAIN (COSTS OFF) $rows; SHOW beside.calls"), qr/^1$/m,
		"$order: the other module's hook is called once");
}

$node->stop;
done_testing();
