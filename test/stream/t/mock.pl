# recsys-stream with a broker that librdkafka plays, which needs no Java: the protocol, the program's death
# at each of its fault points, and that of the server.
use strict;
use warnings;

use KafkaBroker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RecsysTest;
use StreamTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = stream_node('mock', 'restart_after_crash = on');
my $broker = KafkaBroker->mock(4);
my $folder = PostgreSQL::Test::Utils::tempdir();
my @sent;
my $first = 1;

# More events, damaged ones among them, whose fate is written down
sub produce
{
	my ($count, %more) = @_;
	my $file = "$folder/sent" . @sent;

	push @sent, $file;
	$first += $count;
	return $broker->start_produce('clicks', count => $count, first => $first - $count, poison => 101, tombstone => 307, out => $file, %more);
}

# ---- a topic is read to its end
$broker->finish_produce(produce(5000));
create_stream($node, 'clicks', $broker, 'clicks', max_rows => 100, max_delay => "'50 ms'", max_errors => 'NULL');
my ($status, $log) = run_program($node, arguments => ['--once']);
is($status, 0, '--once ends by itself') or diag(substr($log, -3000));
exactly_once($node, $broker, 'clicks', 'a topic read to its end', sent => \@sent);

# ---- what only a type finds wrong is the message's fault, whatever SQLSTATE the type gives it
shop($node, 'CREATE TYPE shade AS ENUM (\'red\'); CREATE TABLE queries (id integer, query tsquery, found jsonpath)');
shop($node, "SET search_path = public; SELECT recsys.create_stream('queries', brokers => '" . $broker->brokers . "', topic => 'queries',
	target => 'queries', columns => '{\"id\": \"id\", \"query\": \"q\", \"found\": \"p\"}',
	fields => '{\"shade\": {\"path\": \"s\", \"type\": \"shade\"}}', filter => 'shade IS NULL OR shade = ''red''')");
$broker->send('queries', map { { value => $_ } } '{"id": 1, "q": "a & b", "s": "red"}', '{"id": 2, "q": "a b"}', '{"id": 3, "p": "$.a"}',
	'{"id": 4, "p": "$.a b"}', '{"id": 5, "s": "blue"}', '{"id": 6}');
is((run_program($node, arguments => [ '--once', '--stream', 'queries' ]))[0], 0, 'messages that a type refuses do not stop a stream');
is(sql($node, 'SELECT string_agg(id::text, \' \' ORDER BY id) FROM queries'), '1 3 6', 'the others are there');
is(sql($node, q(SELECT string_agg(DISTINCT sqlstate, ' ' ORDER BY sqlstate) || ' ' || count(*) FROM recsys.stream_errors WHERE stream = 'queries')),
	'22P02 42601 3', 'and they are among the rejected ones');
shop($node, "SELECT recsys.drop_stream('queries')");

# ---- the program dies at each of its fault points, again and again
foreach my $point (StreamTest::fault_points())
{
	# a process claims once, and closes at its end
	my $number = $point =~ /claim|close/ ? 1 : 1 + int(rand(4));
	my $program = start_program($node, fault => "$point:kill:$number");
	my $producer = produce(600, rate => 600);

	if ($point =~ /close/)
	{
		sleep 1;
		$program->signal('TERM');
	}
	ok($program->reaches_fault(20), "$point: a process dies there");
	sleep 0.5;
	# those that stand at the beginning would let nobody get on
	$program->kill9;
	$program = start_program($node);
	$broker->finish_produce($producer);
	ok(wait_for_end($node, $broker, 'clicks', 'clicks', 30), "$point: the log is read to its end");
	exactly_once($node, $broker, 'clicks', "killed at $point, number $number", sent => \@sent);
	$program->stop;
}

# ---- the whole program, and the server, die at any moment
my $program = start_program($node);
my $producer = produce(12000, rate => 3000);
foreach my $round (1 .. 3)
{
	sleep 0.7;
	$program->kill9;
	$program = start_program($node);
	sleep 0.3;
	kill_server($node);
	$node->start;
}
$broker->finish_produce($producer);
ok(wait_for_end($node, $broker, 'clicks', 'clicks', 60), 'the log is read to its end');
exactly_once($node, $broker, 'clicks', 'the program and the server killed three times', sent => \@sent);
is($program->running, 1, 'the program outlives the server');
is($program->stop, 0, 'and ends when it is asked to');
is(sql($node, q(SELECT state, errors = (SELECT count(*) FROM sent WHERE kind = 'p') FROM recsys.streams)), 'waiting|t',
	'a stream that nobody consumes is waiting');

done_testing();
