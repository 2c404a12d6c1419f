# A Kafka broker of the test's own: one node that is its own controller, in a temporary folder, on ports
# of this machine that are free.
#
#     my $broker = KafkaBroker->new('main', 'log.retention.check.interval.ms' => 1000);
#     $broker->start; $broker->create_topic('clicks', 4); $broker->produce('clicks', count => 1000);
#     $broker->kill9; $broker->start; $broker->stop;
#
# KafkaBroker::why_not() tells why there can be none here, or returns undef.  The environment says where
# things are (test/stream/stream.sh sets it): RECSYS_KAFKA, the folder of the broker's jars, RECSYS_JAVA,
# and RECSYS_STREAM_TOOLS, the folder of the programs that test/stream/Makefile builds.
#
# A broker ends with the process that started it, however that ends (JavaProcess.pm).
package KafkaBroker;

use strict;
use warnings;

use Cwd ();
use File::Temp ();
use IO::Socket::INET;
use IPC::Run;
use JavaProcess;
use POSIX ();
use Time::HiRes qw(sleep time);

our @ISA = ('JavaProcess');

sub why_not
{
	return $ENV{RECSYS_KAFKA} ? undef : ($ENV{RECSYS_KAFKA_WHY} || 'RECSYS_KAFKA names no folder of jars');
}

# A port below those that the system gives to connections, which would take it while the broker is down.
my $next_port = 17000 + int(rand(8000));

sub free_port
{
	foreach my $try (1 .. 500)
	{
		my $port = $next_port++;
		my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1, ReuseAddr => 1);

		return $port if $socket && close $socket;
	}
	die 'no port is free';
}

# new NAME, PROPERTY => VALUE …: properties go to the broker's file.  java => [ … ] are options of the
# Java machine, in place of a small heap and a quick start; folder => … is used instead of a temporary one.
sub new
{
	my ($class, $name, %properties) = @_;
	my $java = delete $properties{java};
	my $folder = delete $properties{folder};
	my ($port, $controller) = (free_port(), free_port());

	# its path begins with the test's own folder, by which test/lib/sandbox.sh knows what it may end
	$folder //= File::Temp::tempdir("kafka_${name}_XXXX", CLEANUP => 1, DIR => $ENV{TESTDATADIR} // Cwd::getcwd());

	my $self = bless { name => $name, folder => $folder, brokers => "127.0.0.1:$port", java => $java, owner => $$ }, $class;
	my %settings = (
		'process.roles' => 'broker,controller',
		'node.id' => 1,
		'controller.quorum.bootstrap.servers' => "127.0.0.1:$controller",
		'listeners' => "PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller",
		'advertised.listeners' => "PLAINTEXT://127.0.0.1:$port",
		'controller.listener.names' => 'CONTROLLER',
		'inter.broker.listener.name' => 'PLAINTEXT',
		'log.dirs' => "$folder/data",
		'num.network.threads' => 2,
		'num.io.threads' => 2,
		'offsets.topic.num.partitions' => 1,
		'offsets.topic.replication.factor' => 1,
		'transaction.state.log.num.partitions' => 1,
		'transaction.state.log.replication.factor' => 1,
		'transaction.state.log.min.isr' => 1,
		'share.coordinator.state.topic.num.partitions' => 1,
		'share.coordinator.state.topic.replication.factor' => 1,
		'share.coordinator.state.topic.min.isr' => 1,
		# one that was killed may come back soon
		'broker.session.timeout.ms' => 1500,
		'broker.heartbeat.interval.ms' => 300,
		'group.initial.rebalance.delay.ms' => 0,
		# a member that was killed is missed soon, if it asks for that
		'group.min.session.timeout.ms' => 1000,
		'auto.create.topics.enable' => 'false',
		# messages of any age stay
		'log.retention.ms' => -1,
		%properties);

	open my $file, '>', "$folder/server.properties" or die "$folder: $!";
	print $file "$_=$settings{$_}\n" foreach sort keys %settings;
	close $file;
	return $self->remember;
}

sub brokers { return $_[0]->{brokers} }

sub _java { my ($self, @arguments) = @_; return $self->java($ENV{RECSYS_KAFKA}, $self->{java}, @arguments) }

sub start
{
	my ($self) = @_;

	if (!-d "$self->{folder}/data")
	{
		my $format = $self->_java('kafka.tools.StorageTool', 'format', '--standalone', '-t', 'cmVjc3lzLXRlc3QtMTIzNA', '-c', 'server.properties');

		waitpid $format, 0;
		die "Kafka's folder could not be formatted: " . $self->log_tail if $? != 0;
	}
	$self->{pid} = $self->_java('kafka.Kafka', 'server.properties');
	$self->await_start(90, sub { IO::Socket::INET->new($self->{brokers}) });
	$self->admin('wait', 60);
	return $self;
}

# As if its machine stood still, and on again.
sub freeze { kill 'STOP', $_[0]->{pid}; return }
sub thaw { kill 'CONT', $_[0]->{pid}; return }

sub restart
{
	my ($self) = @_;

	$self->stop;
	return $self->start;
}

# A program of RECSYS_STREAM_TOOLS; returns what it prints.
sub _tool
{
	my ($self, $input, $tool, @arguments) = @_;
	my ($output, $errors) = ('', '');

	IPC::Run::run([ "$ENV{RECSYS_STREAM_TOOLS}/$tool", $self->{brokers}, @arguments ], '<', ref $input ? $input : \$input, '>', \$output, '2>', \$errors)
	  or die "$tool @arguments: $errors";
	return $output;
}

# kafkaadmin's commands: see there
sub admin
{
	my ($self, @arguments) = @_;

	return $self->_tool('', 'kafkaadmin', @arguments);
}

# create_topic TOPIC, PARTITIONS, 'retention.ms' => …
sub create_topic
{
	my ($self, $topic, $partitions, %settings) = @_;

	return $self->admin('create', $topic, $partitions // 1, map { "$_=$settings{$_}" } sort keys %settings);
}

sub delete_topic { my ($self, $topic) = @_; return $self->admin('delete', $topic) }
sub set_partitions { my ($self, $topic, $number) = @_; return $self->admin('partitions', $topic, $number) }

# What stands before an offset of a partition is deleted.
sub truncate { my ($self, $topic, $partition, $offset) = @_; return $self->admin('truncate', $topic, $partition, $offset) }

sub alter_topic
{
	my ($self, $topic, %settings) = @_;

	return $self->admin('alter', $topic, map { "$_=$settings{$_}" } sort keys %settings);
}

# [ low, high ] of each partition
sub offsets
{
	my ($self, $topic) = @_;

	return map { [ (split / /)[ 1, 2 ] ] } split /\n/, $self->admin('offsets', $topic);
}

# What a consumer group has committed to Kafka, of each partition; -1 for nothing
sub committed
{
	my ($self, $group, $topic) = @_;

	return map { (split / /)[1] } split /\n/, $self->admin('committed', $group, $topic);
}

# Generated events (produce.c): count => 1000, rate => 500, …  Returns what it says at its end, a hash.
sub produce
{
	my ($self, $topic, %options) = @_;

	return _report($self->_tool('', 'produce', $topic, map { "$_=$options{$_}" } sort keys %options));
}

# The same in the background: finish_produce() waits for it.
sub start_produce
{
	my ($self, $topic, %options) = @_;
	my %run = (output => '', errors => '');

	$run{run} = IPC::Run::start([ "$ENV{RECSYS_STREAM_TOOLS}/produce", $self->{brokers}, $topic,
			map { "$_=$options{$_}" } sort keys %options ], '<', \undef, '>', \$run{output}, '2>', \$run{errors});
	return \%run;
}

sub finish_produce
{
	my ($self, $run) = @_;

	$run->{run}->finish or die "produce: $run->{errors}";
	return _report($run->{output});
}

sub _report
{
	my ($text) = @_;

	return { map { split / /, $_, 2 } split /\n/, $text };
}

# Messages as they are given: { value =>, key =>, partition =>, timestamp =>, headers => [ name => value, … ] };
# a value that is not there is a tombstone.  What is bytes stays bytes.
sub send
{
	my ($self, $topic, @messages) = @_;
	my $lines = join '', map {
		my $message = $_;

		join("\t", $message->{partition} // '', $message->{timestamp} // '', _escape($message->{key}), _escape($message->{value}),
			map { _escape($_) } @{ $message->{headers} // [] }) . "\n"
	} @messages;

	return _report($self->_tool($lines, 'produce', $topic, 'lines=1'));
}

sub _escape
{
	my ($text) = @_;

	return '\N' unless defined $text;
	utf8::encode($text) if utf8::is_utf8($text);
	$text =~ s/([\\\x00-\x1f\x7f-\xff])/sprintf '\\x%02x', ord $1/ge;
	return $text;
}

# What a reader of committed messages finds in the topic, into a file of COPY's text format: partition,
# offset, timestamp, key, value (readtopic.c).  Returns the number of messages.
sub read_topic
{
	my ($self, $topic, $file) = @_;

	return 0 + $self->_tool('', 'readtopic', $topic, $file);
}

# A mock cluster of librdkafka, in a process of its own (mockbroker.c): mock(PARTITIONS of a new topic).
# It knows stop, kill9, produce, send and read_topic.
sub mock
{
	my ($class, $partitions) = @_;
	my $self = bless { owner => $$ }, $class;

	pipe my $read, my $write or die "pipe: $!";
	$self->{stdin} = $write;
	my $pid = open(my $output, '-|') // die "fork: $!";
	if (!$pid)
	{
		open STDIN, '<&', $read;
		close $write;
		{ exec "$ENV{RECSYS_STREAM_TOOLS}/mockbroker", $partitions // 4 }
		POSIX::_exit(127);
	}
	close $read;
	$self->{output} = $output;
	$self->{pid} = $pid;
	chomp($self->{brokers} = <$output> // die 'mockbroker has not started');
	return $self->remember;
}

1;
