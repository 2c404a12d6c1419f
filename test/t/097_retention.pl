# Partitions of a shop's own tables by time: made ahead and dropped when they are too old, with no more
# rights than the tables' owners have, in nobody's way, through a dump and for an owner of the
# extension who is no superuser.

use strict;
use warnings;

use File::Basename;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $node = new_node('retention');
my $directory = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE shopkeeper LOGIN;
CREATE ROLE clerk LOGIN IN ROLE shopkeeper;
CREATE ROLE mallory LOGIN;
CREATE SCHEMA shop AUTHORIZATION shopkeeper;
CREATE SCHEMA mallory AUTHORIZATION mallory;
CREATE SCHEMA tests;
GRANT USAGE ON SCHEMA tests TO PUBLIC;
-- what recsys.maintain does with these partitions
CREATE FUNCTION tests.upkeep() RETURNS TABLE (action text, object text, detail text) LANGUAGE sql
	AS $$SELECT * FROM recsys.maintain() WHERE object !~ '^recsys\.'$$;
SQL
$node->safe_psql('postgres', 'SELECT count(*) FROM recsys.maintain()');

sub as
{
	my ($role, $sql, $database) = @_;
	my ($code, $out, $error) = $node->psql($database // 'postgres', $sql, on_error_stop => 1, extra_params => [ '-U', $role ]);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $out . $error;
}

# Bounds of a table's partitions, and whether each follows on the one before it
my $gaps = q(SELECT count(*) FROM (SELECT starts, lag(ends) OVER (ORDER BY starts) AS before FROM recsys.table_partitions('%s') WHERE NOT is_default) p WHERE before <> starts);

# Each type of column, each length, whatever time zone and style
is(as('shopkeeper', <<'SQL'), '', 'tables are partitioned by their owner');
CREATE TABLE shop.clicks (event_id text, user_id bigint CHECK (user_id > 0), product_id bigint, seen_at timestamptz NOT NULL, PRIMARY KEY (event_id, seen_at)) PARTITION BY RANGE (seen_at);
CREATE INDEX clicks_recsys ON shop.clicks USING recsys (user_id, product_id, (1), seen_at);
CREATE TABLE shop."Odd ""name""" ("the time" timestamp NOT NULL, n bigint GENERATED ALWAYS AS (1) STORED) PARTITION BY RANGE ("the time");
CREATE TABLE shop.months (on_day date) PARTITION BY RANGE (on_day);
CREATE TABLE shop.hours (at timestamptz, id bigint GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (at);
SQL
my $made = as('shopkeeper', <<'SQL');
SET TimeZone = 'Pacific/Kiritimati'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET search_path = shop;
SELECT action, count(*) FROM recsys.keep_partitions('clicks', keep => '30 days') GROUP BY 1;
SELECT action, count(*) FROM recsys.keep_partitions('"Odd ""name"""', every => '1 week', ahead => '21 days') GROUP BY 1;
SELECT action, count(*) FROM recsys.keep_partitions('months', every => '3 months', ahead => '0') GROUP BY 1;
SELECT count(*) > 3 FROM recsys.keep_partitions('shop.hours', every => '6 hours', ahead => '1 day');
SQL
is($made, "partition created|9\npartition created|5\npartition created|3\nt", 'partitions of today and the time to come');
is($node->safe_psql('postgres', sprintf($gaps, $_)), '0', "without gaps: $_") foreach 'shop.clicks', 'shop."Odd ""name"""', 'shop.months', 'shop.hours';
is($node->safe_psql('postgres', q(SET TimeZone = 'UTC';
	SELECT bool_and(extract(isodow FROM starts) = 1 AND starts::time = '00:00') FROM recsys.table_partitions('shop."Odd ""name"""') WHERE NOT is_default;
	SELECT bool_and(extract(day FROM starts) = 1 AND extract(month FROM starts)::int % 3 = 1) FROM recsys.table_partitions('shop.months') WHERE NOT is_default;
	SELECT bool_and(extract(hour FROM starts)::int % 6 = 0) FROM recsys.table_partitions('shop.hours') WHERE NOT is_default)), "t\nt\nt",
	'weeks begin on Mondays, quarters in January, by Greenwich');
is($node->safe_psql('postgres', q(SELECT string_agg(DISTINCT c.relowner::regrole::text, ',') FROM pg_class c WHERE c.relispartition AND c.relkind = 'r' AND c.relnamespace = 'shop'::regnamespace)),
	'shopkeeper', 'they are the owner\'s');
is($node->safe_psql('postgres', q(SELECT count(*), count(DISTINCT am.amname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_am am ON am.oid = c.relam WHERE i.inhparent IN ('shop.clicks_recsys'::regclass, 'shop.clicks_pkey'::regclass))),
	'18|2', 'with the indexes of the table, attached to its own');
is(as('shopkeeper', q(INSERT INTO shop.clicks VALUES ('a', -1, 1, now()))) =~ /violates check constraint/ ? 'refused' : '', 'refused', 'and its constraints');
is($node->safe_psql('postgres', 'SELECT count(*) FROM tests.upkeep()'), '0', 'recsys.maintain has nothing to do');
is(as('shopkeeper', 'SELECT count(*) FROM recsys.maintain_partitions()'), '0', 'nor has the owner');
is($node->safe_psql('postgres', q(SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM recsys.kept_partitions WHERE problem IS NULL AND covered_until > now() + ahead AND expired = 0)),
	'Odd "name" clicks hours months', 'the view says so');

# A table that has partitions already keeps them, whatever their lengths
is(as('shopkeeper', <<'SQL'), '', 'a table with partitions of odd lengths');
CREATE TABLE shop.grown (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE shop.grown_c PARTITION OF shop.grown FOR VALUES FROM (MINVALUE) TO ('2001-01-01');
SELECT format('CREATE TABLE shop.grown_a PARTITION OF shop.grown FOR VALUES FROM (%L) TO (%L)', d - interval '3 hours', d + interval '29 hours') FROM date_trunc('day', now(), 'UTC') d \gexec
SELECT format('CREATE TABLE shop.grown_b PARTITION OF shop.grown FOR VALUES FROM (%L) TO (%L)', d + interval '4 days 3 hours', d + interval '6 days') FROM date_trunc('day', now(), 'UTC') d \gexec
SQL
# the rest of tomorrow, two days, three hours; and the two days after the sixth
is(as('shopkeeper', q(SELECT count(*) FROM recsys.keep_partitions('shop.grown') WHERE action = 'partition created')), '7', 'new ones go where there are none');
is($node->safe_psql('postgres', q(SET TimeZone = 'UTC'; SELECT string_agg(extract(epoch FROM ends - starts)::int / 3600 || '', ' ' ORDER BY starts) FROM recsys.table_partitions('shop.grown') WHERE NOT is_default AND ends > now())),
	'32 19 24 24 3 45 24 24', 'and end where others begin');
is($node->safe_psql('postgres', q(SELECT covered_until = date_trunc('day', now(), 'UTC') + interval '8 days' FROM recsys.kept_partitions WHERE table_name = 'grown')), 't', 'without a gap');
is(as('shopkeeper', q(DROP TABLE shop.grown_b; SELECT covered_until = date_trunc('day', now(), 'UTC') + interval '4 days 3 hours' FROM recsys.kept_partitions WHERE table_name = 'grown')), 't', 'a gap is seen');
is(as('shopkeeper', q(SELECT count(*) FROM recsys.maintain_partitions('shop.grown'))), '2', 'and filled');
is(as('shopkeeper', q(SELECT covered_until = date_trunc('day', now(), 'UTC') + interval '8 days' FROM recsys.kept_partitions WHERE table_name = 'grown')), 't', 'without a trace');
is(as('shopkeeper', q(SELECT * FROM recsys.keep_partitions('shop.grown', keep => '10 years'); SELECT * FROM recsys.maintain_partitions('shop.grown'))),
	"partition has expired|shop.grown_c|recsys.maintain will drop it\npartition dropped|shop.grown_c|", 'one without a beginning is dropped, too, and that is said before');

# Rows of the default partition are left where they are
$node->safe_psql('postgres', q(
	INSERT INTO shop.clicks SELECT 'future ' || n, 1, 1, date_trunc('day', now(), 'UTC') + interval '8 days 1 hour' FROM generate_series(1, 3) n;
	INSERT INTO shop.clicks SELECT 'past ' || n, 1, 1, now() - n * interval '1 day' FROM generate_series(1, 40) n;));
my $default = as('shopkeeper', q(SELECT * FROM recsys.keep_partitions('shop.clicks', keep => '30 days', ahead => '8 days')));
like($default, qr/^no partition\|shop.clicks_\d{8}\|the default partition has rows of that time$/, 'a day of which it has rows gets no partition');
is($node->safe_psql('postgres', q(SELECT tableoid::regclass, count(*) FROM shop.clicks WHERE event_id LIKE 'future%' GROUP BY 1)), 'shop.clicks_default|3', 'they stay');
is($node->safe_psql('postgres', q(SELECT action, object, detail FROM tests.upkeep() WHERE action <> 'no partition')), 'rows deleted|shop.clicks_default|11 rows had expired', 'what has expired there is deleted, by the hour');
is($node->safe_psql('postgres', q(SELECT count(*) FROM shop.clicks WHERE event_id LIKE 'past%')), '29', 'and nothing else');
$node->safe_psql('postgres', q(DELETE FROM shop.clicks WHERE event_id LIKE 'future%'));
is($node->safe_psql('postgres', q(SELECT action FROM tests.upkeep())), 'partition created', 'without them there is one');

# Rights
like(as('mallory', q(SELECT * FROM recsys.keep_partitions('shop.clicks', keep => '1 hour'))), qr/permission denied for schema shop/, 'others do not see it');
$node->safe_psql('postgres', q(GRANT USAGE ON SCHEMA shop TO mallory; GRANT ALL ON shop.clicks TO mallory));
like(as('mallory', q(SELECT * FROM recsys.keep_partitions('shop.clicks', keep => '1 hour'))), qr/must be owner of partitioned table clicks|must be owner of table clicks/, 'who may do everything else with a table does not keep its partitions');
like(as('mallory', q(SELECT recsys.leave_partitions('shop.clicks'))), qr/must be owner of table clicks/, 'nor leave them');
like(as('mallory', q(SELECT * FROM recsys.maintain_partitions('shop.clicks'))), qr/must be owner of table clicks/, 'nor maintain them');
is(as('mallory', q(SELECT count(*) FROM recsys.maintain_partitions())), '0', 'of his own there are none');
like(as('mallory', q(INSERT INTO recsys.kept_partition VALUES ('shop', 'clicks', 'shopkeeper', '1 day', '1 hour', '0'))), qr/permission denied/, 'nor is it written by hand');
is(as('clerk', q(SELECT count(*) FROM recsys.keep_partitions('shop.clicks', keep => '30 days', ahead => '8 days'); SELECT owner FROM recsys.kept_partitions WHERE table_name = 'clicks')), "0\nclerk", 'members of the owner do');
$node->safe_psql('postgres', q(REVOKE shopkeeper FROM clerk));
is($node->safe_psql('postgres', q(SELECT problem FROM recsys.kept_partitions WHERE table_name = 'clicks'; SELECT action, object FROM tests.upkeep())),
	qq(the table is not that of role "clerk"\npostponed|shop.clicks), 'as long as they are members');
is(as('shopkeeper', q(SELECT count(*) FROM recsys.keep_partitions('shop.clicks', keep => '30 days', ahead => '8 days'))), '0', 'then the owner declares it anew');

# What the owner has put on a table runs with the owner's rights, whoever comes along
is(as('mallory', <<'SQL'), '1', 'a table that means no good');
CREATE TABLE mallory.trap (at timestamptz, who text) PARTITION BY RANGE (at);
CREATE TABLE mallory.seen (who text, whose text);
CREATE FUNCTION mallory.grab() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	INSERT INTO mallory.seen VALUES (current_user, session_user);
	BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN EXECUTE 'SET ROLE postgres'; EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
	INSERT INTO mallory.seen VALUES (current_user, session_user);
	RETURN OLD; END$$;
CREATE FUNCTION mallory.check(t timestamptz) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$BEGIN
	IF current_user <> 'mallory' THEN EXECUTE 'ALTER ROLE mallory SUPERUSER'; END IF; RETURN true; END$$;
CREATE FUNCTION mallory.less(a timestamptz, b timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
	INSERT INTO mallory.seen VALUES ('operator', current_user); RETURN true; END$$;
CREATE OPERATOR mallory.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = mallory.less);
SET search_path = mallory, pg_catalog;
SELECT count(*) AS made FROM recsys.keep_partitions('mallory.trap', keep => '1 day') \gset
CREATE TRIGGER grab BEFORE DELETE ON mallory.trap FOR EACH ROW EXECUTE FUNCTION mallory.grab();
ALTER TABLE mallory.trap ADD CHECK (mallory.check(at));
INSERT INTO mallory.trap VALUES (now() - interval '10 days', 'x');
SELECT 1;
SQL
$node->safe_psql('postgres', q(SET search_path = mallory, pg_catalog; SELECT tests.upkeep()));
is($node->safe_psql('postgres', q(SELECT DISTINCT who, whose FROM mallory.seen; SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory')), "mallory|postgres\nf", 'its trigger has only the rights of its owner');
is(as('mallory', q(SELECT recsys.leave_partitions('mallory.trap'))), 't', 'left again');

# Nobody who writes waits for long, whatever others hold
sub begin
{
	my ($sql) = @_;
	my ($in, $out, $err) = ("BEGIN; $sql; SELECT 'there';\n", '', '');
	my $run = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(60));

	pump $run until $out =~ /there/ || $err =~ /ERROR/;
	return { run => $run, in => \$in, out => \$out, err => \$err };
}

sub finish_it
{
	my ($session, $command) = @_;

	${ $session->{in} } .= "$command;\n";
	$session->{run}->finish;
	return ${ $session->{err} };
}
$node->safe_psql('postgres', q(
	CREATE TABLE shop.clicks_old PARTITION OF shop.clicks FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
	CREATE TABLE shop.clicks_older PARTITION OF shop.clicks FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');));
as('shopkeeper', q(SELECT recsys.keep_partitions('shop.clicks', keep => '30 days', ahead => '10 days')));
$node->safe_psql('postgres', q(SET ROLE shopkeeper; DROP TABLE shop.clicks_default));
as('shopkeeper', q(CREATE TABLE shop.clicks_default PARTITION OF shop.clicks DEFAULT));
$node->safe_psql('postgres', q(UPDATE recsys.kept_partition SET ahead = '12 days' WHERE table_name = 'clicks'));
my $writer = begin(q(INSERT INTO shop.clicks VALUES ('late', 1, 1, now() - interval '5 days'), ('now', 1, 1, now())));
my $begin = time;
my $postponed = $node->safe_psql('postgres', 'SELECT action, object, detail FROM tests.upkeep()');
is($postponed, "postponed|shop.clicks|others are using it\npostponed|shop.clicks|others are using it", 'it waits for no writer');
cmp_ok(time - $begin, '<', 20, 'or not for long');
is(finish_it($writer, 'COMMIT'), '', 'the writer is not disturbed');
is($node->safe_psql('postgres', 'SELECT action, count(*) FROM tests.upkeep() GROUP BY 1 ORDER BY 1'), "partition created|2\npartition dropped|2", 'the next call does it');
my $other = begin(q(SELECT * FROM recsys.maintain_partitions(); LOCK TABLE ONLY shop.clicks IN SHARE UPDATE EXCLUSIVE MODE));
is(as('shopkeeper', q(SELECT DISTINCT detail FROM recsys.maintain_partitions('shop.clicks'))), 'others are using it', 'one at a time');
is(finish_it($other, 'COMMIT'), '', 'which goes through');
my $locker = begin(q(LOCK TABLE shop.clicks IN ACCESS EXCLUSIVE MODE));
is($node->safe_psql('postgres', q(SET statement_timeout = '20s'; SELECT table_name, covered_until IS NULL, problem FROM recsys.kept_partitions WHERE problem IS NOT NULL)),
	'clicks|t|the table is locked by another session', 'the view waits for nobody');
is(finish_it($locker, 'COMMIT'), '', 'nor does anybody wait for it');

# Writers all the time, and nothing is lost
{
	my $script = "$directory/click.sql";

	append_to_file($script, q(
\set u random(1, 1000000000)
\set d random(0, 25)
INSERT INTO shop.hours VALUES (now() - :d * interval '1 day'), (now()), (now() + :d * interval '1 hour');
));
	# 25 hours ahead there is a partition, whatever time it is
	$node->safe_psql('postgres', q(UPDATE recsys.kept_partition SET ahead = '2 days' WHERE table_name = 'hours'; SELECT count(*) FROM tests.upkeep()));
	my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '3', '-T', '4', '-f', $script, $node->connstr('postgres') ], '>', \my $said, '2>', \my $complaints);
	my $rounds = 0;
	my $days = 2;
	while ($load->pumpable && $rounds < 40)
	{
		# always something to make and something to drop
		$days += 1;
		$node->safe_psql('postgres', qq(UPDATE recsys.kept_partition SET ahead = '$days days', keep = '30 days' WHERE table_name = 'hours'; SELECT count(*) FROM tests.upkeep()));
		my $year = 1900 + $rounds;
		$node->psql('postgres', qq(SET lock_timeout = '100ms'; SET ROLE shopkeeper; CREATE TABLE shop.hours_$year PARTITION OF shop.hours FOR VALUES FROM ('$year-01-01') TO ('$year-02-01')));
		$rounds++;
		sleep 0.1;
	}
	$load->finish;
	my ($transactions) = $said =~ /actually processed: (\d+)/;
	cmp_ok($transactions, '>', 10, 'writers write while partitions are made and dropped');
	unlike($complaints, qr/ERROR/, 'without errors');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.hours'), 3 * $transactions, 'no row is lost');
	is($node->safe_psql('postgres', q(SELECT count(*) FROM tests.upkeep() WHERE action = 'postponed')), '0', 'in the end all is as it is declared');
	is($node->safe_psql('postgres', q(SELECT expired, covered_until > now() + ahead FROM recsys.kept_partitions WHERE table_name = 'hours')), '0|t', 'which the view says');
}

# A partition that others need stays, and keeps no other one; a name that is taken is said
$node->safe_psql('postgres', q(
	CREATE TABLE shop.clicks_2019 PARTITION OF shop.clicks FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
	CREATE TABLE shop.clicks_2018 PARTITION OF shop.clicks FOR VALUES FROM ('2018-01-01') TO ('2019-01-01');
	ALTER TABLE shop.clicks_2019 OWNER TO shopkeeper; ALTER TABLE shop.clicks_2018 OWNER TO shopkeeper;
	CREATE VIEW tests.leap AS SELECT * FROM shop.clicks_2019;));
my (undef, $out, $err) = $node->psql('postgres', 'SELECT action, object FROM tests.upkeep() ORDER BY 2');
is($out, "partition dropped|shop.clicks_2018\npostponed|shop.clicks_2019", 'a view keeps a partition, and no other one');
like($err, qr/WARNING:  recsys.maintain could not see to shop.clicks_2019: cannot drop/, 'which is said');
$node->safe_psql('postgres', 'DROP VIEW tests.leap');
is($node->safe_psql('postgres', 'SELECT object FROM tests.upkeep()'), 'shop.clicks_2019', 'until it is gone');
my $free = $node->safe_psql('postgres', q(SELECT 'months_' || to_char(max(ends), 'YYYYMMDD') FROM recsys.table_partitions('shop.months')));
(undef, $out, $err) = $node->psql('postgres', qq(CREATE TABLE shop.$free (n int); UPDATE recsys.kept_partition SET ahead = '200 days' WHERE table_name = 'months'; SELECT action, object FROM tests.upkeep()));
is($out, 'postponed|shop.months', 'a name that something else has');
like($err, qr/something else has the name shop.$free/, 'is said');
$node->safe_psql('postgres', "DROP TABLE shop.$free");
like($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT action, $$,$$) FROM tests.upkeep()'), qr/^partition created$/, 'then it goes on');

# Nothing refers to rows that are moved, as none are; a foreign key to the table does no harm
is(as('shopkeeper', <<'SQL'), "partition dropped\n1\n1 rows had expired\n1", 'what refers to rows that stay, or go one by one');
CREATE TABLE shop.orders (id bigint, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
SELECT count(*) AS made FROM recsys.keep_partitions('shop.orders', keep => '1 day') \gset
CREATE TABLE shop.lines (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES shop.orders ON DELETE CASCADE);
INSERT INTO shop.orders VALUES (1, now()); INSERT INTO shop.lines SELECT id, at FROM shop.orders;
CREATE TABLE shop.orders_old PARTITION OF shop.orders FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
SELECT action FROM recsys.maintain_partitions('shop.orders');
SELECT count(*) FROM shop.lines;
INSERT INTO shop.orders VALUES (2, '2018-01-01'); INSERT INTO shop.lines VALUES (2, '2018-01-01');
SELECT detail FROM recsys.maintain_partitions('shop.orders');
SELECT count(*) FROM shop.lines;
CREATE TABLE shop.orders_old PARTITION OF shop.orders FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
INSERT INTO shop.orders VALUES (3, '2019-01-01'); INSERT INTO shop.lines VALUES (3, '2019-01-01');
SQL

(undef, $out, $err) = $node->psql('postgres', 'SELECT action, object FROM tests.upkeep()');
is($out, 'postponed|shop.orders_old', 'and what refers to rows of a partition');
like($err, qr/could not see to shop.orders_old: removing partition "orders_old" violates foreign key constraint/, 'keeps it');
$node->safe_psql('postgres', 'DELETE FROM shop.lines WHERE id = 3');
is($node->safe_psql('postgres', 'SELECT action, object FROM tests.upkeep()'), 'partition dropped|shop.orders_old', 'as long as it is there');

# A table that is renamed, given away, or dropped
is(as('shopkeeper', q(ALTER TABLE shop.orders RENAME TO "Orders"; SELECT detail FROM recsys.maintain_partitions('shop.orders'); SELECT recsys.leave_partitions('shop.orders'))),
	"the table does not exist: SELECT recsys.leave_partitions('shop.orders');\nt", 'under another name it is another one');
as('shopkeeper', q(SELECT recsys.keep_partitions('shop."Orders"', keep => '1 day')));
$node->safe_psql('postgres', q(GRANT CREATE ON SCHEMA shop TO mallory; ALTER TABLE shop."Orders" OWNER TO mallory));
like($node->safe_psql('postgres', q(SELECT detail FROM tests.upkeep() WHERE action = 'postponed')), qr/the table is not that of role "shopkeeper", which has declared it/, 'who gets it decides anew');
is(as('shopkeeper', q(SELECT recsys.leave_partitions('shop."Orders"'))), 't', 'who has declared it may leave it');

# A dump brings it along
foreach my $format ('plain', 'custom')
{
	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	$node->command_ok([ 'pg_dump', "-F$format", '-f', "$directory/$format", $node->connstr('postgres') ], "pg_dump, $format");
	$node->command_ok($format eq 'plain' ?
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/$format", $node->connstr('from_plain') ] :
		[ 'pg_restore', '-e', '-d', $node->connstr('from_custom'), "$directory/$format" ], "it is restored, $format");
	my $state = 'SELECT schema_name, table_name, owner, every, keep, ahead, partitions, covered_until, expired, problem FROM recsys.kept_partitions ORDER BY 1, 2';
	is($node->safe_psql("from_$format", $state), $node->safe_psql('postgres', $state), "all is there, $format");
	is($node->safe_psql("from_$format", 'SELECT count(*) FROM tests.upkeep()'), '0', "and goes on, $format");
}

# An owner of the extension who is no superuser
$node->safe_psql('postgres', q(
	CREATE DATABASE small OWNER shopkeeper;
	CREATE DATABASE small_again OWNER shopkeeper;));
is(as('shopkeeper', <<'SQL', 'small'), "8\n0", 'he keeps partitions');
CREATE EXTENSION recsys;
CREATE TABLE clicks (at timestamptz) PARTITION BY RANGE (at);
SELECT count(*) - 1 FROM recsys.keep_partitions('clicks', keep => '30 days');
SELECT count(*) FROM recsys.maintain() WHERE object ~ 'clicks';
SQL
my @shopkeeper = ('-U', 'shopkeeper', '-h', $node->host, '-p', $node->port);
$node->command_ok([ 'pg_dump', @shopkeeper, '-f', "$directory/small", 'small' ], 'he dumps it');
$node->command_ok([ 'psql', '-X', '-q', @shopkeeper, '-v', 'ON_ERROR_STOP=1', '-f', "$directory/small", 'small_again' ], 'and restores it');
is(as('shopkeeper', q(SELECT table_name, owner, partitions, problem FROM recsys.kept_partitions), 'small_again'), 'clicks|shopkeeper|8|', 'all is there');
# a superuser's table in his database: a row written by hand does not open it
$node->safe_psql('small', q(CREATE TABLE public.big (at timestamptz) PARTITION BY RANGE (at); CREATE TABLE big_old PARTITION OF big FOR VALUES FROM ('2019-01-01') TO ('2020-01-01')));
is(as('shopkeeper', <<'SQL', 'small'), "shopkeeper\npostponed", 'he gives himself no rights by a row that he writes');
INSERT INTO recsys.kept_partition VALUES ('public', 'big', 'postgres', '1 day', '1 day', '1 day');
SELECT owner FROM recsys.kept_partition WHERE table_name = 'big';
SELECT action FROM recsys.maintain() WHERE object ~ 'big';
SQL

# Advice: what is overdue, streams that stand still or fall behind, each with a statement that runs
{
	$node->safe_psql('postgres', 'CREATE DATABASE watched');
	$node->safe_psql('watched', 'CREATE EXTENSION recsys');
	create_watched_streams($node, 'watched');
	$node->safe_psql('watched', q(
		CREATE TABLE gone (at timestamptz) PARTITION BY RANGE (at);
		CREATE TABLE late (at timestamptz) PARTITION BY RANGE (at);
		SELECT recsys.keep_partitions('gone'); DROP TABLE gone;
		CREATE TABLE late_old PARTITION OF late FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
		SELECT recsys.keep_partitions('late', keep => '1 year');
		CREATE TABLE short (at timestamptz) PARTITION BY RANGE (at);
		SELECT recsys.keep_partitions('short', ahead => '0');
		UPDATE recsys.kept_partition SET ahead = '10 days' WHERE table_name = 'short';
		UPDATE recsys.stream_partition SET throttle = 250 WHERE stream = 'clicks';));
	my $advice = q(FROM recsys.maintenance_advice WHERE topic IN ('partitions', 'stream'));
	is($node->safe_psql('watched', qq(SELECT topic, object, regexp_replace(reason, '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]+', 'T'), command $advice ORDER BY 1, 2, 3)), <<'ADVICE' =~ s/\n$//r, 'what should be done');
partitions|public.gone|the table does not exist|SELECT recsys.leave_partitions('public.gone');
partitions|public.late|1 should have been dropped, the first one T|SELECT * FROM recsys.maintain_partitions('public.late');
partitions|public.short|there are none from T on|SELECT * FROM recsys.maintain_partitions('public.short');
stream|alone|no recsys-stream has ever been at it|SELECT * FROM recsys.streams WHERE stream = 'alone';
stream|behind|it is 8000 messages behind, and has come to those of T|SELECT recsys.alter_stream('behind', jobs => 4);
stream|behind|partition 3 is lost: the log is not the one that was read before|SELECT recsys.seek_stream('behind', partition => 3, at => '-infinity');
stream|broken|it has failed: permission denied for table clicks|SELECT recsys.resume_stream('broken');
stream|clicks|5 messages were rejected in the last hour|SELECT * FROM recsys.stream_errors WHERE stream = 'clicks' ORDER BY rejected_at DESC LIMIT 20;
stream|clicks|it waits 250 ms after each batch, as indexes of its target have too much to merge|SELECT * FROM recsys.merge_pending();
ADVICE
	$node->safe_psql('watched', "SELECT command $advice \\gexec");
	is($node->safe_psql('watched', "SELECT object $advice AND (topic = 'partitions' OR object = 'broken')"), 'broken', 'and has an end when it is done, but for what only the program can do');
	is($node->safe_psql('watched', qq(CREATE ROLE watcher LOGIN; SELECT count(*) $advice), extra_params => [ '-U', 'postgres' ]) > 0, 1, 'a superuser sees all');
	is(as('watcher', "SELECT count(*) $advice", 'watched'), '0', 'others see what is theirs');
	$node->safe_psql('postgres', 'DROP DATABASE watched');
}

# The pseudonyms of the manual are those of the program: figures as in the tests of the program
SKIP:
{
	my $page = dirname(__FILE__) . '/../../doc/privacy.md';
	my $pgcrypto = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'pgcrypto'));

	skip 'no pgcrypto, or the manual is not beside the tests', 1 unless $pgcrypto && -f $page;
	my ($function) = slurp_file($page) =~ /^( *CREATE FUNCTION pseudonym.*?END;)$/ms;
	is($node->safe_psql('postgres', "CREATE EXTENSION pgcrypto; $function SELECT pseudonym('42', '0123456789abcdef'), pseudonym(chr(233), '0123456789abcdef')"),
		'8d24a2a5-26d5-8556-869d-b8b6280e3a7b|26382c5a-db93-8847-95a5-5b17c0c37aae', 'the function of the manual makes the pseudonyms of the program');
}

# A standby looks and does not touch
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q(SELECT count(*) > 3 FROM recsys.kept_partitions)), 't', 'a standby has the view');
like(($standby->psql('postgres', 'SELECT recsys.maintain_partitions()'))[2], qr/cannot execute recsys.maintain_partitions\(\) during recovery/, 'and keeps none');
$standby->stop;

$node->safe_psql('small', 'DROP EXTENSION recsys');
is($node->safe_psql('small', q(SELECT count(*) FROM pg_class WHERE relname ~ '^clicks')), '10', 'the extension goes, tables stay');
$node->stop;
done_testing();
