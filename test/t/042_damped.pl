# Models in which a user's weights depend on all that the user has, through crashes: at
# every step of a merge the server dies, comes back, and the index passes every check; in
# the end it is that of a new index.  And check_index tells a latest time that is not.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysGraphRow;
use RecsysTest;

use constant { PAGE => 8192, KIND => 8188, GRAPH => 7, LATEST => 16 };

$RecsysTest::users = 120;
$RecsysTest::products = 80;

# no checksums: at the end a page is damaged
my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => ['--encoding=UTF8']);
$node->append_conf('postgresql.conf', q(
	restart_after_crash = on
	client_min_messages = warning
	autovacuum = off
	jit = off
));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recsys');

my $faulty = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault'));
my $exact = q(SELECT recsys.merge('purchases_recsys', true));
my $bounded = q(SET recsys.merge_budget = 0; SELECT recsys.merge('purchases_recsys'));
my $small = q(SET recsys.merge_budget = 20; SELECT recsys.merge('purchases_recsys'));

sub fault
{
	my ($name, $point, $sql, $countdown) = @_;
	my $offset = -s $node->logfile;
	my ($status, undef, $stderr) = $node->psql('postgres', "SET recsys.fault = '$point:kill:$countdown'; $sql");

	$name .= ", $point, time $countdown";
	ok($status != 0 && $stderr =~ /terminat|closed the connection|connection to server was lost/,
		"$name: the server dies there") or diag($stderr);
	is_back($node, $offset) or BAIL_OUT('the server does not come back');
	check_clean($node, 'purchases_recsys', "$name: check_index after recovery");
	($status, undef, $stderr) = $node->psql('postgres', $sql);
	is($status, 0, "$name: the same statement again") or diag($stderr);
	check_clean($node, 'purchases_recsys', "$name: check_index after it");
}

create_purchases($node, 4000);
foreach my $options ('similarity = rp3beta, alpha = 0.8, beta = 0.3, max_history = 40',
	'similarity = cosine, user_damping = 1, weighting = tfidf')
{
	my ($name) = $options =~ /(rp3beta|tfidf)/;
	my $columns = "purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH ($options)";

	$node->safe_psql('postgres', "DROP INDEX IF EXISTS purchases_recsys; CREATE INDEX purchases_recsys ON $columns");
	foreach my $case ([ 'merge-read', $exact ], [ 'merge-recounted', $exact ], [ 'merge-round', $exact ],
		[ 'merge-page-written', $exact, 5 ], [ 'merge-users', $exact ], [ 'merge-removed', $exact ],
		[ 'merge-queued', $bounded ], [ 'merge-page-written', $bounded, 3 ], [ 'merge-page-written', $small, 3 ],
		[ 'merge-removed', $bounded ], [ 'merge-queue', $bounded ], [ 'merge-queue', $exact ])
	{
		my ($point, $sql, $countdown) = @$case;

		last if !$faulty;
		# VACUUM merges, too: it leaves items on the queue, and then there are more changes
		$node->safe_psql('postgres', 'DELETE FROM purchases WHERE random() < 0.02');
		$node->safe_psql('postgres', 'SET recsys.merge_budget = 0; VACUUM (INDEX_CLEANUP on) purchases') if $sql eq $bounded;
		$node->safe_psql('postgres', $exact) if $point eq 'merge-queued';
		insert_purchases($node, 100);
		fault($name, $point, $sql, $countdown // 1);
	}

	insert_purchases($node, 200);
	$node->safe_psql('postgres', $bounded);
	cmp_ok($node->safe_psql('postgres', q(SELECT inexact_items FROM recsys.index_stats)), '>', 0,
		"$name: what is beyond the budget shows");
	equals_new_index($node, 'purchases_recsys', $columns, $name);
	is($node->safe_psql('postgres', q(SELECT inexact_items FROM recsys.index_stats)), 0,
		"$name: nothing is left to recompute");
}

# A latest time that is a second off
my $path = $node->data_dir . '/' . $node->safe_psql('postgres', q(SELECT pg_relation_filepath('purchases_recsys')));

$node->stop;
open(my $handle, '+<:raw', $path) or die "$path: $!";
for (my $block = 0; sysread($handle, my $page, PAGE) == PAGE; $block++)
{
	next if unpack('C', substr($page, KIND, 1)) != GRAPH;
	my $at = first_graph_row(\$page)->{totals} + LATEST;

	substr($page, $at, 8) = pack('q', unpack('q', substr($page, $at, 8)) + 1000000);
	sysseek($handle, $block * PAGE, 0);
	syswrite($handle, $page);
	last;
}
close $handle;
$node->start;
my ($status, undef, $stderr) = $node->psql('postgres', q(SELECT recsys.check_index('purchases_recsys')));
isnt($status, 0, 'check_index complains of a latest time');
like($stderr, qr/The latest interaction with item number \d+ is another one/, 'and says so');

$node->stop;
done_testing();
