# The prior through crashes, on a standby, and through dumps: at every step of a merge the
# server dies, comes back, and the index passes every check; in the end the lists are those
# of a new index.  And check_index tells a prior that is not that of the rows.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

use constant { PAGE => 8192, KIND => 8188, PRIOR => 14, CONTENT => 24, HEADER => 48 };

$RecsysTest::users = 120;
$RecsysTest::products = 80;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1, extra => ['--encoding=UTF8']);
$node->append_conf('postgresql.conf', q(
	autovacuum = off
	restart_after_crash = on
	client_min_messages = warning
	jit = off
	max_wal_size = 2GB));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recsys');
my $faulty = $node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault'));
my $exact = q(SELECT recsys.merge('purchases_recsys', true));
my $bounded = q(SET recsys.merge_budget = 0; SELECT recsys.merge('purchases_recsys'));
my $lists = q(SELECT u, r.* FROM generate_series(-1, 130) u CROSS JOIN LATERAL recommend(u, 60, '%s') r ORDER BY u, rank);

sub fault
{
	my ($point, $sql, $countdown) = @_;
	my $offset = -s $node->logfile;
	my ($status, undef, $stderr) = $node->psql('postgres', "SET recsys.fault = '$point:kill:$countdown'; $sql");
	my $name = "$point, time $countdown";

	ok($status != 0 && $stderr =~ /terminat|closed the connection|connection to server was lost/,
		"$name: the server dies there") or diag($stderr);
	is_back($node, $offset) or BAIL_OUT('the server does not come back');
	check_clean($node, 'purchases_recsys', "$name: check_index after recovery");
	($status, undef, $stderr) = $node->psql('postgres', $sql);
	is($status, 0, "$name: the same statement again") or diag($stderr);
	check_clean($node, 'purchases_recsys', "$name: check_index after it");
}

create_purchases($node, 4000);
my $definition = q(purchases USING recsys (user_id, product_id, quantity, purchased_at)
	WITH (similarity = rp3beta, neighbors = 5, popularity = 10, popularity_half_life = '20 days', item_max_age = '90 days'));
$node->safe_psql('postgres', "DROP INDEX IF EXISTS purchases_recsys; CREATE INDEX purchases_recsys ON $definition");
foreach my $case ([ 'merge-recounted', $exact ], [ 'merge-page-written', $exact ], [ 'merge-users', $exact ],
	[ 'merge-prior', $exact ], [ 'merge-removed', $exact ], [ 'merge-page-written', $bounded ],
	[ 'merge-prior', $bounded ], [ 'merge-queue', $bounded ], [ 'merge-queue', $exact ])
{
	my ($point, $sql, $countdown) = @$case;

	last if !$faulty;
	$node->safe_psql('postgres', 'DELETE FROM purchases WHERE random() < 0.02');
	$node->safe_psql('postgres', 'SET recsys.merge_budget = 0; VACUUM (INDEX_CLEANUP on) purchases') if $sql eq $bounded;
	insert_purchases($node, 100);
	fault($point, $sql, $countdown // 1);
}
insert_purchases($node, 200);
$node->safe_psql('postgres', $exact);
check_clean($node, 'purchases_recsys', 'check_index in the end');
$node->safe_psql('postgres', "CREATE INDEX fresh_recsys ON $definition");
is($node->safe_psql('postgres', sprintf($lists, 'purchases_recsys')), $node->safe_psql('postgres', sprintf($lists, 'fresh_recsys')),
	'the lists of an index that has been merged are those of a new one');

# A standby reads the same, during recovery
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
insert_purchases($node, 100);
$node->safe_psql('postgres', q(SELECT recsys.merge('purchases_recsys')));
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', sprintf($lists, 'purchases_recsys')), $node->safe_psql('postgres', sprintf($lists, 'purchases_recsys')),
	'a standby gives the same lists');
is($standby->safe_psql('postgres', q(SELECT sum(contribution) FROM explain_recommendation(-1, 1, 'purchases_recsys'))),
	$node->safe_psql('postgres', q(SELECT sum(contribution) FROM explain_recommendation(-1, 1, 'purchases_recsys'))), 'and the same reasons');
my ($status, undef, $stderr) = $standby->psql('postgres', q(SELECT recsys.check_index('purchases_recsys')));
is($status, 0, 'check_index on the standby') or diag($stderr);
$standby->stop;

# A dump has the options
$node->safe_psql('postgres', 'DROP INDEX fresh_recsys; CREATE DATABASE restored');
my ($dump) = run_command([ 'pg_dump', '-d', $node->connstr('postgres') ]);
like($dump, qr/item_max_age='90 days'/, 'pg_dump writes the age');
like($dump, qr/popularity_half_life='20 days'/, 'and the half-life');
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
append_to_file($file, $dump);
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $file ], 'it is restored');
$node->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
is($node->safe_psql('restored', sprintf($lists, 'purchases_recsys')), $node->safe_psql('postgres', sprintf($lists, 'purchases_recsys')),
	'and gives the same lists');

# A prior whose first item has another score, and one that lists what does not exist
sub damage
{
	my ($offset, $bytes) = @_;
	my $path = $node->data_dir . '/' . $node->safe_psql('postgres', q(SELECT pg_relation_filepath('purchases_recsys')));

	$node->stop;
	open(my $handle, '+<:raw', $path) or die "$path: $!";
	for (my $block = 0; sysread($handle, my $page, PAGE) == PAGE; $block++)
	{
		next if unpack('C', substr($page, KIND, 1)) != PRIOR;
		my $lower = unpack('S', substr($page, 12, 2));
		my $count = ($lower - CONTENT - HEADER) / 8;

		substr($page, $offset < 0 ? CONTENT + HEADER + 4 * $count : $offset, length $bytes) = $bytes;
		sysseek($handle, $block * PAGE, 0);
		syswrite($handle, $page);
		last;
	}
	close $handle;
	$node->start;
	my (undef, undef, $message) = $node->psql('postgres', q(SELECT recsys.check_index('purchases_recsys')));
	$node->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
	return $message;
}

like(damage(-1, pack('f', 1000)), qr/The prior has score 1000 at place 0/, 'check_index complains of a score');
like(damage(CONTENT + HEADER, pack('L', 70000)), qr/Item number 70000 is part of the prior/, 'and of an item');
like(damage(-1, pack('L', 0x7FC00000)), qr/contains a corrupted page/, 'and of a score that is none');
like(damage(12, pack('S', 40)), qr/contains a corrupted page|corrupted/, 'and of a page that ends too soon');
like(damage(CONTENT, pack('q', 1)) , qr/^$|latest/, 'a latest time alone is no damage that shows');
check_clean($node, 'purchases_recsys', 'REINDEX repairs it');

$node->stop;
done_testing();
