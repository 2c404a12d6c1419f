# A transaction that does nothing but log does not wait for the disk or a standby; every other one does.
#
# The server waits for a synchronous standby that there is not: what commits at all has not waited.

use strict;
use warnings;

use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = PostgreSQL::Test::Cluster->new('commits');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION recsys;
CREATE TABLE purchases (user_id bigint, product_id bigint);
INSERT INTO purchases SELECT n / 4, (n * 7 + n / 4) % 23 FROM generate_series(1, 400) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine);
CREATE INDEX popular_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = popular);
SELECT recsys.create_bandit('slot', '{purchases_recsys, popular_recsys}');
CREATE TABLE orders (id bigint);
VACUUM ANALYZE purchases;
SQL
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\n");
$node->reload;

# Does it wait?  Then it is told to go on.
sub waits
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	my $waited = 0;
	my $session = start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', 'SET application_name = tried', map { ('-c', $_) } @$sql ],
		'<', \undef, '>', \$out, '2>', \$err, timeout(60));

	while ($session->pumpable)
	{
		# what is asked writes nothing, so that it does not wait itself
		my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE application_name = 'tried' AND wait_event = 'SyncRep'");

		if ($pid ne '')
		{
			$waited++;
			$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
		}
		$session->pump_nb;
	}
	$session->finish;
	is($session->result(0), 0, 'it has ended well') or diag($err);
	return $waited;
}

my $list = "SELECT count(*) FROM recommend(7, 3, 'purchases_recsys', log => true)";
my $click = "SELECT recsys.log_click(request_id, item_ids[1]) FROM recsys.request_log ORDER BY time DESC LIMIT 1";

is(waits([$list]), 0, 'a list that is logged does not wait');
is(waits(["SELECT count(*) FROM recommend(7, 3, 'slot', log => true)"]), 0, 'nor does that of a bandit');
is(waits([$click]), 0, 'nor a click');
is(waits([ 'BEGIN', $list, $click, 'SELECT count(*) FROM orders', 'COMMIT' ]), 0, 'nor both in a transaction that only reads besides');
is(waits(["SELECT recsys.log_request(recommend_request(8, 3, 'purchases_recsys'))"]), 0, 'nor a list that was made elsewhere');
is(waits(['INSERT INTO orders VALUES (1)']), 1, 'an order waits');
is(waits([ 'BEGIN', $list, 'INSERT INTO orders VALUES (2)', 'COMMIT' ]), 1, 'an order behind a list waits');
is(waits([ 'BEGIN', 'INSERT INTO orders VALUES (3)', $list, 'COMMIT' ]), 1, 'an order before a list waits');
is(waits([ 'BEGIN', $list, 'INSERT INTO orders VALUES (4)', $click, 'COMMIT' ]), 1, 'an order between a list and a click waits');
is(waits([ 'BEGIN', $list, 'SAVEPOINT s', 'INSERT INTO orders VALUES (5)', 'ROLLBACK TO s', 'COMMIT' ]) <= 1, 1, 'an order that is taken back may wait');
is(waits(["INSERT INTO orders SELECT item_id FROM recommend(9, 3, 'purchases_recsys', log => true)"]), 1, 'a statement that logs and writes waits');
is(waits([ 'SET recsys.synchronous_log = on', $list ]), 1, 'a list waits where the log is to be as safe as the rest');

# what triggers on the log write is not the log's
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE heard (kind text);
CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.heard VALUES (TG_TABLE_NAME); RETURN NEW; END';
CREATE TRIGGER hear AFTER INSERT ON recsys.request_log FOR EACH ROW EXECUTE FUNCTION hear();
CREATE TRIGGER hear AFTER INSERT ON recsys.event_log_default FOR EACH ROW EXECUTE FUNCTION hear();
SQL
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\n");
$node->reload;
is(waits([$list]), 1, 'a list waits if it sets off a trigger');
is(waits([$click]), 1, 'so does a click');
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
is($node->safe_psql('postgres', 'SELECT count(*) FROM heard'), '2', 'the triggers have run');
$node->safe_psql('postgres', 'DROP FUNCTION hear CASCADE; DROP TABLE heard');
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\n");
$node->reload;
is(waits([ $list, 'INSERT INTO orders VALUES (6)' ]), 1, 'the next transaction waits again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orders'), '8', 'all orders are there');
is(waits([ 'SET synchronous_commit = off', 'INSERT INTO orders VALUES (7)' ]), 0, 'who waits for nothing does not');

# none of it was lost here
is($node->safe_psql('postgres', 'SELECT count(*) > 8 FROM recsys.request_log'), 't', 'requests are there');

# who publishes all tables goes on
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
$node->safe_psql('postgres', 'CREATE PUBLICATION everything FOR ALL TABLES');
$node->safe_psql('postgres', "SELECT count(*) FROM recommend(7, 3, 'slot', log => true)");
is($node->safe_psql('postgres', "SELECT count(*) FROM recsys.maintain() WHERE action = 'postponed'"), '0', 'what is published can be folded and refreshed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM recsys.bandit_delta'), '0', 'and is');
is($node->safe_psql('postgres', "SELECT recsys.refresh_metrics('2000-01-01'), recsys.refresh_metrics('2000-01-01')"), '1|1', 'once more');
$node->stop;
done_testing();
