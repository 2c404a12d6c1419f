# A standby serves recommendations while its primary inserts, vacuums and merges;
# when the primary is lost it takes over, and inserts and merges itself.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $load = $ENV{RECSYS_LOAD} // "$ENV{TESTDIR}/../load";
my $primary = new_node('primary', "wal_consistency_checking = 'generic'", 'shared_buffers = 16MB');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';

create_purchases($primary, 6000);
$primary->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1\n");
$standby->start;
$primary->wait_for_catchup($standby);

# Both at once for some seconds
my @who = ('-D', "users=$RecsysTest::users", '-D', "products=$RecsysTest::products");
my $writes = pgbench($primary, 8, 4, @who, '-f', "$load/insert.sql\@10", '-f', "$load/change.sql\@2",
	'-f', "$load/rollback.sql\@1", '-f', "$load/vacuum.sql\@1", '-f', "$load/merge.sql\@1");
my $reads = pgbench($standby, 8, 2, @who, '-f', "$load/read.sql");

ok($writes->finish, 'the primary inserts, changes, vacuums and merges') or diag(slurp_file($writes->{recsys_log}));
ok($reads->finish, 'the standby answers meanwhile') or diag(slurp_file($reads->{recsys_log}));
unlike(slurp_file($standby->logfile), qr/inconsistent page|PANIC|terminated by signal/, 'replay is consistent');

$primary->wait_for_catchup($standby);
check_clean($standby, 'purchases_recsys', 'check_index on the standby');
same_answers(answers($standby, 'purchases_recsys'), answers($primary, 'purchases_recsys'),
	'primary and standby answer the same');

my $merging = $primary->safe_psql('postgres', q(SELECT to_regproc('recsys.merge') IS NOT NULL)) eq 't';
if ($merging)
{
	my ($status, undef, $stderr) = $standby->psql('postgres', q(SELECT recsys.merge('purchases_recsys')));
	isnt($status, 0, 'no merge on a standby');
	like($stderr, qr/recovery/, 'which the error says');
}

# The primary is lost while it writes; what the standby has is sound.
$writes = pgbench($primary, 60, 4, @who, '-f', "$load/insert.sql\@10", '-f', "$load/change.sql\@2",
	'-f', "$load/merge.sql\@1", '-f', "$load/vacuum.sql\@1");
sleep 2;
kill_server($primary);
$writes->finish;
$standby->promote;
check_clean($standby, 'purchases_recsys', 'promoted: check_index');
scans_agree($standby, 'promoted');
recommend_agrees($standby, 'purchases_recsys', 'promoted: recommend by its definition');

insert_purchases($standby, 1500);
$standby->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 13 = 0');
$standby->safe_psql('postgres', 'VACUUM purchases');
check_clean($standby, 'purchases_recsys', 'promoted: check_index after inserts, deletes and vacuum');
scans_agree($standby, 'promoted and changed');
equals_new_index($standby, 'purchases_recsys', $columns, 'promoted and changed');

$standby->stop;
done_testing();
