# pg_upgrade --link takes the index's files over as they are: the new server
# gives the same answers, passes the checks, and goes on inserting.
#
# From every other major version that is installed with the server's development
# files (test/run.sh builds recsys for each) to this one, or the other way round,
# whichever is newer; and from this version to itself, which moves the files
# through the same steps.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my ($here) = grep { -x "$_/pg_upgrade" } split /:/, $ENV{PATH};
plan(skip_all => 'pg_upgrade is not installed') unless defined $here;

my $columns = 'purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine)';
my $work = PostgreSQL::Test::Utils::tempdir();

sub major
{
	my ($bin) = @_;
	my ($major) = `"$bin/postgres" --version` =~ /\(PostgreSQL\) (\d+)/;
	return $major;
}

sub run_or_die
{
	my (@command) = @_;
	my $output = '';

	IPC::Run::run([@command], '<', \undef, '>', \$output, '2>', \$output)
	  or die "@command: $output";
	return $output;
}

# A cluster of any version, without the framework, whose nodes share one version
sub cluster
{
	my ($bin, $name) = @_;
	my $data = "$work/$name";

	run_or_die("$bin/initdb", '-D', $data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '-k');
	append_to_file("$data/postgresql.conf", join("\n", "listen_addresses = ''",
			"unix_socket_directories = '$work'", "port = 54321", 'fsync = off', 'autovacuum = off', 'jit = off',
			'dynamic_shared_memory_type = mmap', ''));
	return { bin => $bin, data => $data };
}

sub start { my ($c) = @_; run_or_die("$c->{bin}/pg_ctl", '-D', $c->{data}, '-w', '-l', "$c->{data}.log", 'start') }
sub stop { my ($c) = @_; run_or_die("$c->{bin}/pg_ctl", '-D', $c->{data}, '-w', '-m', 'fast', 'stop') }

# What RecsysTest's functions ask of a node
sub safe_psql
{
	my ($c, $database, $sql) = @_;
	my $output = run_or_die("$c->{bin}/psql", '-XqAt', '-v', 'ON_ERROR_STOP=1', '-h', $work, '-p', 54321, '-U', 'postgres', '-c', $sql, $database);
	chomp $output;
	return $output;
}

sub psql
{
	my ($c, $database, $sql) = @_;
	my $output = eval { safe_psql($c, $database, $sql) };
	return defined $output ? (0, $output, '') : (3, '', $@);
}

sub upgrade
{
	my ($from, $to) = @_;
	my $name = major($from) . ' to ' . major($to);
	my $old = bless cluster($from, "old$name"), __PACKAGE__;
	my $new = bless cluster($to, "new$name"), __PACKAGE__;

	start($old);
	$old->safe_psql('postgres', 'CREATE EXTENSION recsys');
	create_purchases($old, 4000);
	$old->safe_psql('postgres', "CREATE INDEX purchases_recsys ON $columns");
	insert_purchases($old, 1000);
	$old->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 9 = 1');
	$old->safe_psql('postgres', 'VACUUM purchases');
	my $expected = answers($old, 'purchases_recsys');
	my $file = $old->safe_psql('postgres', q(SELECT pg_relation_filepath('purchases_recsys')));
	stop($old);
	my $inode = (stat "$old->{data}/$file")[1];

	chdir $work;
	my $output = eval { run_or_die("$to/pg_upgrade", '--link', '-U', 'postgres', '-b', $from, '-B', $to,
			'-d', $old->{data}, '-D', $new->{data}, '-s', $work) };
	ok(defined $output, "$name: pg_upgrade --link") or return diag($@);

	start($new);
	my $taken = $new->safe_psql('postgres', q(SELECT pg_relation_filepath('purchases_recsys')));
	is((stat "$new->{data}/$taken")[1], $inode, "$name: the index's file is the old one");
	same_answers(answers($new, 'purchases_recsys'), $expected, "$name: same answers");
	check_clean($new, 'purchases_recsys', "$name: check_index");
	insert_purchases($new, 500);
	$new->safe_psql('postgres', 'DELETE FROM purchases WHERE user_id % 9 = 2');
	$new->safe_psql('postgres', 'VACUUM purchases');
	check_clean($new, 'purchases_recsys', "$name: check_index after further changes");
	scans_agree($new, $name);
	equals_new_index($new, 'purchases_recsys', $columns, $name);
	stop($new);
}

upgrade($here, $here);

my @others = split ' ', $ENV{RECSYS_OTHER_SERVERS} // '';
SKIP:
{
	skip 'only PostgreSQL ' . major($here) . ' is installed: no upgrade between two major versions', 1 unless @others;
	foreach my $other (@others)
	{
		upgrade(major($other) < major($here) ? ($other, $here) : ($here, $other));
	}
}
done_testing();
