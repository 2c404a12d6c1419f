# The process that runs the stream program beside the server: it starts what recsys.stream_command
# says, and starts it again when it ends; a reload is handed on; a standby has none before its
# promotion; and however the server ends, the program ends with it.  The program here is a script that
# writes down what becomes of it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

# what PostgreSQL::Test polls with has to be silent
$ENV{PGOPTIONS} = '-c client_min_messages=error';

my $directory = PostgreSQL::Test::Utils::tempdir();
my $script = "$directory/program.pl";
my $journal = "$directory/journal";
my $launchers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'recsys stream launcher'";

# Writes one line a time; a child of its own lives as long as nobody ends it.
append_to_file($script, <<'SCRIPT');
use strict;
use warnings;

my ($journal, $name, $how) = @ARGV;

sub note
{
	open my $file, '>>', $journal or die;
	syswrite $file, "$name $_[0]\n";
}

my $child = 0;

$SIG{TERM} = $how eq 'stubborn' ? 'IGNORE' : sub { note('term'); kill 'TERM', $child if $how eq 'family'; exit 0 };
$SIG{HUP} = sub { note('hup') };
if ($how eq 'family' || $how eq 'careless')
{
	$child = fork();
	if ($child == 0)
	{
		$SIG{TERM} = 'DEFAULT';
		sleep 1 while 1;
	}
	note("child $child");
}

# Nothing of the server's is open: its files are in its data directory, which is the working directory
sub open_files
{
	return grep { (readlink("/proc/self/fd/$_") // '') =~ m{^(socket|pipe|anon_inode)|/pgdata/} } 3 .. 255;
}

sub blocked_signals
{
	open my $status, '<', '/proc/self/status' or return;
	return map { /^SigBlk:\s*0*([0-9a-f]+)/ ? $1 : () } <$status>;
}

if ($how eq 'environment')
{
	print STDERR "program $name says something\n";
	note("host $ENV{PGHOST} port $ENV{PGPORT}");
	note("path $ENV{PATH}");
	note('stdin ' . (defined(<STDIN>) ? 'open' : 'empty'));
	note('files ' . scalar(open_files()));
	note('blocked ' . join(' ', blocked_signals()));
}
note("start $$");
exit $1 if $how =~ /^exit(\d+)$/;
sleep 1 while 1;
SCRIPT

sub command
{
	my ($name, $how) = @_;

	return "$^X $script $journal $name " . ($how // 'plain');
}

# The journal's lines of a name that match.
sub noted
{
	my ($name, $pattern) = @_;

	return () unless -e $journal;
	return grep { defined } map { /^\Q$name\E ($pattern)$/ ? $2 // $1 : undef } split /\n/, slurp_file($journal);
}

# Waits until the journal has so many of them, and returns them.
sub await_noted
{
	my ($name, $pattern, $count) = @_;
	my $end = time + 60;
	my @found;

	while ((@found = noted($name, $pattern)) < $count && time < $end)
	{
		sleep 0.05;
	}
	return @found;
}

sub is_alive
{
	my ($pid) = @_;

	return 0 if !kill(0, $pid);
	# one that nobody has waited for is dead all the same
	return 1 if !-e "/proc/$pid/stat";
	return slurp_file("/proc/$pid/stat") !~ /\) Z /;
}

sub dies
{
	my ($pid, $name) = @_;
	my $end = time + 60;

	while (is_alive($pid) && time < $end)
	{
		sleep 0.05;
	}
	ok(!is_alive($pid), $name);
}

sub set_command
{
	my ($node, $command) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET recsys.stream_command = '$command'");
	$node->reload;
}

my $node = new_node('launcher',
	"shared_preload_libraries = 'recsys'",
	"recsys.stream_command = '" . command('first', 'environment') . "'",
	'restart_after_crash = on');
my $offset;

#
# From the server's start on, with what it is to know of the server, and nothing else of it
#
my ($first) = await_noted('first', 'start (\d+)', 1);
ok($first && is_alive($first), 'the program runs');
is($node->safe_psql('postgres', $launchers), '1', 'beside its launcher');
is_deeply([ noted('first', 'host .*') ], [ 'host ' . $node->host . ' port ' . $node->port ], 'it is told where the server is');
like((noted('first', 'path .*'))[0], qr/:\Q@{[ $node->config_data('--bindir') ]}\E$/, "the server's programs are found last");
is((noted('first', 'stdin .*'))[0], 'stdin empty', 'it has nothing to read');
SKIP:
{
	skip 'no /proc', 2 unless -e '/proc/self/status';
	is((noted('first', 'files .*'))[0], 'files 0', "none of the server's files are open");
	is((noted('first', 'blocked .*'))[0], 'blocked 0', 'no signal is blocked');
}
like(slurp_file($node->logfile), qr/program first says something/, "what it says is in the server's log");
my ($status, $stdout, $stderr) = $node->psql('postgres', "SET recsys.stream_command = 'x'");
like($stderr, qr/cannot be changed now/, 'no session changes the command');
$node->safe_psql('postgres', 'CREATE ROLE nobody');
($status, $stdout, $stderr) = $node->psql('postgres', "SET ROLE nobody; SHOW recsys.stream_command");
isnt($status, 0, 'and not everybody reads it');

#
# It ends
#
$offset = -s $node->logfile;
kill 'KILL', $first;
my (undef, $second) = await_noted('first', 'start (\d+)', 2);
ok($second && is_alive($second), 'killed, it is started again');
like(slurp_file($node->logfile, $offset), qr/WARNING:  the recsys stream program has ended: child process was terminated by signal 9/,
	'which the log says');
like(slurp_file($node->logfile, $offset), qr/DETAIL:  It is started again in 1 s\. The command is: .* first environment/, 'with the command');

#
# A reload
#
$node->reload;
is(scalar(await_noted('first', 'hup', 1)), 1, 'a reload is handed on');
set_command($node, command('careless', 'careless'));
my ($careless) = await_noted('careless', 'start (\d+)', 1);
my ($child) = noted('careless', 'child (\d+)');
ok($careless && is_alive($careless) && is_alive($child), 'another command is run');
is(scalar(noted('first', 'term')), 1, 'the first one has been told to end');
ok(!is_alive($second), 'before');
$node->poll_query_until('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'recsys merge launcher'");
sleep 0.5;
set_command($node, '');
dies($careless, 'without a command there is no program');
dies($child, 'nor what it has started');
ok($node->poll_query_until('postgres', $launchers, '0'), 'nor its launcher');

#
# One that does not work is tried less and less often
#
$offset = -s $node->logfile;
set_command($node, command('broken', 'exit3'));
is(scalar(await_noted('broken', 'start (\d+)', 3)), 3, 'a program that ends at once is tried again');
ok($node->poll_query_until('postgres', $launchers, '1'), 'by one launcher');
like(slurp_file($node->logfile, $offset),
	qr/exited with exit code 3\n.*started again in 1 s.*exited with exit code 3\n.*started again in 2 s/s, 'after growing pauses');
set_command($node, '/nowhere/recsys-stream');
my $end = time + 60;
sleep 0.05 while slurp_file($node->logfile, $offset) !~ /command not found/ && time < $end;
like(slurp_file($node->logfile, $offset), qr/the recsys stream program has ended: command not found\n.*in 1 s/, 'one that is not there, likewise');
set_command($node, command('good'));
my ($good) = await_noted('good', 'start (\d+)', 1);
ok($good && is_alive($good), 'one that works is started at once');

#
# The launcher itself ends, or crashes, which restarts the server
#
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'recsys stream launcher'");
dies($good, 'with its launcher the program ends');
(undef, $good) = await_noted('good', 'start (\d+)', 2);
ok($good && is_alive($good), 'and both come back');
SKIP:
{
	skip 'a crash ends the program on Linux', 4 unless $^O eq 'linux';
	my $launcher = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'recsys stream launcher'");

	kill 'KILL', $launcher;
	dies($good, 'the program ends when its launcher has crashed');
	my @started = await_noted('good', 'start (\d+)', 3);
	is(scalar(@started), 3, 'it comes back');
	ok(is_alive($started[2]), 'and stays');
	ok($node->poll_query_until('postgres', $launchers, '1'), 'one of it');
}

#
# The server ends
#
set_command($node, command('stubborn', 'stubborn'));
my ($stubborn) = await_noted('stubborn', 'start (\d+)', 1);
$offset = -s $node->logfile;
$node->stop('fast');
ok(!is_alive($stubborn), 'the server ends, and with it a program that does not want to');
like(slurp_file($node->logfile, $offset), qr/did not end within 10 s and is killed/, 'which the log says');

$node->append_conf('postgresql.auto.conf', "recsys.stream_command = '" . command('last', 'family') . "'");
$node->start;
my ($last) = await_noted('last', 'start (\d+)', 1);
my $begin = time;
$node->stop('fast');
ok(!is_alive($last), 'one that does has ended before the server');
cmp_ok(time - $begin, '<', 9, 'which does not take long');

$node->start;
(undef, $last) = await_noted('last', 'start (\d+)', 2);
(undef, $child) = noted('last', 'child (\d+)');
kill_server($node);
dies($last, 'killed, the server leaves no program');
dies($child, 'nor what that has started');

#
# A standby
#
$node->start;
(undef, undef, $last) = await_noted('last', 'start (\d+)', 3);
ok($last && is_alive($last), 'it is there again after a crash');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.auto.conf', "recsys.stream_command = '" . command('standby') . "'");
$standby->start;
$node->wait_for_catchup($standby);
$node->stop('fast');
sleep 1;
is(scalar(noted('standby', 'start (\d+)')), 0, 'a standby has no program');
is($standby->safe_psql('postgres', $launchers), '0', 'and no launcher');
$standby->promote;
is(scalar(await_noted('standby', 'start (\d+)', 1)), 1, 'it has both when it is promoted');
$standby->stop('immediate');
dies((noted('standby', 'start (\d+)'))[0], 'an immediate shutdown ends it, too');

#
# Not preloaded
#
my $plain = new_node('plain', "recsys.stream_command = '" . command('plain') . "'");
$plain->safe_psql('postgres', "LOAD 'recsys'");
sleep 1;
is(scalar(noted('plain', 'start (\d+)')), 0, 'without shared_preload_libraries nothing is run');
$plain->stop;

# no slot for it
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
$offset = -s $node->logfile;
$node->start;
$end = time + 60;
sleep 0.05 while slurp_file($node->logfile, $offset) !~ /no background worker slot left to run/ && time < $end;
like(slurp_file($node->logfile, $offset), qr/no background worker slot left to run recsys\.stream_command\n.*HINT:.*max_worker_processes/,
	'the log says when there is no room for it');
$node->stop;

done_testing();
