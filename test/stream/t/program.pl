# recsys-stream as a program: arguments, its file, what it refuses, how it ends.
use strict;
use warnings;

use KafkaBroker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RecsysTest;
use StreamTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = stream_node('program');
my $broker = KafkaBroker->mock(2);
my $folder = PostgreSQL::Test::Utils::tempdir();
my $file = "$folder/stream.conf";

sub write_file
{
	my ($mode, @lines) = @_;

	unlink $file;
	open(my $handle, '>', $file) or die "$file: $!";
	print $handle map { "$_\n" } @lines;
	close $handle;
	chmod $mode, $file;
	return;
}

# Runs it with a file of these lines, once; its status and its words
sub with_file
{
	my ($mode, $lines, @arguments) = @_;

	write_file($mode, @$lines);
	return run_program($node, arguments => [ '--once', '--config', $file, @arguments ]);
}

# ---- arguments
my ($status, $log) = run_program($node, arguments => ['--help']);
is($status, 0, '--help ends well');
like($log, qr/--$_\b/, "--help tells of --$_") foreach qw(dbname stream config jobs once check verbose version help);
($status, $log) = run_program($node, arguments => ['--version']);
like($log, qr/^recsys-stream \d+\.\d+\.\d+ \(librdkafka /, '--version');
is((run_program($node, arguments => [@$_]))[0], 2, "arguments: @$_") foreach [ '--nonsense' ], [ '--jobs', '0' ], [ 'clicks' ];

# ---- nothing to do
($status, $log) = run_program($node, arguments => ['--once']);
is($status, 0, '--once without a stream ends');
like($log, qr/there is no stream that this role may run/, 'and says so');
is((run_program($node, arguments => [ '--once', '--stream', 'nothing' ]))[0], 1, '--stream of one that is not there is an error');

# ---- the file
my @refused = (
	[ 'a secret that others may read', 0644, qr/others may read it; chmod 600/, 'kafka.sasl.password = x', 'brokers = b:1', 'kafka.security.protocol = sasl_ssl' ],
	[ 'a key of pseudonyms that others may read', 0644, qr/others may read it/, 'pseudonym_key = 0123456789abcdef' ],
	[ 'a password of the database that others may read', 0644, qr/others may read it/, 'dbname = host=x password=y' ],
	[ 'a secret for no broker in particular', 0600, qr/no line brokers/, 'kafka.sasl.password = x', 'kafka.security.protocol = sasl_ssl' ],
	[ 'a secret that goes over any wire', 0600, qr/no line kafka\.security\.protocol/, 'kafka.sasl.password = x', 'brokers = b:1' ],
	[ 'a name that means nothing', 0600, qr/nothing is called "pseudonymkey" \(line 2\)/, '# keys', 'pseudonymkey = 0123456789abcdef' ],
	[ 'a line without =', 0600, qr/line 1 is not of the form/, 'brokers' ],
	[ 'what would break the guarantee', 0600, qr/"kafka\.enable\.auto\.commit" cannot be set: Offsets are kept/, 'kafka.enable.auto.commit = true' ],
	[ 'brokers by another name', 0600, qr/is written brokers in this file/, 'kafka.bootstrap.servers = b:1' ],
	[ 'a line that is too long', 0600, qr/line 1 is too long/, 'brokers = ' . 'b:1,' x 3000 ],
);
foreach my $case (@refused)
{
	my ($what, $mode, $words, @lines) = @$case;

	($status, $log) = with_file($mode, \@lines);
	is($status, 2, "refused: $what");
	like($log, $words, "told: $what");
}
is((run_program($node, arguments => [ '--once', '--config', "$folder/none" ]))[0], 2, 'a file that is not there');
is((with_file(0644, [ '# nothing', '', 'brokers = b:1', 'kafka.client.id = me' ]))[0], 0, 'without secrets others may read it');

# ---- which brokers
$broker->produce('clicks', count => 500);
create_stream($node, 'clicks', $broker, 'clicks');
my ($one, $two) = split /,/, $broker->brokers;
($status, $log) = with_file(0600, ["brokers = $one"]);
is($status, 1, 'a broker that the file does not name');
like($log, qr/the broker "\Q$two\E" is none of those that the program's file names/, 'is not asked');
like(sql($node, 'SELECT last_message FROM recsys.streams'), qr/is none of those/, 'and those who look are told');
is((run_program($node, arguments => [ '--check', '--config', $file ]))[0], 1, '--check finds that too');

# ---- --check changes nothing
($status, $log) = run_program($node, arguments => ['--check']);
is($status, 0, '--check') or diag($log);
like($log, qr/^clicks: running, \d+ partitions of topic clicks, written as shop$/m, 'says what it has found');
is(sql($node, 'SELECT count(*) FROM recsys.stream_partitions'), '0', 'and changes nothing');

# ---- whose rights
($status, $log) = run_program($node, arguments => [ '--once' ], connection => connection($node) =~ s/user=shop/user=postgres/r);
is($status, 1, 'a superuser does not lend its rights to others');
like($log, qr/has connected as a superuser, and will not work for "shop", who is none/, 'and says why');
sql($node, 'CREATE ROLE clerk LOGIN; CREATE ROLE runner LOGIN; GRANT shop TO runner');
($status, $log) = run_program($node, arguments => ['--once'], connection => connection($node) =~ s/user=shop/user=clerk/r);
like($log, qr/there is no stream that this role may run/, 'a stranger runs nothing');
is(sql($node, 'SELECT count(*) FROM views'), '0', 'nothing was written until now');

# ---- --once, by a role of its own
with_file(0600, ['dbname = ' . (connection($node) =~ s/user=shop/user=runner/r), 'brokers = ' . join(' , ', $two, $one)]);
($status, $log) = run_program($node, arguments => [ '--once', '--config', $file ]);
is($status, 0, 'a member of the owner runs it') or diag($log);
is(sql($node, 'SELECT count(*), count(DISTINCT event_id) FROM views'), '500|500', 'all was read');
shop($node, "SELECT recsys.pause_stream('clicks')");
is((run_program($node, arguments => ['--once']))[0], 3, '--once of a stream that is paused');
shop($node, "SELECT recsys.resume_stream('clicks')");

# ---- what a declaration may not do, if it got past create_stream()
foreach my $option ([ 'ssl.ca.location', '/etc/passwd' ], [ 'queued.max.messages.kbytes', 2000000 ], [ 'plugin.library.paths', 'x' ])
{
	my ($name, $value) = @$option;

	sql($node, "UPDATE recsys.stream SET definition = jsonb_set(definition, '{config}', '{\"$name\": \"$value\"}'), version = version + 1");
	($status, $log) = run_program($node, arguments => ['--once']);
	is($status, 1, "refused: $name of a declaration");
	like($log, qr/the declaration sets the option "\Q$name\E"/, "told: $name of a declaration");
}
sql($node, "UPDATE recsys.stream SET definition = jsonb_set(definition, '{config}', '" . StreamTest::stream_config() . "'), version = version + 1");

# ---- signals
my $program = start_program($node, arguments => [ '--config', $file ]);
ok(wait_until($node, 'SELECT consumers FROM recsys.streams', '2', 30), 'two processes consume');
my @before = $program->children;
$program->signal('HUP');
ok(wait_until($node, 'SELECT consumers FROM recsys.streams', '2', 30), 'after HUP, too');
my $deadline = time + 20;
sleep 0.2 while $program->log_text !~ /was read again/ && time < $deadline;
like($program->log_text, qr/the file was read again, and nothing in it has changed/, 'the file was read again');
is_deeply([ $program->children ], \@before, 'nothing has changed, and nobody begins anew');
write_file(0600, "kafka.client.id = changed");
$program->signal('HUP');
$deadline = time + 20;
sleep 0.2 while $program->log_text !~ /begin anew/ && time < $deadline;
like($program->log_text, qr/the processes begin anew/, 'with a file that has changed they do');
ok(wait_until($node, 'SELECT consumers FROM recsys.streams', '2', 30), 'and consume');
write_file(0600, 'nonsense');
$program->signal('HUP');
$deadline = time + 20;
sleep 0.2 while $program->log_text !~ /nonsense/ && $program->log_text !~ /not of the form/ && time < $deadline;
ok($program->running, 'a faulty file ends nothing');
$broker->produce('clicks', count => 500, first => 501);
ok(wait_for_rows($node, 1000, 'views', 30), 'it goes on');
$program->signal('TERM');
is($program->wait(20), 0, 'TERM ends it well');
is(sql($node, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'recsys-stream%'"), '0', 'and all of its sessions');
is(sql($node, 'SELECT count(*), count(DISTINCT event_id) FROM views'), '1000|1000', 'each event once');

# ---- a parent that is killed takes its children along
$program = start_program($node);
ok(wait_until($node, 'SELECT consumers FROM recsys.streams', '2', 30), 'two processes consume');
kill 'KILL', $program->pid;
ok(wait_until($node, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'recsys-stream%'", '0', 20),
	'children end when their parent was killed');
$program->kill9;

# ---- everybody may call NOTIFY: that must not keep anybody from work
$program = start_program($node);
ok(wait_until($node, 'SELECT consumers FROM recsys.streams', '2', 30), 'two processes consume');
my $producer = $broker->start_produce('clicks', count => 4000, first => 1001, rate => 1000);
foreach my $number (1 .. 40)
{
	$node->safe_psql('postgres', 'NOTIFY recsys_stream, \'clicks\'', extra_params => [ '-U', 'clerk' ]);
	sleep 0.05;
}
$broker->finish_produce($producer);
ok(wait_for_rows($node, 5000, 'views', 10), 'a flood of notifications does not keep it from work');
is($program->stop, 0, 'and it ends when it is asked to');

# ---- a batch that takes longer than the server lets it
shop($node, q(CREATE TABLE slow (event_id bigint, part integer, off bigint);
	CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END';
	CREATE TRIGGER dawdle BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION dawdle()));
$broker->produce('slow', count => 300);
create_stream($node, 'slow', $broker, 'slow', target => "'slow'", columns => q('{"event_id": "id", "part": "$partition", "off": "$offset"}'));
sql($node, q(ALTER ROLE shop SET statement_timeout = '600ms'));
($status, $log) = run_program($node, arguments => [ '--once', '--stream', 'slow' ], seconds => 120);
is($status, 0, 'a batch that takes too long is written in pieces') or diag(substr($log, -2000));
is(sql($node, 'SELECT count(*) || \' \' || count(DISTINCT (part, off)) FROM slow'), '300 300', 'each message once');
like($log, qr/statement timeout/, 'it did take too long');
sql($node, 'ALTER ROLE shop RESET statement_timeout');

done_testing();
