# recsys-stream while something is wrong: with the broker, the topic, the server, the disk or another
# consumer.  Whatever it was, afterwards every event is there exactly once, or the stream says what is lost.
use strict;
use warnings;

use KafkaBroker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RecsysTest;
use StreamTest;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'no Kafka broker: ' . KafkaBroker::why_not() if KafkaBroker::why_not();

my $node = stream_node('failures', 'restart_after_crash = on');
my $broker = KafkaBroker->new('failures', 'log.cleaner.backoff.ms' => 200, 'log.retention.check.interval.ms' => 500)->start;
my $folder = PostgreSQL::Test::Utils::tempdir();
my ($status, $log);

# A topic, a table and a stream of the same name
sub stream
{
	my ($name, $partitions, %arguments) = @_;

	$broker->create_topic($name, $partitions);
	shop($node, "CREATE TABLE $name (LIKE views)");
	create_stream($node, $name, $broker, $name, target => "'$name'", max_delay => "'50 ms'", %arguments);
}

sub program { my (@more) = @_; return start_program($node, arguments => [ map { ('--stream', $_) } @more ]) }

sub all_there
{
	my ($name, $what, @sent) = @_;

	ok(wait_for_end($node, $broker, $name, $name, 60), "$what: the log is read to its end");
	exactly_once($node, $broker, $name, $what, table => $name, stream => $name, @sent ? (sent => [@sent]) : ());
}

sub state_of { return sql($node, "SELECT state FROM recsys.streams WHERE stream = '$_[0]'") }

# ---- two programs share the partitions, one goes, one dies
stream('shared', 4, jobs => 1);
my $producer = $broker->start_produce('shared', count => 30000, rate => 3000);
my $first = program('shared');
ok(wait_until($node, q(SELECT sum(messages) > 0 FROM recsys.stream_partitions WHERE stream = 'shared')), 'the first program consumes');
my $second = program('shared');
my $consumers = q(SELECT count(DISTINCT consumer) FROM recsys.stream_partitions WHERE stream = 'shared');
ok(wait_until($node, $consumers, '2', 30), 'a second one takes some of the partitions');
$first->stop;
ok(wait_until($node, $consumers, '1', 30), 'and all of them when the first one goes');
$first = program('shared');
ok(wait_until($node, $consumers, '2', 30), 'it comes back');
$second->kill9;
ok(wait_until($node, $consumers, '1', 30), 'the second one dies');
$broker->finish_produce($producer);
all_there('shared', 'two programs');

# ---- a consumer that stands still is not missed until it goes on, when others have its partitions
$producer = $broker->start_produce('shared', count => 20000, first => 30001, rate => 2000);
$second = program('shared');
ok(wait_until($node, $consumers, '2', 30), 'two programs again');
kill 'STOP', $_ foreach $first->children, $first->pid;
ok(wait_until($node, $consumers, '1', 30), 'one stands still: the other takes its partitions');
kill 'CONT', $_ foreach $first->children, $first->pid;
$broker->finish_produce($producer);
all_there('shared', 'a consumer that was away');
is($second->stop, 0, 'one ends');
is($first->stop, 0, 'and the other');

# ---- a partition is added
stream('grown', 2);
my $program = program('grown');
$producer = $broker->start_produce('grown', count => 10000, rate => 3000);
sleep 1;
$broker->set_partitions('grown', 5);
$broker->produce('grown', count => 1000, first => 20001, partition => 4);
$broker->finish_produce($producer);
ok(wait_until($node, q(SELECT count(*) FROM recsys.stream_partitions WHERE stream = 'grown'), '5', 30), 'partitions that are added are consumed');
all_there('grown', 'a partition added');

# ---- the broker is started anew, killed, and stands still
$producer = $broker->start_produce('grown', count => 20000, first => 100001, rate => 2500);
sleep 1;
$broker->restart;
sleep 1;
$broker->kill9;
sleep 1;
$broker->start;
$broker->freeze;
sleep 4;
$broker->thaw;
$broker->finish_produce($producer);
all_there('grown', 'the broker restarted, killed, stopped');
is($program->running, 1, 'the program has outlived it');

# ---- the server is started anew, and killed
$producer = $broker->start_produce('grown', count => 20000, first => 200001, rate => 4000);
sleep 1;
$node->restart('fast');
sleep 1;
kill_server($node);
sleep 1;
$node->start;
$broker->finish_produce($producer);
all_there('grown', 'the server restarted and killed');
is($program->running, 1, 'the program has outlived that, too');
is(state_of('grown'), 'running', 'and the stream runs');
$program->stop;

# ---- a target that is locked for longer than a consumer may be silent
stream('slow', 2, config => StreamTest::literal(stream_config('max.poll.interval.ms' => 4000)));
$program = program('slow');
$producer = $broker->start_produce('slow', count => 5000, rate => 500);
ok(wait_until($node, 'SELECT count(*) > 0 FROM slow'), 'a slow target: it begins');
my $lock = start_psql($node, 'BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(8)');
$broker->finish_produce($producer);
finish($lock);
all_there('slow', 'a target locked for 8 s');
is(state_of('slow'), 'running', 'a slow target: the stream runs');
$program->stop;

# ---- merges that do not keep up: consumption slows down until they have
stream('behind', 2, max_pending => 2000, merge_interval => "'1 hour'", max_rows => 500);
shop($node, 'CREATE INDEX behind_recsys ON behind USING recsys (user_id, product_id, viewed_at)');
# all of them wait for it, so only the server's answers can hold it back
$broker->produce('behind', count => 30010);
$program = program('behind');
ok(wait_until($node, 'SELECT count(*) > 0 FROM behind'), 'merges that lag: it begins');
ok(wait_until($node, q(SELECT throttle > 0 FROM recsys.streams WHERE stream = 'behind')), 'too much to merge: the stream is told to wait');
sleep 3;
my $pending = q(SELECT pending FROM recsys.index_stats WHERE index_name::text LIKE '%behind_recsys');
cmp_ok(sql($node, $pending), '<', 10000, 'and waits, long before it has read all');
is(state_of('behind'), 'running', 'as it shows');
shop($node, q(SELECT recsys.alter_stream('behind', merge_interval => '100 ms')));
all_there('behind', 'a stream that merges have slowed down');
ok(wait_until($node, $pending, '0', 30), 'all of it is merged');
check_clean($node, 'behind_recsys', 'and the index sound');
$program->stop;

# ---- the disk is full
SKIP:
{
	skip 'no file system of limited size can be mounted', 4 if !$ENV{RECSYS_SMALL_DISK};
	mkdir "$ENV{RECSYS_SMALL_DISK}/space";
	sql($node, "CREATE TABLESPACE small LOCATION '$ENV{RECSYS_SMALL_DISK}/space'; GRANT CREATE ON TABLESPACE small TO shop");
	stream('filled', 2);
	shop($node, 'ALTER TABLE filled SET TABLESPACE small');
	$program = program('filled');
	$broker->produce('filled', count => 1000);
	ok(wait_for_rows($node, 1000, 'filled'), 'a small disk: it begins');
	my $room = "$ENV{RECSYS_SMALL_DISK}/filling";
	system("dd if=/dev/zero of=$room bs=64k count=1000 2>/dev/null");
	$broker->produce('filled', count => 20000, first => 1001);
	ok(wait_until($node, q(SELECT last_message ~ 'No space|extend' FROM recsys.streams WHERE stream = 'filled'), 't', 30),
		'a full disk is the last message');
	isnt(state_of('filled'), 'failed', 'and no reason to give up');
	unlink $room;
	all_there('filled', 'a disk that was full');
	is(sql($node, q(SELECT errors FROM recsys.streams WHERE stream = 'filled')), '0', 'nothing was rejected for it');
	$program->stop;
	shop($node, q(SELECT recsys.drop_stream('filled'); DROP TABLE filled));
	sql($node, 'DROP TABLESPACE small');
}

# ---- what was not read is deleted from the log
stream('deleted', 2);
$broker->produce('deleted', count => 1000);
$program = program('deleted');
ok(wait_for_rows($node, 1000, 'deleted'), 'deleted messages: some are read');
$program->stop;
my ($end) = map { $_->[1] } $broker->offsets('deleted');

# up to where it stands: nothing is lost, though the message by which it would know the log is gone
$broker->truncate('deleted', 0, $end);
$program = program('deleted');
$broker->produce('deleted', count => 100, first => 1001);
ok(wait_for_rows($node, 1100, 'deleted'), 'read messages may be deleted');
$program->stop;
$broker->produce('deleted', count => 1000, first => 2001);
($end) = map { $_->[1] } $broker->offsets('deleted');
$broker->truncate('deleted', 0, $end - 5);
$program = program('deleted');
ok(wait_until($node, q(SELECT state FROM recsys.stream_partitions WHERE stream = 'deleted' AND partition = 0), 'lost', 30), 'messages that were not read and are gone: the partition is lost');
is(state_of('deleted'), 'lost', 'and so says the stream');
like(sql($node, q(SELECT message FROM recsys.stream_partitions WHERE stream = 'deleted' AND partition = 0)), qr/seek_stream/, 'with what to do about it');
$broker->produce('deleted', count => 50, first => 4001, partition => 1);
ok(wait_until($node, q(SELECT count(*) FROM deleted WHERE event_id > 4000), '50', 30), 'the other partition goes on');
is(sql($node, q(SELECT count(*) FROM deleted WHERE part = 0 AND event_id BETWEEN 2001 AND 4000)), '0', 'nothing is skipped silently');
shop($node, qq(SELECT recsys.seek_stream('deleted', partition => 0, next_offset => @{[ $end - 5 ]})));
ok(wait_until($node, q(SELECT count(*) FROM deleted WHERE part = 0 AND event_id BETWEEN 2001 AND 4000), '5', 30), 'told so, it takes what is left');
is(state_of('deleted'), 'running', 'and runs');

# ---- the topic is made anew under the same name: while nobody looks, beneath the program, and so quickly
# that Kafka's protocol does not show it, for the offset that is asked for next does not exist in the new one
foreach my $how ('unseen', 'beneath', 'quickly')
{
	my $name = "anew_$how";
	my $what = "a topic made anew, $how";

	stream($name, 2);
	$broker->produce($name, count => 1000);
	$program->stop;
	$program = program($name);
	ok(wait_for_rows($node, 1000, $name), "$what: the old one is read");
	$program->stop if $how eq 'unseen';
	$broker->delete_topic($name);
	sleep 2 if $how eq 'beneath';
	$broker->create_topic($name, 2);
	sleep 1 if $how eq 'quickly';
	# more than there was, so that the offsets fit
	$broker->produce($name, count => 3000, first => 10001, seed => 7);
	$program = program($name) if $how eq 'unseen';
	ok(wait_until($node, "SELECT string_agg(DISTINCT state, ',') FROM recsys.stream_partitions WHERE stream = '$name'", 'lost', 60), "$what: both partitions are lost");
	is(sql($node, "SELECT count(*) FROM $name"), '1000', "$what: nothing of it was taken for the old one");
	shop($node, "SELECT recsys.seek_stream('$name', at => '2000-01-01')");
	ok(wait_for_rows($node, 4000, $name), "$what: from the beginning, as it was told");
	is(sql($node, "SELECT count(*), count(DISTINCT event_id) FROM $name"), '4000|4000', "$what: each event once");
}

# ---- a compacted topic, from which the last message that was read may vanish
$broker->create_topic('compact', 1, 'cleanup.policy' => 'compact', 'segment.ms' => 200, 'min.cleanable.dirty.ratio' => '0.01',
	'max.compaction.lag.ms' => 200);
shop($node, 'CREATE TABLE compact (id bigint PRIMARY KEY, n bigint)');
create_stream($node, 'compact', $broker, 'compact', target => q('compact'), columns => q('{"id": "$key", "n": "n"}'), key => q('{id}'),
	conflict => q('update'), tombstones => q('delete'));
$broker->send('compact', map { { key => $_ % 10, value => qq({"n": $_}) } } 1 .. 1000);
($status, $log) = run_program($node, arguments => [ '--once', '--stream', 'compact' ]);
is($status, 0, 'a compacted topic is read');
# further messages close segments, whose cleaning takes the last message that was read, of key 0
sleep 0.3;
$broker->send('compact', { key => 0, value => '{"n": 2000}' }, { key => 1 });
my $gone = 0;
for (my $try = 0; $try < 40 && !$gone; $try++)
{
	sleep 0.5;
	$broker->send('compact', { key => 2, value => qq({"n": @{[ 3000 + $try ]}}) });
	$broker->read_topic('compact', "$folder/compact");
	$gone = slurp_file("$folder/compact") !~ /"n": 1000}/;
}
ok($gone, 'its last message has been cleaned away');
($status, $log) = run_program($node, arguments => [ '--once', '--stream', 'compact' ]);
is($status, 0, 'and it is read on') or diag(substr($log, -2000));
is(sql($node, 'SELECT count(*), min(n), (SELECT n FROM compact WHERE id = 0), (SELECT n > 2000 FROM compact WHERE id = 2) FROM compact'), '9|993|2000|t', 'to its last state');

# ---- no topic, no broker
shop($node, 'CREATE TABLE later (LIKE views)');
create_stream($node, 'later', $broker, 'later', target => "'later'");
$program->stop;
$program = program('later');
sleep 2;
is($program->running, 1, 'a topic that is not there yet is waited for');
$broker->create_topic('later', 2);
$broker->produce('later', count => 100);
all_there('later', 'a topic that came later');
is($program->stop, 0, 'the program ends when it is asked to');

# ---- a standby is promoted: what the old primary has not sent there is consumed again
stream('moved', 4, max_rows => 200);
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('failures_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$program = start_program($node, nodes => [ $node, $standby ], arguments => [ '--stream', 'moved' ]);
$producer = $broker->start_produce('moved', count => 20000, rate => 4000);
ok(wait_until($standby, 'SELECT count(*) > 2000 FROM moved', 't', 30), 'the standby follows');
# the standby stops there for a while, so that it surely misses something
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
my ($receiver) = $standby->safe_psql('postgres', 'SELECT pid FROM pg_stat_wal_receiver');
kill 'STOP', $receiver;
sleep 1;
kill_server($node);
kill 'CONT', $receiver;
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$standby->promote;
$broker->finish_produce($producer);
ok(wait_for_end($standby, $broker, 'moved', 'moved', 60), 'the program has gone over to the new primary');
exactly_once($standby, $broker, 'moved', 'failover', table => 'moved', stream => 'moved');
is($program->stop, 0, 'the program ends when it is asked to');
$standby->stop;

done_testing();
