# What KafkaBroker and KafkaConnect have in common: a program of Java in a folder of its own.
#
# An object has the keys folder and owner, the process that has made it; pid is there while the program runs.
# It ends with the process that started it, however that ends.
package JavaProcess;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(sleep time);

my @all;

# Called by new(), so that nothing is left behind.
sub remember { my ($self) = @_; push @all, $self; return $self }

sub pid { return $_[0]->{pid} }
sub folder { return $_[0]->{folder} }
sub log_file { return $_[0]->{folder} . '/log' }

# java JARS, OPTIONS, CLASS, ARGUMENT …: in the background, with its output in the log; options are for a small
# heap and a quick start unless they are said.  Returns its process id.
sub java
{
	my ($self, $jars, $options, @arguments) = @_;
	my $pid = fork() // die "fork: $!";

	return $pid if $pid;
	chdir $self->{folder};
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', $self->log_file;
	open STDERR, '>&', \*STDOUT;
	POSIX::setpgid(0, 0);
	{ exec 'setpriv', '--pdeathsig', 'KILL', $ENV{RECSYS_JAVA} || 'java',
	  @{ $options // [ '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1' ] },
	  # nothing in /tmp
	  '-XX:-UsePerfData', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true',
	  '-cp', "$jars/*", @arguments }
	POSIX::_exit(127);
}

# Waits until it is up, which the function says.
sub await_start
{
	my ($self, $seconds, $is_up) = @_;
	my $deadline = time + $seconds;

	until ($is_up->())
	{
		die ref($self) . ' has not started: ' . $self->log_tail
		  if waitpid($self->{pid}, POSIX::WNOHANG()) != 0 || time > $deadline;
		sleep 0.05;
	}
	return;
}

# The end as a signal has it, waited for.
sub _end
{
	my ($self, $signal, $seconds) = @_;
	my $pid = delete $self->{pid} // return;
	my $deadline = time + $seconds;

	kill $signal, $pid;
	while (waitpid($pid, POSIX::WNOHANG()) == 0)
	{
		kill 'KILL', $pid if time > $deadline;
		sleep 0.02;
	}
	return;
}

sub stop { return $_[0]->_end('TERM', 30) }
sub kill9 { return $_[0]->_end('KILL', 0) }

sub log_tail
{
	my ($self) = @_;

	open my $file, '<', $self->log_file or return '';
	my @lines = <$file>;
	return join '', @lines > 20 ? @lines[ -20 .. -1 ] : @lines;
}

END
{
	my $status = $?;

	foreach my $process (@all)
	{
		$process->kill9 if $process->{pid} && $process->{owner} == $$;
	}
	$? = $status;
}

1;
