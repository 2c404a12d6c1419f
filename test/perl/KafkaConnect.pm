# A worker of Kafka Connect beside a broker of KafkaBroker.pm: one process, which keeps how far its sources
# have come in a file, and how far its sinks have in Kafka.
#
#     my $connect = KafkaConnect->new($broker, 'offset.flush.interval.ms' => 600000);
#     $connect->start({ name => 'clicks', config => { … } }, …);
#     $connect->state('clicks');          RUNNING, or FAILED and why, or '' before it is known
#     $connect->kill9; $connect->start;   with the same connectors
#
# KafkaConnect::why_not() tells why there can be none here, or returns undef.  RECSYS_CONNECT is the folder
# of the worker's jars.
package KafkaConnect;

use strict;
use warnings;

use HTTP::Tiny;
use JavaProcess;
use JSON::PP;
use KafkaBroker;
use Time::HiRes qw(sleep time);

our @ISA = ('JavaProcess');

my $workers = 0;

sub why_not
{
	return KafkaBroker::why_not() // ($ENV{RECSYS_CONNECT} ? undef : ($ENV{RECSYS_CONNECT_WHY} || 'RECSYS_CONNECT names no folder of jars'));
}

# Properties go to the worker's file.
sub new
{
	my ($class, $broker, %properties) = @_;
	my $self = bless { broker => $broker, folder => $broker->folder . '/connect' . $workers++, port => KafkaBroker::free_port(), owner => $$ }, $class;
	my %settings = (
		'bootstrap.servers' => $broker->brokers,
		'listeners' => "http://127.0.0.1:$self->{port}",
		'key.converter' => 'org.apache.kafka.connect.storage.StringConverter',
		'value.converter' => 'org.apache.kafka.connect.json.JsonConverter',
		'offset.storage.file.filename' => "$self->{folder}/offsets",
		'plugin.discovery' => 'service_load',
		# one that was killed is missed soon
		'consumer.session.timeout.ms' => 3000,
		'consumer.heartbeat.interval.ms' => 500,
		'consumer.auto.offset.reset' => 'earliest',
		%properties);

	mkdir $self->{folder} or die "$self->{folder}: $!";
	_write("$self->{folder}/worker.properties", join '', map { "$_=$settings{$_}\n" } sort keys %settings);
	return $self->remember;
}

sub _write
{
	my ($name, $text) = @_;

	open my $file, '>', $name or die "$name: $!";
	print $file $text;
	close $file or die "$name: $!";
	return $name;
}

# Has a source written down how far it is?
sub has_offsets { return -s $_[0]{folder} . '/offsets' }

sub start
{
	my ($self, @connectors) = @_;

	$self->{files} = [ map { _write("$self->{folder}/$_->{name}.json", JSON::PP->new->utf8->canonical->encode($_)) } @connectors ] if @connectors;
	$self->{pid} = $self->java($ENV{RECSYS_CONNECT}, undef, 'org.apache.kafka.connect.cli.ConnectStandalone',
		'worker.properties', @{ $self->{files} });
	$self->await_start(120, sub { defined $self->ask('connectors') });
	return $self;
}

# What the worker's REST interface says; undef while it says nothing
sub ask
{
	my ($self, $path) = @_;
	my $answer = HTTP::Tiny->new(timeout => 10)->get("http://127.0.0.1:$self->{port}/$path");

	return $answer->{success} ? decode_json($answer->{content}) : undef;
}

sub state
{
	my ($self, $connector) = @_;
	my $status = $self->ask("connectors/$connector/status") // return '';
	my ($task) = @{ $status->{tasks} };

	return !$task ? '' : $task->{state} eq 'FAILED' ? "FAILED $task->{trace}" : $task->{state};
}

# Waits for a state that matches; returns the last one.
sub wait_for
{
	my ($self, $connector, $state, $seconds) = @_;
	my $deadline = time + ($seconds // 60);
	my $is = '';

	while (($is = $self->state($connector)) !~ $state && time < $deadline)
	{
		sleep 0.2;
	}
	return $is;
}

1;
