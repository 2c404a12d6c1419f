# Metrics are refreshed beside readers and by one session at a time; recsys.maintain does it as often
# as needed; a refresh that is cancelled or killed leaves the figures as they were.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('metrics', 'autovacuum = off');

sub psql { return $node->safe_psql('postgres', $_[0]) }

my $figures = q(SELECT count(*), sum(requests), sum(impressions), sum(clicks), sum(orders), sum(revenue) FROM recsys.metrics_daily);
my $all = q(SELECT md5(string_agg(r, E'\n' ORDER BY r)) FROM (SELECT 'p' || d::text AS r FROM recsys.daily_position d UNION ALL SELECT 'i' || d::text FROM recsys.daily_item d
	UNION ALL SELECT 'c' || d::text FROM recsys.daily_catalogue d UNION ALL SELECT 's' || d::text FROM recsys.daily_seller d UNION ALL SELECT 'r' || d::text FROM recsys.daily_request d
	UNION ALL SELECT 'l' || d::text FROM recsys.daily_latency d UNION ALL SELECT 'h' || d::text FROM recsys.hourly_request d) x);

psql(q(
	SET TimeZone = 'UTC';
	CREATE TABLE sales (user_id integer, product_id integer, sold_at timestamptz, amount numeric);
	CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id, (1::real), sold_at);
	SELECT recsys.configure_log(purchases => 'sales_recsys');
	INSERT INTO recsys.request_log (request_id, time, user_id, recommender, item_ids)
	SELECT gen_random_uuid(), date_trunc('day', now()) - n % 3 * interval '1 day' - 1 * (n % 3 > 0)::int * interval '1 hour' + n % 3600 * interval '0.1 second', n % 50, 'public.sales_recsys', ARRAY[n % 7, 10 + n % 5, 20 + n % 3]::text[]
	FROM generate_series(1, 3000) n;
	INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time) SELECT request_id, time, 'click', item_ids[2], time FROM recsys.request_log WHERE user_id::integer % 3 = 0;
	INSERT INTO sales SELECT u, 10 + u % 5, now() - interval '10 minutes', 2.5 FROM generate_series(1, 50) u;
));
like(psql('SELECT recsys.refresh_metrics()'), qr/^[34]$/, 'refreshed');
my $before = psql($figures);
my $rows_before = psql($all);

# a refresh that has done its work but not committed
my $one = $node->background_psql('postgres', on_error_stop => 0);
$one->query_safe('BEGIN');
$one->query_safe(q(INSERT INTO recsys.request_log (request_id, time, user_id, recommender, item_ids) VALUES (gen_random_uuid(), now(), '1', 'public.sales_recsys', '{1,2}')));
$one->query_safe('SELECT recsys.refresh_metrics()');
isnt($one->query_safe($figures), $before, 'the session sees its own refresh');

my ($result, $out, $err) = $node->psql('postgres', "SET statement_timeout = '5s'; $figures", timeout => 60);
is($out, $before, 'others read the old figures, and do not wait');
($result, $out, $err) = $node->psql('postgres', q(SET lock_timeout = '5s'; SELECT recsys.refresh_metrics() IS NULL));
is($out, 't', 'a second refresh does not wait');
like($err, qr/another session is refreshing the metrics/, '... and says so');
unlike(psql(q(SELECT string_agg(action, ',') FROM recsys.maintain())), qr/metrics/, '... nor does recsys.maintain');
$one->query_safe('ROLLBACK');
is(psql($figures), $before, 'rolled back');
is(psql($all), $rows_before, '... without a trace');

# what is due: the open day each time, closed ones once a day
is(psql(q(SELECT detail FROM recsys.maintain() WHERE action = 'metrics refreshed')), '1 days', 'maintain computes the open day');
psql(q(UPDATE recsys.metrics_day SET refreshed_at = refreshed_at - interval '1 day'));
like(psql(q(SELECT detail FROM recsys.maintain() WHERE action = 'metrics refreshed')), qr/^[34] days$/, '... and closed ones again the day after');
is(psql(q(SELECT detail FROM recsys.maintain() WHERE action = 'metrics refreshed')), '1 days', '... once');
is(psql($all), $rows_before, 'nothing else has come of it');

# cancelled in the middle
($result, $out, $err) = $node->psql('postgres', q(SET statement_timeout = '30ms'; SELECT recsys.refresh_metrics('2000-01-01')));
is(psql($all), $rows_before, 'a refresh that runs out of time changes nothing');

# killed
my $two = $node->background_psql('postgres', on_error_stop => 0);
$two->query_safe('BEGIN');
$two->query_safe('SELECT recsys.refresh_metrics()');
kill_server($node);
$two->{run}->kill_kill if $two->{run};
$node->start;
is(psql($all), $rows_before, 'nor does one that is killed');
like(psql('SELECT recsys.refresh_metrics()'), qr/^[34]$/, 'and the next one runs');
is(psql($all), $rows_before, '... with the same figures');

# 8 sessions at once: some come through, none waits or fails, and the figures are those of one
$node->pgbench('--client=8 --transactions=6 --no-vacuum', 0, [qr/actually processed: 48\/48/], [qr/^$|another session is refreshing/], 'refreshes at once',
	{ '079_refresh' => 'SELECT recsys.refresh_metrics();' });
is(psql($all), $rows_before, 'many refreshes at once');

$node->stop;
done_testing();
