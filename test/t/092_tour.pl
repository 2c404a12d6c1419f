# The tour of the manual is true: a newcomer who types what stands in doc/tour.md
# sees what stands there.
#
# Its blocks are taken in order.  sql runs in a database that sh has made, in one
# session a block, and a block without a language right behind it is what psql prints: as
# it stands, but for blanks, rulers and numbers of rows, and "…" is any text in a line.  sh
# runs as it stands, but for make, whose targets have to be there; python is run
# where its modules are.

use strict;
use warnings;

use File::Basename;
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
my $page = "$root/doc/tour.md";

plan(skip_all => 'the manual is not beside the tests') unless -f $page;

# What is printed without what depends on psql's layout
sub essence
{
	my ($text) = @_;
	my @lines;

	for (split /\n/, $text)
	{
		next if /^\s*$/ || /^\s*[-+]+$/ || /^\(\d+ rows?\)$/;
		s/\s+/ /g;
		s/^ | $//g;
		push @lines, $_;
	}
	return @lines;
}

# The first of the expected lines that is not there, or undef
sub difference
{
	my ($got, $expected) = @_;
	my @got = essence($got);
	my @expected = essence($expected);

	for my $place (0 .. ($#got > $#expected ? $#got : $#expected))
	{
		my $line = $expected[$place] // return "too much: $got[$place]";
		my $pattern = join '.*', map { quotemeta } split /…/, $line, -1;

		return "got '" . ($got[$place] // '') . "' for '$line'" unless ($got[$place] // '') =~ /^$pattern$/;
	}
	return undef;
}

# What the page of make report would show of the tour; test/report draws one
sub report_reads
{
	my ($name) = @_;
	my ($out, $error);

	IPC::Run::run([ 'psql', '-X', '-q', '-d', 'tour', '-f', "$root/sql/dashboards/report/collect.sql" ], '>', \$out, '2>', \$error);
	unlike($error, qr/ERROR:/, "$name: the report reads the tour");
	my $read = eval { decode_json($out) };
	ok($read, "$name: and makes one document of it") or diag($@) or return;
	my ($front) = grep { $_->{name} eq 'front_page' } @{ $read->{experiments}{experiments} };
	is(join(' ', map { "$_->{metric} $_->{verdict}" } grep { !defined $_->{segment} } @{ $front->{results} }),
		'ctr better conversion better revenue no difference yet', "$name: with the verdicts of the experiment");
}

# [language, text, line, what is printed] of each block
my @blocks;
{
	my ($line, $open, $behind) = (0);

	for (split /\n/, slurp_file($page))
	{
		$line++;
		if (/^```(\w*)$/)
		{
			if (!$open) { $open = { language => $1, code => '', line => $line }; next }
			if ($open->{language} eq '' && $behind) { $behind->{printed} = $open->{code} }
			else { push @blocks, $open }
			$behind = $open->{language} eq 'sql' ? $open : undef;
			$open = undef;
		}
		elsif ($open) { $open->{code} .= "$_\n" }
		elsif (/\S/) { $behind = undef }
	}
	die 'a block is not closed' if $open;
}

my $node = PostgreSQL::Test::Cluster->new('tour');
init_node($node);
$node->append_conf('postgresql.conf', "autovacuum = off\n");
$node->start;

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGCLIENTENCODING} = 'UTF8';
# SQL that does not need a zone must not depend on it
local $ENV{PGTZ} = 'Asia/Kathmandu';
my $place = PostgreSQL::Test::Utils::tempdir();
my $makefile = slurp_file("$root/Makefile");
my $python = (grep { system("$_ -c 'import psycopg, IPython' 2>/dev/null") == 0 } 'python3', '/usr/bin/python3')[0];

for my $block (@blocks)
{
	my ($language, $code, $name) = ($block->{language}, $block->{code}, "line $block->{line}");

	if ($language eq 'sql')
	{
		my ($status, $out, $error) = (0);
		my $run = IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-P', 'pager=off', '-P', 'null=', 'tour' ],
			'<', \$code, '>', \$out, '2>', \$error);
		ok($run, "$name: runs") or diag($error);
		unlike($error, qr/WARNING/, "$name: no warnings");
		is(difference($out, $block->{printed}), undef, "$name: prints what the page says") or diag($out)
		  if defined $block->{printed};
	}
	elsif ($language eq 'sh')
	{
		for my $command (split /\n/, $code)
		{
			next if $command eq 'psql tour';
			if ($command =~ /\bmake (\w[\w-]*)/)
			{
				like($makefile, qr/^\Q$1\E:/m, "$name: make has a target $1");
				report_reads($name) if $1 eq 'report';
				next;
			}
			my ($out, $error);
			ok(IPC::Run::run([ 'sh', '-c', "cd \"\$1\" && $command", '-', $place ], '<', \'', '>', \$out, '2>', \$error), "$name: $command")
			  or diag($error);
			# a picture is one
			like(slurp_file("$place/$1"), qr{^<svg .*</svg>\s*$}s, "$name: $1 is a picture") if $command =~ / -o (\S+\.svg)/;
		}
	}
	elsif ($language eq 'python')
	{
	  SKIP:
		{
			skip('no Python with psycopg and IPython', 1) unless $python;
			my ($out, $error);
			ok(IPC::Run::run([ $python, '-c', $code ], '>', \$out, '2>', \$error), "$name: Python") or diag($error);
		}
	}
	else
	{
		is($language, '', "$name: a block of a known language");
	}
}
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_database WHERE datname = 'tour')), '0', 'the tour tidies up after itself');

done_testing();
