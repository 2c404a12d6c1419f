# No space left on the device: an error, nothing left behind, and an index that
# is as consistent as before.  Freed space is all it takes to go on.
#
# The indexes lie in a tablespace on a file system of some megabytes
# (RECSYS_SMALL_DISK, which test/run.sh mounts where it can); table and log do not.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $disk = $ENV{RECSYS_SMALL_DISK};
plan(skip_all => 'there is no file system of limited size (only root can mount one)')
  unless defined $disk && -d $disk;

my $node = new_node('primary', 'shared_buffers = 16MB', "temp_tablespaces = 'small'");
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my $merging = $node->safe_psql('postgres', q(SELECT to_regproc('recsys.merge') IS NOT NULL)) eq 't';

mkdir "$disk/space" or die $!;
$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk/space'");

# Free and used bytes of the small file system
sub space
{
	my ($free, $used) = `df --block-size=1 --output=avail,used "$disk"` =~ /(\d+)\s+(\d+)\s*$/;
	return ($free, $used);
}

# Takes all but some bytes.
sub fill
{
	my ($leave) = @_;
	my ($free) = space();

	open(my $handle, '>>', "$disk/filler") or die $!;
	while ($free > $leave)
	{
		my $bytes = $free - $leave > 65536 ? 65536 : $free - $leave;
		syswrite($handle, "\0" x $bytes) or last;
		$free -= $bytes;
	}
	close $handle;
}

sub free { unlink "$disk/filler" }

sub fails_for_space
{
	my ($sql, $name) = @_;
	my ($status, undef, $stderr) = $node->psql('postgres', $sql, on_error_stop => 1);

	isnt($status, 0, "$name fails");
	like($stderr, qr/No space left on device|wrote only \d+ of \d+ bytes/, "$name: for lack of space") or diag($stderr);
}

# Build: does not fit, neither in the end nor while it sorts
create_purchases($node, 300000);
my (undef, $before) = space();
fails_for_space("CREATE INDEX big_recsys ON $columns TABLESPACE small", 'a build');
$node->safe_psql('postgres', 'CHECKPOINT');
my (undef, $after) = space();
is($after, $before, 'a failed build leaves no file');
fails_for_space("SET maintenance_work_mem = '4MB'; CREATE INDEX big_recsys ON $columns", 'a build that sorts on disk');
(undef, $after) = space();
is($after, $before, 'nor does one that sorts on disk');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class WHERE relname = 'big_recsys')), '0', 'there is no index');
fails_for_space("SET maintenance_work_mem = '4MB'; SELECT count(*) FROM query_item_similarity(
	'SELECT user_id + (random() * 100000)::int, product_id, quantity, purchased_at FROM purchases')", 'query_item_similarity');
(undef, $after) = space();
is($after, $before, 'and leaves no file');

# A small index, and a disk that has little room beside it
$node->safe_psql('postgres', 'TRUNCATE purchases');
insert_purchases($node, 5000);
$node->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns TABLESPACE small");
$node->safe_psql('postgres', 'VACUUM purchases; CHECKPOINT');
my $graph = q(SELECT * FROM item_similarity('purchases_recsys') ORDER BY item_id, rank);
my $expected = $node->safe_psql('postgres', $graph);
fill(60 * 1024);

fails_for_space('INSERT INTO purchases SELECT i, 1 + i % 250, 1, now() FROM generate_series(1000, 20000) i', 'an insert of new users');
check_clean($node, 'purchases_recsys', 'new users: check_index');
fails_for_space('INSERT INTO purchases SELECT 1, i, 1, now() FROM generate_series(1000, 20000) i', 'an insert of new items');
check_clean($node, 'purchases_recsys', 'new items: check_index');
fails_for_space('INSERT INTO purchases SELECT 1 + i % 300, 1, 1, now() FROM generate_series(1, 60000) i', 'an insert of many rows of one item');
check_clean($node, 'purchases_recsys', 'one item: check_index');
scans_agree($node, 'full');
recommend_agrees($node, 'purchases_recsys', 'full: recommend by its definition');
same_answers($node->safe_psql('postgres', $graph), $expected, 'full: the graph is as before') unless $merging;

fails_for_space('REINDEX INDEX purchases_recsys', 'REINDEX');
check_clean($node, 'purchases_recsys', 'REINDEX: check_index of the old index');

# Vacuum notes in place what it removes; a merge may fail, but not harm
$node->psql('postgres', 'DELETE FROM purchases WHERE user_id % 5 = 0');
my ($status, undef, $stderr) = $node->psql('postgres', 'VACUUM purchases');
is($status, 0, 'vacuum on a full disk') or diag($stderr);
check_clean($node, 'purchases_recsys', 'vacuum: check_index');
SKIP:
{
	skip 'there is no merge', 2 unless $merging;
	($status, undef, $stderr) = $node->psql('postgres', q(SELECT recsys.merge('purchases_recsys', true)));
	like($stderr, qr/^$|No space left on device|wrote only/, 'merge on a full disk');
	check_clean($node, 'purchases_recsys', 'merge: check_index');
}

# Space again
free();
insert_purchases($node, 2000);
$node->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 7 = 0');
$node->safe_psql('postgres', 'VACUUM purchases');
check_clean($node, 'purchases_recsys', 'space again: check_index');
scans_agree($node, 'space again');
equals_new_index($node, 'purchases_recsys', $columns, 'space again');
$node->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
check_clean($node, 'purchases_recsys', 'space again: REINDEX');

$node->stop;
done_testing();
