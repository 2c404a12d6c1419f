# The manual tells what works: every SQL block of README.md and doc/ runs as it
# stands, and links lead somewhere.
#
# The blocks of a file are run in order, in one session and a database of its own.
# The files of doc/ begin with the shop of test/manual/shop.sql.  README.md brings
# its own tables.  A block is checked by its language: sql is run, conf goes into
# postgresql.conf, sh names make targets that exist.  Blocks without a language
# are synopses.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
my @files = ("$root/README.md", sort glob("$root/doc/*.md"));
my %text;
my %anchors;

plan(skip_all => 'the manual is not beside the tests') unless -f $files[0];

# The anchor that a heading gets: lower case, blanks to hyphens, other signs gone
sub anchor
{
	my ($heading) = @_;
	$heading = lc $heading;
	$heading =~ s/[^\w\- ]//g;
	$heading =~ s/ /-/g;
	return $heading;
}

# [language, text, line] of each fenced block; fences may be indented in lists
sub blocks
{
	my ($text) = @_;
	my @blocks;
	my $line = 0;
	my $open;

	for (split /\n/, $text)
	{
		$line++;
		if (/^\s*```(\w*)\s*$/)
		{
			if (defined $open) { push @blocks, $open; undef $open }
			else { $open = [$1, '', $line] }
		}
		elsif (defined $open) { $open->[1] .= "$_\n" }
	}
	die 'a block is not closed' if defined $open;
	return @blocks;
}

for my $file (@files)
{
	$text{$file} = slurp_file($file);
	my $prose = $text{$file};
	$prose =~ s/^\s*```.*?^\s*```//gms;
	$anchors{$file} = { map { anchor($_) => 1 } $prose =~ /^#+ +(.*?) *$/mg };
}

my $node = PostgreSQL::Test::Cluster->new('manual');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
for my $file (@files)
{
	$node->append_conf('postgresql.conf', $_->[1]) for grep { $_->[0] eq 'conf' } blocks($text{$file});
}
$node->start;
pass('the server starts with the lines that the manual tells to set');

for my $file (@files)
{
	my $name = basename($file, '.md');
	my ($number, $sql) = (0, '');

	# it begins with an empty database, and says what is printed: 092_tour
	next if $name eq 'tour';
	$node->safe_psql('postgres', qq(CREATE DATABASE "$name"));
	if ($name ne 'README')
	{
		$node->safe_psql($name, 'CREATE EXTENSION recsys');
		$node->safe_psql($name, slurp_file("$root/test/manual/shop.sql"));
	}
	for my $block (blocks($text{$file}))
	{
		my ($language, $code, $line) = @$block;

		if ($language eq 'sql')
		{
			$sql .= "\\echo block in line $line\n$code;\n";
			$number++;
		}
		elsif ($language eq 'sh')
		{
			my @targets = $code =~ /^(?:\w+=\S* )*make (\w[\w-]*)/mg;
			my $makefile = slurp_file("$root/Makefile");
			ok((@targets && !grep { $makefile !~ /^\Q$_\E:/m } @targets), "$name, line $line: make targets exist");
		}
		else
		{
			# those of other languages are run by test/drivers
			ok($language =~ /^(conf|python|java|javascript|go)?$/, "$name, line $line: a block of a known language");
		}
	}
	my ($status, $out, $error) = $node->psql($name, $sql, on_error_stop => 1, timeout => 300);
	my ($last) = $out =~ /.*(block in line \d+)/s;
	is($status, 0, "$name: $number blocks of SQL run") or diag(($last // '') . ": $error");
	unlike($error, qr/WARNING/, "$name: no warnings");
}

for my $file (@files)
{
	my $prose = $text{$file};
	my @dead;

	$prose =~ s/^\s*```.*?^\s*```//gms;
	$prose =~ s/`[^`]*`//g;
	for my $link ($prose =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ /^https?:/;
		my ($path, $anchor) = split /#/, $link, 2;
		my $target = $path eq '' ? $file : dirname($file) . "/$path";

		$target = "$root/" . substr($target, length("$root/doc/../")) if $target =~ m{^\Q$root\E/doc/\.\./};
		push @dead, $link unless -e $target;
		push @dead, $link if defined $anchor && $anchor ne '' && $anchors{$target} && !$anchors{$target}{$anchor};
	}
	is("@dead", '', basename($file) . ': links lead somewhere');
	cmp_ok(scalar(split /\n/, $text{$file}), '<=', 250, 'README.md is a door, not a manual') if $file =~ /README/;
}

done_testing();
