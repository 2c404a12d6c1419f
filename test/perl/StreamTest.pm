# What the tests of recsys-stream share: a server with a target table, the program as a process that can
# be ended in every way, and the comparison of a table with a topic.
#
#     my $node = stream_node('main');                 a server; role shop owns table views
#     my $program = start_program($node);             recsys-stream in the background, as role shop
#     wait_for_rows($node, 1000); $program->kill9;
#     exactly_once($node, $broker, 'clicks', 'after that');
#
# RECSYS_STREAM_PROGRAM names the program, RECSYS_STREAM_TOOLS the folder of KafkaBroker's.
package StreamTest;

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RecsysTest;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(stream_node sql shop create_stream stream_config connection start_program run_program
  wait_until wait_for_rows wait_for_end caught_up exactly_once compare_topic);

# What tests ask librdkafka for: those that were killed are missed soon.
our %config = ('session.timeout.ms' => 3000, 'heartbeat.interval.ms' => 500,
	'reconnect.backoff.max.ms' => 500, 'topic.metadata.refresh.interval.ms' => 1000);

# The columns of views, in which every message can be told from all others.
our $columns = '{"event_id": "id", "user_id": "user.id", "product_id": "item", "viewed_at": "ts", "event": "type",
	"part": "$partition", "off": "$offset"}';

# A running server with role shop, whose table views has no key that would hide a doubled event.
sub stream_node
{
	my ($name, @configuration) = @_;
	my $node = RecsysTest::new_node($name, 'shared_buffers = 32MB', 'max_connections = 60', @configuration);

	$node->safe_psql('postgres', q(
		CREATE ROLE shop LOGIN;
		GRANT CREATE ON SCHEMA public TO shop;
		SET ROLE shop;
		CREATE TABLE views (event_id bigint NOT NULL, user_id bigint NOT NULL, product_id bigint NOT NULL,
			viewed_at timestamptz NOT NULL, event text, part integer, off bigint);
	));
	return $node;
}

# As the superuser, and as role shop
sub sql { my ($node, $text) = @_; return $node->safe_psql('postgres', $text) }
sub shop { my ($node, $text) = @_; return $node->safe_psql('postgres', $text, extra_params => [ '-U', 'shop' ]) }

sub literal
{
	my ($text) = @_;

	return 'NULL' unless defined $text;
	$text =~ s/'/''/g;
	return "'$text'";
}

# The configuration of a stream as JSON, with that of the tests
sub stream_config
{
	my (%more) = @_;
	my %all = (%config, %more);

	return '{' . join(', ', map { qq("$_": "$all{$_}") } sort keys %all) . '}';
}

# create_stream NODE, NAME, BROKER, TOPIC, argument => 'SQL of its value', …, as role shop
sub create_stream
{
	my ($node, $name, $broker, $topic, %arguments) = @_;
	my %all = (target => "'views'", columns => literal($columns), config => literal(stream_config()), %arguments);

	return shop($node, "SELECT recsys.create_stream('$name', brokers => '" . $broker->brokers . "', topic => '$topic', "
		. join(', ', map { "$_ => $all{$_}" } grep { defined $all{$_} } sort keys %all) . ')');
}

# How the program connects: as role shop, to the node of several that takes writes.
sub connection
{
	my (@nodes) = @_;

	return 'host=' . join(',', map { $_->host } @nodes) . ' port=' . join(',', map { $_->port } @nodes)
	  . ' dbname=postgres user=shop target_session_attrs=read-write connect_timeout=10';
}

# Where the program can be told to kill itself, as its source names them (src/stream/run/streamfault.h)
sub fault_points
{
	my $text = join '', map { slurp_file($_) } glob "$ENV{RECSYS_TREE}/src/stream/run/*.c";
	my %found;

	$found{$1} = 1 while $text =~ /RECSYS_STREAM_FAULT\("([^"]+)"\)/g;
	return sort keys %found;
}

my $programs = 0;

# start_program NODE, option => …: arguments => [ … ] of the command line, fault => 'point:kill:3', nodes =>
# [ … ] all servers to try, environment => { … }.
sub start_program
{
	my ($node, %options) = @_;
	my $number = ++$programs;
	my $log = ($ENV{TESTLOGDIR} // $ENV{TESTDATADIR} // '/tmp') . "/stream_$number.log";
	my $connection = $options{connection} // connection(@{ $options{nodes} // [$node] });
	my @command = ($ENV{RECSYS_STREAM_PROGRAM}, '--dbname', $connection, @{ $options{arguments} // [] });
	my $pid = fork() // die "fork: $!";

	if (!$pid)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $log;
		open STDERR, '>&', \*STDOUT;
		POSIX::setpgid(0, 0);
		$ENV{RECSYS_STREAM_FAULT} = $options{fault} if defined $options{fault};
		$ENV{$_} = $options{environment}{$_} foreach keys %{ $options{environment} // {} };
		{ exec 'setpriv', '--pdeathsig', 'KILL', @command }
		POSIX::_exit(127);
	}
	POSIX::setpgid($pid, $pid);
	my $program = bless { pid => $pid, log => $log, owner => $$ }, 'StreamTest::Program';
	push @StreamTest::Program::all, $program;
	return $program;
}

# The program until it ends, as with --once; its exit status and what it wrote.
sub run_program
{
	my ($node, %options) = @_;
	my $program = start_program($node, %options);
	my $status = $program->wait($options{seconds} // 60);

	return ($status, $program->log_text);
}

# Until a query of the superuser says so.
sub wait_until
{
	my ($node, $query, $expected, $seconds) = @_;
	my $deadline = time + ($seconds // 60);
	my ($status, $got) = (1, '');

	$expected //= 't';
	while (time < $deadline)
	{
		($status, $got) = $node->psql('postgres', $query);
		return 1 if $status == 0 && $got eq $expected;
		sleep 0.1;
	}
	diag("waited in vain for '$expected', got '" . ($got // '') . "' of: $query\n" . streams($node));
	return 0;
}

sub streams
{
	my ($node) = @_;
	my ($status, $text) = $node->psql('postgres', q(
		SELECT concat_ws(' ', stream, state, 'lag', lag, 'consumers', consumers, 'errors', errors, last_message) FROM recsys.streams;
		SELECT concat_ws(' ', stream, partition, state, 'next', next_offset, seek, 'of', high_watermark, consumer, message)
		FROM recsys.stream_partitions WHERE lag IS DISTINCT FROM 0 OR state <> 'active'));

	return $text // '';
}

sub wait_for_rows
{
	my ($node, $rows, $table, $seconds) = @_;

	return wait_until($node, 'SELECT count(*) FROM ' . ($table // 'views'), $rows, $seconds);
}

# The end of the log in a topic, as the broker has it
sub caught_up
{
	my ($node, $broker, $stream, $topic) = @_;
	my $expected = join ' ', map { $_->[1] } $broker->offsets($topic);
	my ($status, $got) = $node->psql('postgres',
		"SELECT string_agg(next_offset::text, ' ' ORDER BY partition) FROM recsys.stream_partitions WHERE stream = '$stream'");

	return $status == 0 && $got eq $expected;
}

sub wait_for_end
{
	my ($node, $broker, $stream, $topic, $seconds) = @_;
	my $deadline = time + ($seconds // 60);

	while (time < $deadline)
	{
		return 1 if caught_up($node, $broker, $stream, $topic);
		sleep 0.1;
	}
	diag('the log is not read to its end, which is at '
		  . join(' ', map { $_->[1] } $broker->offsets($topic)) . ":\n" . streams($node));
	return 0;
}

# compare_topic NODE, BROKER, TOPIC, table => 'views', stream => 'clicks', sent => [ files of produce's
# out= ]: what is wrong, as text, or an empty string.  The truth is the topic as readtopic reads it; what kind
# each message is, the producer has written down.
sub compare_topic
{
	my ($node, $broker, $topic, %options) = @_;
	my $table = $options{table} // 'views';
	my $stream = $options{stream} // 'clicks';
	my $file = PostgreSQL::Test::Utils::tempdir() . '/topic.copy';
	my $read = $broker->read_topic($topic, $file);

	chmod 0644, $file;
	sql($node, q(DROP TABLE IF EXISTS truth, sent;
		CREATE UNLOGGED TABLE truth (part integer, off bigint, ms bigint, key text, value text);
		CREATE UNLOGGED TABLE sent (id bigint, kind text, part integer, off bigint)));
	sql($node, "COPY truth FROM '$file'");
	foreach my $sent (@{ $options{sent} // [] })
	{
		sql($node, "COPY sent FROM '$sent'");
	}
	# without a record of the producer every message is an event
	sql($node, 'INSERT INTO sent SELECT NULL, CASE WHEN value IS NULL THEN \'t\' ELSE \'e\' END, part, off FROM truth')
	  unless $options{sent};
	my $wrong = sql($node, qq(
		SET work_mem = '256MB';
		CREATE TEMP TABLE got AS SELECT part, off, count(*) AS n FROM $table GROUP BY 1, 2;
		CREATE TEMP TABLE bad AS SELECT partition AS part, message_offset AS off, count(*) AS n
			FROM recsys.stream_errors WHERE stream = '$stream' GROUP BY 1, 2;
		ANALYZE got; ANALYZE bad; ANALYZE truth; ANALYZE sent;
		SELECT concat_ws(', ', what || ': ' || n, examples) FROM (
			SELECT 'in the topic, not sent' AS what, count(*) AS n, min((part, off)::text) AS examples
			FROM (SELECT part, off FROM truth EXCEPT SELECT part, off FROM sent WHERE kind NOT LIKE 'a%') x
			UNION ALL SELECT 'sent, not in the topic', count(*), min((part, off)::text)
			FROM (SELECT part, off FROM sent WHERE kind NOT LIKE 'a%' EXCEPT SELECT part, off FROM truth) x
			UNION ALL SELECT 'LOST', count(*), min((part, off)::text)
			FROM sent LEFT JOIN got USING (part, off) WHERE kind = 'e' AND got.n IS NULL
			UNION ALL SELECT 'DOUBLED', count(*), min((part, off)::text) FROM got WHERE n > 1
			UNION ALL SELECT 'not events, in the table', count(*), min((part, off)::text)
			FROM got LEFT JOIN sent USING (part, off) WHERE sent.kind IS DISTINCT FROM 'e'
			UNION ALL SELECT 'damaged, not in the table of errors', count(*), min((part, off)::text)
			FROM sent LEFT JOIN bad USING (part, off) WHERE kind = 'p' AND bad.n IS NULL
			UNION ALL SELECT 'twice in the table of errors', count(*), min((part, off)::text) FROM bad WHERE n > 1
			UNION ALL SELECT 'not damaged, in the table of errors', count(*), min((part, off)::text)
			FROM bad LEFT JOIN sent USING (part, off) WHERE sent.kind IS DISTINCT FROM 'p'
			UNION ALL SELECT 'with other values', count(*), min((v.part, v.off)::text)
			FROM $table v JOIN truth t USING (part, off) JOIN sent s USING (part, off)
			WHERE s.kind = 'e' AND (v.event_id, v.user_id, v.product_id, (extract(epoch FROM v.viewed_at) * 1000)::bigint, v.event)
				IS DISTINCT FROM ((t.value::jsonb ->> 'id')::bigint, (t.value::jsonb #>> '{user,id}')::bigint, (t.value::jsonb ->> 'item')::bigint,
					(t.value::jsonb ->> 'ts')::bigint, t.value::jsonb ->> 'type')
			UNION ALL SELECT 'events', 0, NULL WHERE NOT EXISTS (SELECT FROM got)) x
		WHERE n > 0));
	return $wrong;
}

# One assertion: every event of the topic is in the table once, with its values, every damaged one in the
# table of errors once, and nothing else in either.
sub exactly_once
{
	my ($node, $broker, $topic, $name, %options) = @_;
	my $wrong = compare_topic($node, $broker, $topic, %options);

	is($wrong, '', "$name: every event is there exactly once");
	return $wrong eq '';
}

# The program as a process: a parent and those that it has forked, in a process group.
package StreamTest::Program;

use Time::HiRes qw(sleep time);

our @all;

sub pid { return $_[0]->{pid} }
sub log_file { return $_[0]->{log} }

sub log_text
{
	my ($self) = @_;

	return -e $self->{log} ? PostgreSQL::Test::Utils::slurp_file($self->{log}) : '';
}

# Those of the process group that live, the parent left out.
sub children
{
	my ($self) = @_;
	my @children;

	foreach my $file (glob '/proc/[0-9]*/stat')
	{
		open(my $handle, '<', $file) or next;
		my $line = <$handle> // '';
		close $handle;
		push @children, $1 if $line =~ /^(\d+) \(.*\) ([A-Z]) \d+ (\d+)/ && $3 == $self->{pid} && $1 != $3 && $2 ne 'Z';
	}
	return sort { $a <=> $b } @children;
}

sub running
{
	my ($self) = @_;

	return 0 if defined $self->{status};
	$self->{status} = $? if waitpid($self->{pid}, POSIX::WNOHANG()) != 0;
	return !defined $self->{status};
}

# Its exit status as the shell has it; -1 if it had to be killed.
sub wait
{
	my ($self, $seconds) = @_;
	my $deadline = time + ($seconds // 60);

	while ($self->running)
	{
		if (time > $deadline)
		{
			$self->kill9;
			return -1;
		}
		sleep 0.02;
	}
	return $self->{status} & 127 ? 128 + ($self->{status} & 127) : $self->{status} >> 8;
}

sub signal { my ($self, $signal) = @_; kill $signal, $self->{pid}; return }

# Has one of its processes killed itself at the fault point that it was started with?  The one that takes
# its place will do so, too.
sub reaches_fault
{
	my ($self, $seconds) = @_;
	my $deadline = time + $seconds;

	while (time < $deadline)
	{
		return 1 if !$self->running || $self->log_text =~ /signal 9|SIGKILL|killed/i;
		sleep 0.05;
	}
	return 0;
}

# Asked to end, and waited for
sub stop
{
	my ($self, $seconds) = @_;

	kill 'TERM', $self->{pid};
	return $self->wait($seconds // 30);
}

# All of it at once
sub kill9
{
	my ($self) = @_;

	kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0 unless defined $self->{status};
	$self->{status} //= $?;
	my $deadline = time + 10;
	sleep 0.02 while $self->children && time < $deadline;
	return;
}

# The parent alone
sub kill9_parent
{
	my ($self) = @_;

	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0 unless defined $self->{status};
	$self->{status} //= $?;
	return;
}

# One of those that it has forked; false if there is none just now
sub kill9_child
{
	my ($self, $number) = @_;
	my @children = $self->children;

	return @children > 0 && kill 'KILL', $children[ $number % @children ];
}

END
{
	my $status = $?;

	foreach my $program (@all)
	{
		kill 'KILL', -$program->{pid} if $program->{owner} == $$;
	}
	$? = $status;
}

1;
