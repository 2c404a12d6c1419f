# Rows of a statement are entered together: killed in the middle, interrupted, beside other
# sessions, on a standby, and as the first statement of a session, whose hooks come too late.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

$RecsysTest::users = 300;
$RecsysTest::products = 200;

my $primary = new_node('primary', 'restart_after_crash = on', "wal_consistency_checking = 'generic'",
	'max_prepared_transactions = 5', 'client_min_messages = warning');
my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';

create_purchases($primary, 5000);
$primary->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");
$primary->safe_psql('postgres', 'ALTER TABLE purchases ADD note text, ADD id bigserial PRIMARY KEY');

sub sound
{
	my ($name) = @_;

	check_clean($primary, 'purchases_recsys', "$name: check_index");
	scans_agree($primary, $name);
}

# A standby first: it replays all that follows
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

sub standby_agrees
{
	my ($name) = @_;

	$primary->wait_for_catchup($standby);
	same_answers(answers($standby, 'purchases_recsys'), answers($primary, 'purchases_recsys'), "$name: same answers on the standby");
	check_clean($standby, 'purchases_recsys', "$name: check_index on the standby");
}

my $bulk = q(INSERT INTO purchases (user_id, product_id, quantity, purchased_at)
	SELECT 1 + i % 290, 1 + i * 7 % 230, 1 + i % 3, '2026-05-01'::timestamptz + i * interval '1 min' FROM generate_series(1, 3000) i);
my $copy = q(COPY purchases (user_id, product_id, quantity, purchased_at) FROM PROGRAM $$awk 'BEGIN { for (i = 1; i <= 2000; i++)
	printf "%d\\t%d\\t1\\t2026-06-01 00:00+00\\n", i % 310, 1 + i * 11 % 220 }'$$);

$primary->safe_psql('postgres', $bulk);
$primary->safe_psql('postgres', $copy);
sound('insert and copy');
standby_agrees('insert and copy');
$primary->safe_psql('postgres', q(UPDATE purchases SET note = 'x'));
$primary->safe_psql('postgres', q(UPDATE purchases SET note = 'y'));
sound('update');
standby_agrees('update');
$primary->safe_psql('postgres', 'VACUUM purchases');
sound('vacuum');
equals_new_index($primary, 'purchases_recsys', $columns, 'insert, copy, update, vacuum');
standby_agrees('vacuum');

# The first statement of a session loads the library in its middle
my $rows = 'SELECT count(*) FROM purchases WHERE user_id = 5000';
my $first = q(COPY purchases (user_id, product_id) FROM PROGRAM 'seq 1 500 | sed "s/^/5000\t/"');
my $indexed = "SET enable_seqscan = off; $rows";
is($primary->safe_psql('postgres', "BEGIN; $first; $indexed; ROLLBACK; $indexed"), "500\n0", 'COPY comes first, is seen, and is rolled back');
is($primary->safe_psql('postgres', "BEGIN; $first; SAVEPOINT a; ROLLBACK TO a; $indexed; ROLLBACK"), '500', 'a savepoint after it');
is($primary->safe_psql('postgres', "BEGIN; $first; SAVEPOINT a; ROLLBACK TO a; COMMIT; $indexed"), '500', 'committed');
is($primary->safe_psql('postgres', "BEGIN; SAVEPOINT a; $first; ROLLBACK TO a; COMMIT; $indexed"), '500', 'in a savepoint that is rolled back');
is($primary->safe_psql('postgres', "BEGIN; $first; PREPARE TRANSACTION 'p'"), '', 'prepared');
is($primary->safe_psql('postgres', $indexed), '500', 'not seen before it commits');
$primary->safe_psql('postgres', q(COMMIT PREPARED 'p'));
is($primary->safe_psql('postgres', $indexed), '1000', 'seen afterwards');
my $selected = 'INSERT INTO purchases (user_id, product_id) SELECT 5000, i FROM generate_series(1, 500) i';
is($primary->safe_psql('postgres', "BEGIN; $selected; COMMIT; $indexed"), '1500', 'INSERT comes first');
is($primary->safe_psql('postgres', "BEGIN; $selected; ROLLBACK; $indexed"), '1500', '... and is rolled back');
isnt($primary->psql('postgres', "COPY purchases (user_id, product_id) FROM PROGRAM 'seq 1 500 | sed \"s/^/5000\t/\"; echo nonsense'"), 0,
	'COPY comes first and fails');
is($primary->safe_psql('postgres', $indexed), '1500', '... and leaves nothing');
$primary->safe_psql('postgres', q(
CREATE TABLE entrance (user_id bigint, product_id bigint);
CREATE FUNCTION enter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO purchases (id, user_id, product_id) VALUES (NEW.product_id, 5001, NEW.product_id) ON CONFLICT DO NOTHING;
	RETURN NEW;
END $$;
CREATE TRIGGER enter BEFORE INSERT ON entrance FOR EACH ROW EXECUTE FUNCTION enter();
DELETE FROM purchases WHERE id BETWEEN 1 AND 500 AND id % 5 = 0));
my $in_entrance = $first =~ s/purchases/entrance/r;
$primary->safe_psql('postgres', $in_entrance);
is($primary->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM purchases WHERE user_id = 5001'), '100',
	'ON CONFLICT below a COPY which is the first');
sound('first statements');

# Others read and write while a statement's rows are set aside
$primary->safe_psql('postgres', q(CREATE FUNCTION wait_for(key text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_lock(hashtext(key));
	PERFORM pg_advisory_unlock(hashtext(key));
END $$));
sub session { return $_[0]->background_psql('postgres', on_error_stop => 0) }
my $holder = session($primary);
my $writer = session($primary);
my $held = q(INSERT INTO purchases (user_id, product_id) SELECT %s, i FROM generate_series(1, 300) i
	UNION ALL SELECT 1, i FROM wait_for('held') i);

sub waits
{
	return $primary->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted));
}

# The statements before, then one that waits in its middle
sub begin_held
{
	my ($user, $before) = @_;

	$holder->query_safe(q(SELECT pg_advisory_lock(hashtext('held'))));
	$writer->query_safe($before);
	$writer->query_until(qr/started/, "\\echo started\n" . sprintf($held, $user) . ";\n");
	waits();
}

sub go_on { $holder->query_safe(q(SELECT pg_advisory_unlock(hashtext('held')))) }

begin_held(5002, "LOAD 'recsys'; BEGIN");
$primary->safe_psql('postgres', 'INSERT INTO purchases (user_id, product_id) SELECT 5002, i FROM generate_series(1, 50) i');
$primary->safe_psql('postgres', 'VACUUM purchases');
$primary->safe_psql('postgres', q(SELECT recsys.merge('purchases_recsys')));
is($primary->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM purchases WHERE user_id = 5002'), '50', 'others see their own rows only');
my $concurrent = start_psql($primary, 'CREATE INDEX CONCURRENTLY other_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine)');
$primary->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_stat_progress_create_index));
go_on();
$writer->query_safe('COMMIT');
ok(finish($concurrent), 'CREATE INDEX CONCURRENTLY beside it');
is($primary->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM purchases WHERE user_id = 5002'), '350', 'all rows are there');
check_clean($primary, 'other_recsys', 'the new index: check_index');
$primary->safe_psql('postgres', 'DROP INDEX other_recsys');

# Write skew: each counts rows that the other one inserts, and finds none
$primary->safe_psql('postgres', 'DROP TRIGGER enter ON entrance; TRUNCATE entrance; CREATE INDEX ON entrance (user_id)');
my $skew = 'BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL enable_seqscan = off; SELECT count(*) FROM purchases WHERE user_id = 5003;
	INSERT INTO entrance VALUES (1, 1); COMMIT';
begin_held(5003, 'BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL enable_seqscan = off; SELECT count(*) FROM entrance WHERE user_id = 1');
is($primary->safe_psql('postgres', $skew), '0', 'another transaction counts rows that are set aside');
go_on();
$writer->query('COMMIT');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM purchases WHERE user_id = 5003'), '0', 'serializable: the one that comes too late fails');
$writer->query('ROLLBACK');
$writer->quit;
$holder->quit;
sound('beside others');

my $run = pgbench($primary, 6, 6, '-f', write_script('bulk', q(
\set user random(1, 400)
INSERT INTO purchases (user_id, product_id) SELECT 1 + (:user * i) % 400, 1 + (:user + i * i) % 250 FROM generate_series(1, 200) i;
)) . '@4', '-f', write_script('update', q(
\set user random(1, 400)
UPDATE purchases SET note = 'z' WHERE user_id BETWEEN :user AND :user + 3;
)) . '@2', '-f', write_script('back', q(
\set user random(1, 400)
BEGIN;
INSERT INTO purchases (user_id, product_id) SELECT :user, i FROM generate_series(1, 100) i;
SAVEPOINT a;
INSERT INTO purchases (user_id, product_id) SELECT :user + i, i FROM generate_series(1, 100) i;
ROLLBACK TO a;
INSERT INTO purchases (user_id, product_id) SELECT :user, i FROM generate_series(1, 30) i;
END;
)) . '@1', '-f', write_script('read', q(
\set user random(1, 400)
SELECT count(*) FROM recommend(:user, 10);
)) . '@2', '-f', write_script('vacuum', "VACUUM purchases;\n") . '@1');
ok($run->finish, 'six clients work without an error') or diag(slurp_file($run->{recsys_log}));
sound('six clients');
equals_new_index($primary, 'purchases_recsys', $columns, 'six clients');
standby_agrees('six clients');

sub write_script
{
	my ($name, $sql) = @_;
	my $file = $primary->basedir . "/$name.sql";

	append_to_file($file, $sql);
	return $file;
}

# Stopped in the middle: killed, by an error that a function catches, cancelled
if ($primary->safe_psql('postgres', q(LOAD 'recsys'; SELECT count(*) FROM pg_settings WHERE name = 'recsys.fault')) eq '0')
{
	note('the module was built without fault points (make RECSYS_FAULTS=1)');
	$standby->stop;
	$primary->stop;
	done_testing();
	exit;
}
$standby->stop;
my $new = q(INSERT INTO purchases (user_id, product_id) SELECT 7000 + i % 500, 400 + i % 300 FROM generate_series(1, 2000) i);
foreach my $point (qw(batch-items batch-items:4 batch-postings batch-users batch-users:6 batch-entries item-created:20 split-bucket:2 tail-moved))
{
	my ($name, $countdown) = split /:/, $point;
	my $offset = -s $primary->logfile;
	my $sql = $name eq 'tail-moved' ? 'INSERT INTO purchases (user_id, product_id) SELECT 9, 1 + i % 90 FROM generate_series(1, 3000) i' :
		$name eq 'item-created' ? $new =~ s/400 \+/2000 +/r :
		$name eq 'split-bucket' ? $new =~ s/7000 \+ i % 500/20000 + i/r =~ s/2000\) i$/12000) i/r : $new;
	my ($status) = $primary->psql('postgres', "SET recsys.fault = '$name:kill:" . ($countdown // 1) . "'; $sql");

	isnt($status, 0, "$point: the server dies there");
	is_back($primary, $offset) or BAIL_OUT('the server does not come back');
	check_clean($primary, 'purchases_recsys', "$point: check_index after recovery");
	is($primary->psql('postgres', $sql), 0, "$point: the same statement again");
	sound($point);
	$primary->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id >= 7000; VACUUM purchases') if $countdown;
}

# The outer statement's rows are half entered when a function's query fails, and the function goes on
$primary->safe_psql('postgres', q(
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	fault text;
BEGIN
	IF NEW.product_id = 777 THEN
		BEGIN
			-- no query, which would enter the rows
			fault := set_config('recsys.fault', NEW.note, true);
			PERFORM count(*) FROM seen;
			RAISE WARNING 'nothing has failed';
		EXCEPTION WHEN internal_error THEN
			NULL;
		END;
	END IF;
	RETURN NEW;
END $$;
CREATE TABLE seen (n int);
CREATE TRIGGER look BEFORE INSERT ON purchases FOR EACH ROW EXECUTE FUNCTION look()));
foreach my $point (qw(batch-items batch-items:3 batch-postings batch-users batch-users:4 batch-entries))
{
	my ($name, $countdown) = split /:/, $point;
	my $fault = "$name:error:" . ($countdown // 1);
	my ($status, $stdout, $stderr) = $primary->psql('postgres', qq(LOAD 'recsys';
		INSERT INTO purchases (user_id, product_id, note) SELECT 8000 + i % 300, CASE WHEN i = 1500 THEN 777 ELSE i % 100 END, '$fault'
		FROM generate_series(1, 2000) i));
	is($status, 0, "$point: the statement survives");
	unlike($stderr, qr/nothing has failed/, "$point: after an error in the middle");
	sound("$point, error");
}
$primary->safe_psql('postgres', 'DROP TRIGGER look ON purchases');

my $cancelled = start_psql($primary, "SET recsys.fault = 'batch-users:wait:3'; $new");
$primary->poll_query_until('postgres', q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity
	WHERE query LIKE '%batch-users:wait%' AND wait_event_type = 'Extension' AND pid <> pg_backend_pid()), 't');
ok(!finish($cancelled), 'cancelled while rows are entered');
sound('cancelled');
$primary->safe_psql('postgres', 'VACUUM purchases');
sound('cancelled, vacuum');
equals_new_index($primary, 'purchases_recsys', $columns, 'afterwards');

$primary->stop;
done_testing();
