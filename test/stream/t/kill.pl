# Everything that can be killed is killed, while events are on their way: afterwards each is in the table once.
#
# Two producers send into one topic of four partitions, one of them in transactions, every fifth of
# which it aborts; some messages are damaged, some are tombstones.  Meanwhile one thing after the other
# is killed with SIGKILL, or held up: a consumer, the whole program, its parent alone, the server with all
# its processes, one of its backends, the broker; consumers are stopped for longer than their group waits for
# them and go on as if nothing had been; a second program comes and goes; the program kills itself at its fault
# points.  Half of the time nobody waits for what was killed to be well again.
#
# RECSYS_KILLS and RECSYS_EVENTS say how many, RECSYS_SEED where the random numbers start.
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

my $kills = $ENV{RECSYS_KILLS} || 10;
my $events = $ENV{RECSYS_EVENTS} || 100_000;
my $seed = $ENV{RECSYS_SEED} || 1;

# seconds that events keep coming, for each kill
my $seconds_a_kill = 3;

my @points = StreamTest::fault_points();

srand($seed);
note("seed $seed, $kills kills, $events events");

my $node = stream_node('kill', 'restart_after_crash = on', 'max_wal_size = 1GB');
my $broker = KafkaBroker->new('kill')->start;
my $folder = PostgreSQL::Test::Utils::tempdir();
my @sent = ("$folder/plain", "$folder/transactions");

$broker->create_topic('clicks', 4);
shop($node, 'CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, viewed_at)');
create_stream($node, 'clicks', $broker, 'clicks',
	max_rows => 500, max_delay => "'50 ms'", max_errors => 'NULL', jobs => 2, merge_interval => "'1 s'");

my $half = int($events / 2);
my $rate = 1 + int($half / ($kills * $seconds_a_kill));
my @producers = (
	$broker->start_produce('clicks', count => $half, rate => $rate, poison => 997, tombstone => 1009, seed => $seed, out => $sent[0]),
	$broker->start_produce('clicks', count => $events - $half, first => $half + 1, rate => $rate, seed => $seed + 1,
		transaction => 200, abort => 5, out => $sent[1]));
my $program = start_program($node);
my $second;
my %done;

# What is killed, how often in comparison, and how.  Each returns false if there was nothing to kill.
my %kinds = (
	consumer => [ 4, sub { return $program->kill9_child(int(rand(8))) } ],
	program => [ 3, sub { $program->kill9; $program = start_program($node) } ],
	# its children may be at work for a moment beside those of the new one
	parent => [ 2, sub { $program->kill9_parent; $program = start_program($node) } ],
	server => [ 3, sub { kill_server($node); $node->start; return 1 } ],
	backend => [ 3, \&kill_backend ],
	connection => [ 2, sub {
			return sql_try(q(SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE usename = 'shop')) eq 't';
		} ],
	broker => [ 3, sub { $broker->kill9; $broker->start } ],
	stopped => [ 3, sub {
			my @children = $program->children or return 0;
			my $child = $children[ int(rand(@children)) ];

			kill 'STOP', $child;
			# the group takes three seconds to miss it
			sleep(rand() < 0.5 ? 1 : 5);
			return kill 'CONT', $child;
		} ],
	second => [ 2, sub {
			if ($second) { rand() < 0.5 ? $second->kill9 : $second->stop; undef $second }
			else { $second = start_program($node) }
			return 1;
		} ],
	fault => [ @points ? 6 : 0, \&kill_at_point ]);
my @lot = map { my $kind = $_; map { $kind } 1 .. $kinds{$kind}[0] } sort keys %kinds;

for (my ($number, $tries) = (0, 0); $number < $kills && $tries < 20 * $kills; $tries++)
{
	my $kind = $lot[ int(rand(@lot)) ];
	my $before = rows();

	# sometimes things get well, sometimes they do not get the time
	if (rand() < 0.6)
	{
		my $deadline = time + 30;

		sleep 0.05 while time < $deadline && (rows() // 0) <= ($before // 0) + 100 && producing();
	}
	else
	{
		sleep rand(1.5);
	}
	$program = start_program($node) unless $program->running;
	next unless $kinds{$kind}[1]->();
	$done{$kind}++;
	$number++;
}
note('killed: ' . join(', ', map { "$_ $done{$_}" } sort keys %done));
is(eval { my $n = 0; $n += $_ foreach values %done; $n }, $kills, "$kills kills, seed $seed");

my @reports = map { $broker->finish_produce($_) } @producers;
$second->stop if $second;
$program = start_program($node) unless $program->running;
cmp_ok($reports[0]{delivered}, '==', $half, 'the plain producer has sent everything');
cmp_ok($reports[1]{delivered} + $reports[1]{aborted}, '>', 0, 'the one with transactions, too');
note("of transactions committed $reports[1]{delivered}, aborted $reports[1]{aborted} events");

ok(wait_for_end($node, $broker, 'clicks', 'clicks', 120), 'the log is read to its end');
exactly_once($node, $broker, 'clicks', "seed $seed: $kills kills, $events events", sent => \@sent);
is(sql($node, q(SELECT state FROM recsys.streams WHERE stream = 'clicks')), 'running', 'the stream runs');
is(sql($node, q(SELECT sum(messages) = (SELECT count(*) FROM truth), sum(rejected) = (SELECT count(*) FROM sent WHERE kind = 'p')
	FROM recsys.stream_partition)), 't|t', 'its counters count each message once');
check_clean($node, 'views_recsys', 'the index is sound');
is($program->stop, 0, 'the program ends when it is asked to');
done_testing();

sub sql_try
{
	my ($query) = @_;
	my ($status, $output) = $node->psql('postgres', $query);

	return $status == 0 ? $output : '';
}

sub rows
{
	my $rows = sql_try('SELECT sum(messages) FROM recsys.stream_partition');

	return $rows eq '' ? undef : $rows;
}

sub producing
{
	return grep { $_->{run}->pumpable } @producers;
}

# SIGKILL for one of the program's connections: the server ends all of them and recovers.
sub kill_backend
{
	my $pid = sql_try(q(SELECT pid FROM pg_stat_activity WHERE usename = 'shop' ORDER BY random() LIMIT 1));
	my $offset = -s $node->logfile;

	return 0 if $pid eq '';
	return kill('KILL', $pid) && is_back($node, $offset);
}

# The program is started anew; its processes kill themselves when they get to a point for the nth time, or at
# any point, by chance.
sub kill_at_point
{
	my $point = rand() < 0.3 ? 'any:kill:200' : $points[ int(rand(@points)) ];
	my $reached;

	# a process claims once, and closes at its end
	$point .= ':kill:' . ($point =~ /claim|close/ ? 1 : 1 + int(rand(20))) if $point !~ /kill/;
	$program->kill9;
	$program = start_program($node, fault => $point);
	if ($point =~ /close/)
	{
		sleep rand(2);
		$program->signal('TERM');
	}
	$reached = $program->reaches_fault(10);
	note("$point was not reached") unless $reached;
	sleep rand(2);
	$program->kill9;
	$program = start_program($node);
	return $reached;
}
