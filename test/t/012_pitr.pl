# A base backup and archived WAL bring the index back as it was at a restore
# point, at a position in the log, or at the end, also when that lies in the
# middle of heavy inserts.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;

my $load = $ENV{RECSYS_LOAD} // "$ENV{TESTDIR}/../load";
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my $primary = PostgreSQL::Test::Cluster->new('primary');

init_node($primary, allows_streaming => 1, has_archiving => 1);
$primary->append_conf('postgresql.conf', "autovacuum = off\nshared_buffers = 4MB\ndynamic_shared_memory_type = mmap\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION recsys');
create_purchases($primary, 5000);
$primary->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");

my @who = ('-D', "users=$RecsysTest::users", '-D', "products=$RecsysTest::products");
my @scripts = ('-f', "$load/insert.sql\@10", '-f', "$load/change.sql\@2", '-f', "$load/rollback.sql\@1",
	'-f', "$load/vacuum.sql\@1", '-f', "$load/merge.sql\@1");

# The backup is taken while rows are written.
my $writes = pgbench($primary, 4, 4, @who, @scripts);
sleep 0.5;
$primary->backup('backup');
ok($writes->finish, 'rows are written during the backup') or diag(slurp_file($writes->{recsys_log}));

my %expected;
$expected{named} = answers($primary, 'purchases_recsys');
$primary->safe_psql('postgres', q(SELECT pg_create_restore_point('quiet')));

# A position in the middle of the load
$writes = pgbench($primary, 4, 4, @who, @scripts);
sleep 2;
my $busy = $primary->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
ok($writes->finish, 'rows are written around the position') or diag(slurp_file($writes->{recsys_log}));

$primary->safe_psql('postgres', 'VACUUM purchases');
$primary->safe_psql('postgres', 'REINDEX INDEX purchases_recsys');
$expected{end} = answers($primary, 'purchases_recsys');
my $end = $primary->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$primary->safe_psql('postgres', 'DROP TABLE purchases');
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
$primary->stop;

sub restore
{
	my ($name, @target) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init_from_backup($primary, 'backup', has_restoring => 1, standby => 0);
	$node->append_conf('postgresql.conf', join("\n", @target, "recovery_target_action = 'promote'",
			# what this node archived would be a timeline that the next one follows
			'archive_mode = off', ''));
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()')
	  or BAIL_OUT("$name: recovery does not end");
	check_clean($node, 'purchases_recsys', "$name: check_index");
	scans_agree($node, $name);
	recommend_agrees($node, 'purchases_recsys', "$name: recommend by its definition");
	same_answers(answers($node, 'purchases_recsys'), $expected{$name}, "$name: the answers of that time")
	  if $expected{$name};

	# and life goes on
	insert_purchases($node, 500);
	$node->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 11 = 0');
	$node->safe_psql('postgres', 'VACUUM purchases');
	check_clean($node, 'purchases_recsys', "$name: check_index after further changes");
	equals_new_index($node, 'purchases_recsys', $columns, $name);
	$node->stop;
}

restore('named', "recovery_target_name = 'quiet'");
restore('busy', "recovery_target_lsn = '$busy'");
restore('end', "recovery_target_lsn = '$end'");
done_testing();
