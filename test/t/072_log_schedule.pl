# recsys.maintain on a schedule: by the background worker, where the library is preloaded, and by
# pg_cron.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

# what PostgreSQL::Test polls with has to be silent
$ENV{PGOPTIONS} = '-c client_min_messages=error';

my $partitions = q(SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r' AND relname ~ '_log_[0-9]{8}$');
my $log = q(SELECT recsys.log_impressions('old', '{1}'::bigint[], request_time => now() - interval '10 days'));

# By the worker
my $node = new_node('log_worker', "shared_preload_libraries = 'recsys'", "recsys.maintain_interval = '0'");
$node->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN; CREATE DATABASE small OWNER shopkeeper; CREATE DATABASE without');
$node->safe_psql('small', 'CREATE EXTENSION recsys', extra_params => [ '-U', 'shopkeeper' ]);
$node->safe_psql('small', 'SELECT recsys.configure_log(retention => \'5 days\')');
$node->safe_psql('postgres', $log);
is($node->safe_psql('postgres', $partitions), '0', 'it can be turned off');
$node->append_conf('postgresql.conf', "recsys.maintain_interval = '1s'");
$node->reload;
ok($node->poll_query_until('postgres', "SELECT ($partitions) = 17"), 'the worker makes partitions');
ok($node->poll_query_until('small', "SELECT ($partitions) = 16"), 'in every database that has the extension');
is($node->safe_psql('small', q(SELECT count(*) FROM pg_class WHERE relispartition AND relowner <> 'shopkeeper'::regrole)), '0', 'as the owner of the extension');
$node->safe_psql('postgres', q(SELECT recsys.configure_log(retention => '5 days')));
ok($node->poll_query_until('postgres', "SELECT ($partitions) = 16"), 'again and again');
my $before = $node->safe_psql('postgres', 'SELECT time FROM recsys.maintenance');
ok($node->poll_query_until('postgres', "SELECT time > '$before' FROM recsys.maintenance"), 'it notes when');

# a database that is new may be one where a dump comes in
$node->append_conf('postgresql.conf', "recsys.maintain_interval = '1h'");
$node->reload;
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', "CREATE EXTENSION recsys; $log");
$node->restart;
ok($node->poll_query_until('fresh', 'SELECT count(*) = 1 FROM recsys.maintenance'), 'a new database is visited');
is($node->safe_psql('fresh', $partitions), '0', 'and left alone for an hour');
$node->append_conf('postgresql.conf', "recsys.maintain_interval = '1s'");
$node->reload;
ok($node->poll_query_until('fresh', "SELECT ($partitions) = 17"), 'then it gets partitions');

# neither merging nor it depends on the other
$node->append_conf('postgresql.conf', "recsys.merge_interval = '0'");
$node->reload;
$before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
ok($node->poll_query_until('postgres', "SELECT time > '$before' FROM recsys.maintenance"), 'also where nothing is merged');
$node->append_conf('postgresql.conf', "recsys.merge_interval = '500ms'\nrecsys.maintain_interval = '1h'");
$node->reload;
create_purchases($node, 500);
$node->safe_psql('postgres', 'CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id)');
insert_purchases($node, 100);
ok($node->poll_query_until('postgres', q(SELECT pending = 0 AND last_merge_at IS NOT NULL FROM recsys.index_stats WHERE index_name = 'purchases_recsys')), 'and merging goes on without it');

# an owner's trap is the owner's error
$node->safe_psql('small', q(
	CREATE FUNCTION grab() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE ''ALTER ROLE shopkeeper SUPERUSER''; RETURN NEW; END';
	CREATE CONSTRAINT TRIGGER grab AFTER INSERT OR UPDATE ON recsys.maintenance DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION grab()), extra_params => [ '-U', 'shopkeeper' ]);
my $offset = -s $node->logfile;
$node->append_conf('postgresql.conf', "recsys.maintain_interval = '1s'");
$node->reload;
$node->wait_for_log(qr/WARNING:  recsys.maintain has failed in the background: cannot fire deferred trigger/, $offset);
is($node->safe_psql('postgres', q(SELECT rolsuper FROM pg_roles WHERE rolname = 'shopkeeper')), 'f', 'a trap of the owner is no way to more rights');
$before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
ok($node->poll_query_until('postgres', "SELECT time > '$before' FROM recsys.maintenance"), 'and stops no other database');
$node->stop;

# By pg_cron
SKIP:
{
	my $available = -f (`pg_config --sharedir` =~ s/\s+$//r) . '/extension/pg_cron.control';
	my $cron = new_node('log_cron');

	$available ||= $cron->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'));
	skip 'pg_cron is not installed', 4 unless $available;
	$cron->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on\n");
	$cron->restart;
	$cron->safe_psql('postgres', "CREATE EXTENSION pg_cron; $log");
	$cron->safe_psql('postgres', q(SELECT cron.schedule('recsys', '* * * * *', 'SELECT recsys.maintain()')));
	is($cron->safe_psql('postgres', $partitions), '0', 'pg_cron waits for its minute');
	ok($cron->poll_query_until('postgres', "SELECT ($partitions) = 17"), 'then it makes partitions');
	ok($cron->poll_query_until('postgres', q(SELECT count(*) > 0 FROM cron.job_run_details WHERE status = 'succeeded')), 'and says that it has');
	is($cron->safe_psql('postgres', 'SELECT count(*) FROM recsys.request_log_default'), '0', 'what there was is in its place');
	$cron->stop;
}

done_testing();
