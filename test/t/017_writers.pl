# Eight clients insert, change, delete, roll back, read, vacuum and merge at once;
# afterwards the index is sound, holds what the table holds, and after an exact
# merge equals a new one.  RECSYS_SECONDS sets for how long.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $load = $ENV{RECSYS_LOAD} // "$ENV{TESTDIR}/../load";
my $seconds = $ENV{RECSYS_SECONDS} // 20;
my $node = new_node('primary', 'shared_buffers = 32MB', 'autovacuum = on', 'autovacuum_naptime = 1s',
	'autovacuum_vacuum_scale_factor = 0.01');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';

create_purchases($node, 10000);
$node->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");

my $run = pgbench($node, $seconds, 8,
	'-D', "users=$RecsysTest::users", '-D', "products=$RecsysTest::products",
	'-f', "$load/insert.sql\@20", '-f', "$load/bulk.sql\@1", '-f', "$load/rollback.sql\@1",
	'-f', "$load/change.sql\@3", '-f', "$load/read.sql\@6", '-f', "$load/vacuum.sql\@1", '-f', "$load/merge.sql\@1");
ok($run->finish, 'eight clients work without an error') or diag(slurp_file($run->{recsys_log}));
note(grep { /tps|transactions actually/ } split /^/, slurp_file($run->{recsys_log}));

check_clean($node, 'purchases_recsys', 'check_index');
scans_agree($node, 'afterwards');
recommend_agrees($node, 'purchases_recsys', 'recommend by its definition');
$node->safe_psql('postgres', 'VACUUM purchases');
check_clean($node, 'purchases_recsys', 'check_index after vacuum');
scans_agree($node, 'after vacuum');
equals_new_index($node, 'purchases_recsys', $columns, 'afterwards');

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC:|TRAP:|corrupt|AddressSanitizer/, 'nothing alarming in the log');
$node->stop;
done_testing();
