# A server that dies while the index of a partitioned table is built, enters rows of a partition, or sweeps
# what is gone: after recovery the index passes every check, and the same statement succeeds.  See src/fault.h.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysParts;
use RecsysTest;

my $node = new_node('primary', 'timezone = UTC', 'restart_after_crash = on', 'client_min_messages = warning');

if ($node->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0')
{
	$node->stop;
	plan(skip_all => 'the module was built without fault points (make RECSYS_FAULTS=1)');
}

my $layout = create_layout($node, 'range');
my $index = "USING recsys $layout->{index} WITH (similarity = cosine)";
my $id = 5000;

sub sql { return $node->safe_psql('postgres', join "\n", @_) }

# The server dies at the point, n-th time; then the statement again
sub fault
{
	my ($point, $sql, %how) = @_;
	my $countdown = $how{countdown} // 1;
	my $offset = -s $node->logfile;
	my ($status, undef, $errors) = $node->psql('postgres', "SET recsys.fault = '$point:kill:$countdown'; SET maintenance_work_mem = '1MB'; $sql");

	ok($status != 0 && $errors =~ /terminat|closed the connection|connection to server was lost/, "$point, time $countdown: the server dies there") or diag("$status $errors");
	is_back($node, $offset) or BAIL_OUT('the server does not come back');
	check_clean($node, 'p_recsys', "$point: check_index after recovery") unless $how{no_index};
	($status, undef, $errors) = $node->psql('postgres', $sql);
	is($status, 0, "$point: the same statement again") or diag($errors);
	same_as_plain($node, $layout, $point);
}

sub rows
{
	my ($n) = @_;
	my $from = $id + 1;

	$id += $n;
	return "SELECT i, 1 + (i * 31) % 120, 1 + (i % 1000 * (i % 1000)) % 67, i % 4, timestamptz '2024-02-01' + i % 28 * interval '1 day', 'eu' FROM generate_series($from, $id) i";
}

my $fill = "SELECT i, 1 + (i * 7919) % 211, 1 + ((i * i) % 97 + i % 3) % 83, i % 4, timestamptz '2024-01-01' + i % 240 * interval '1 day', 'eu' FROM generate_series(1, 4000) i";

sql("INSERT INTO p $fill; INSERT INTO q $fill; CREATE INDEX q_recsys ON q $index;");
foreach my $point (qw(part-built build-leaf build-written build-logged))
{
	fault($point, "CREATE INDEX p_recsys ON p $index", no_index => 1);
	sql('DROP INDEX p_recsys') unless $point eq 'build-logged';
}
fault('part-built', 'REINDEX INDEX p_recsys', countdown => 7);
fault('build-leaf', 'REINDEX INDEX p_recsys', countdown => 3);
fault('build-logged', 'REINDEX INDEX p_recsys');

# ATTACH: all of it goes with the transaction
foreach my $point (qw(part-begun part-batch batch-entries part-entered))
{
	my $rows = rows(6000);

	sql("ALTER TABLE p DETACH PARTITION p_02; DROP TABLE p_02; DELETE FROM q WHERE $layout->{what}; CREATE TABLE p_02 (LIKE q); INSERT INTO p_02 $rows; INSERT INTO q $rows;");
	fault($point, "ALTER TABLE p ATTACH PARTITION p_02 $layout->{bounds}");
}

# ... also with the index that the table has
foreach my $point (qw(part-begun part-batch part-entered adopted))
{
	my $rows = rows(6000);

	sql("ALTER TABLE p DETACH PARTITION p_02; INSERT INTO p_02 $rows; INSERT INTO q $rows; ");
	fault($point, "ALTER TABLE p ATTACH PARTITION p_02 $layout->{bounds}");
}

# Adoption: what has been entered is there, and the merge begins anew.  Who writes to a partition that
# the same transaction has moved leaves that to a merge.
my $space = 'space';

sql("SET allow_in_place_tablespaces = on; CREATE TABLESPACE space LOCATION ''");
foreach my $point (qw(part-begun part-batch batch-postings part-entered adopted merge-read))
{
	my $rows = rows(6000);

	sql("BEGIN; ALTER TABLE p_02 SET TABLESPACE $space; INSERT INTO p_02 $rows; INSERT INTO q $rows; COMMIT;");
	$space = $space eq 'space' ? 'pg_default' : 'space';
	fault($point, "SELECT recsys.merge('p_recsys', true)", countdown => $point =~ /batch/ ? 2 : 1);
}

# Sweeping
foreach my $point (qw(vacuum-bucket sweep-removed sweep-noted merge-removed))
{
	my $rows = rows(1000);

	sql("BEGIN; TRUNCATE p_02; DELETE FROM q WHERE $layout->{what}; INSERT INTO p_02 $rows; INSERT INTO q $rows; COMMIT;");
	fault($point, "SELECT recsys.merge('p_recsys', true)");
}

$node->stop;
done_testing();
