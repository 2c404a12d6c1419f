# Fatigue and metrics where the log is that of another server, or of another time: on a standby, under
# pseudonyms, after a dump and its restore, and when users are forgotten.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $primary = new_node('primary');

sub psql { return $primary->safe_psql($_[1] // 'postgres', $_[0]) }

psql(q(
	CREATE TABLE votes AS SELECT u AS user_id, 1 + (u * 7 + x * x) % 23 AS item_id, timestamptz '2024-01-01' + u * interval '1 hour' AS at FROM generate_series(1, 90) u, generate_series(1, 5) x;
	CREATE INDEX votes_recsys ON votes USING recsys (user_id, item_id) WITH (similarity = cosine);
	CREATE TABLE items AS SELECT i AS item_id, 'c' || i % 4 AS category, 's' || i % 3 AS seller FROM generate_series(1, 30) i;
	ALTER TABLE items ADD PRIMARY KEY (item_id);
	SELECT recsys.create_recommender('bare', '[{"events": "votes_recsys"}]', items => 'items', item_key => 'item_id', category => 'category', seller => 'seller');
	SELECT recsys.create_recommender('tiring', '[{"events": "votes_recsys"}]', items => 'items', item_key => 'item_id', fatigue => 0.5);
));
my $bare = q(SELECT string_agg(item_id || ':' || round(score::numeric, 5), ' ' ORDER BY rank) FROM recommend(7, 6, 'bare'));
my $tiring = q(SELECT string_agg(item_id || ':' || round(score::numeric, 5), ' ' ORDER BY rank) FROM recommend(7, 6, 'tiring'));
my $damped = q(SELECT count(*) || ' ' || count(*) FILTER (WHERE abs(t.score - b.score / 2) < 1e-6) FROM recommend(7, 1, 'bare') b JOIN recommend(7, NULL, 'tiring') t USING (item_id));
is(psql($tiring), psql($bare), 'nothing is logged');

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

psql(q(SELECT count(*) FROM recommend(7, 6, 'tiring', log => true)));
isnt(psql($tiring), psql($bare), 'what was shown loses');
is(psql($damped), '1 1', '... half of it at the first place');
psql('SELECT recsys.refresh_metrics()');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $tiring), psql($tiring), 'the standby reads the same log');
is($standby->safe_psql('postgres', q(SELECT recommender, requests, impressions FROM recsys.metrics_daily)), 'tiring|1|6', '... and the same metrics');
my ($code, $out, $error) = $standby->psql('postgres', 'SELECT recsys.refresh_metrics()');
like($error, qr/cannot execute recsys\.refresh_metrics\(\) during recovery|read-only/, '... and refreshes nothing');
is($primary->safe_psql('postgres', "BEGIN READ ONLY; $tiring"), psql($tiring), 'a read-only transaction is served alike');
$standby->stop;

# a click ends it
psql(q(SELECT recsys.log_click(request_id, item_ids[1]) FROM recsys.request_log));
is(psql($damped), '1 0', 'a click ends it');

# under pseudonyms other users are not taken for those of before
psql(q(SELECT recsys.configure_log(pseudonymous => true)));
is(psql($tiring), psql($bare), 'a pseudonym is somebody new');
psql(q(SELECT count(*) FROM recommend(7, 6, 'tiring', log => true)));
is(psql($damped), '1 1', '... and is found again');
is(psql(q(SELECT count(*) FROM recsys.request_log WHERE user_id = '7')), '1', '... but not by its key');
is(psql($damped =~ s/recommend\(7,/recommend(8,/gr), '1 0', '... nor taken for another');

# metrics are in a dump, as the log may be gone when they are wanted
psql('SELECT recsys.refresh_metrics()');
my $all = q(SELECT md5(string_agg(r, E'\n' ORDER BY r)) FROM (SELECT 'p' || d::text AS r FROM recsys.daily_position d UNION ALL SELECT 'i' || d::text FROM recsys.daily_item d
	UNION ALL SELECT 'c' || d::text FROM recsys.daily_catalogue d UNION ALL SELECT 's' || d::text FROM recsys.daily_seller d UNION ALL SELECT 'r' || d::text FROM recsys.daily_request d
	UNION ALL SELECT 'l' || d::text FROM recsys.daily_latency d UNION ALL SELECT 'h' || d::text FROM recsys.hourly_request d UNION ALL SELECT 'd' || d::text FROM recsys.metrics_day d) x);
my $dump = $primary->basedir . '/metrics.sql';
$primary->command_ok([ 'pg_dump', '--file', $dump, $primary->connstr('postgres') ], 'dumped');
psql('CREATE DATABASE restored');
$primary->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', $dump, $primary->connstr('restored') ], 'restored');
is(psql($all, 'restored'), psql($all), 'the metrics are the same');
is(psql($tiring, 'restored'), psql($tiring), 'and so are the lists');

# a forgotten user is forgotten
psql(q(SELECT recsys.forget_user('votes_recsys', 7)));
is(psql(q(SELECT count(*) FROM recsys.request_log)), '0', 'the log has nothing of a user who is forgotten');

$primary->stop;
done_testing();
