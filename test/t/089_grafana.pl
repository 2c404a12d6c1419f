# The Grafana dashboards ask what the views answer: every query of their JSON runs, as a role that
# may only read, and returns what its panel shows.
#
# Macros and variables are filled in as Grafana does it: $__timeFilter(time) is a BETWEEN of two
# literals, ${name:sqlstring} the chosen values as literals with commas between them.

use strict;
use warnings;

use File::Basename;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
my @files = sort glob("$root/sql/dashboards/grafana/*.json");

plan(skip_all => 'the dashboards are not beside the tests') unless @files;

my $node = new_node('grafana');
create_logged_shop($node, "$root/test/manual/shop.sql");
create_watched_streams($node);
my $connection = $node->connstr('postgres') . ' user=reader';

# The answer of a query as JSON documents, and its columns with their types
sub ask
{
	my ($query) = @_;
	my ($status, $out, $error) = $node->psql('postgres', $query, connstr => $connection);

	return (undef, $error) if $status != 0;
	my $columns = $node->safe_psql('postgres', "$query \\gdesc", connstr => $connection);
	my %type = map { split /\|/ } split /\n/, $columns;
	return ({ order => [ map { (split /\|/)[0] } split /\n/, $columns ], type => \%type, rows => [ split /\n/, $out ] }, '');
}

sub quoted { return join(',', map { "'" . s/'/''/gr . "'" } @_) }

# What a query is before it goes to the database
sub expand
{
	my ($query, $values) = @_;

	$query =~ s/\$__timeFilter\(([\w.]+)\)/$1 BETWEEN '@{[ $values->{from} ]}' AND '@{[ $values->{to} ]}'/g;
	$query =~ s{\$\{(\w+):sqlstring\}}{quoted(@{ $values->{$1} // die "no variable $1" })}ge;
	die "not expanded: $query" if $query =~ /\$/;
	return $query;
}

# Names of columns that a panel's settings speak of
sub named_columns
{
	my ($panel) = @_;
	my @names = map { $_->{matcher}{options} } @{ $panel->{fieldConfig}{overrides} };

	push @names, $panel->{options}{xField} if $panel->{options}{xField};
	push @names, map { $_->{displayName} } @{ $panel->{options}{sortBy} || [] };
	push @names, ($panel->{options}{reduceOptions}{fields} =~ m{^/\^(\w+)\$/$}) if $panel->{options}{reduceOptions};
	return @names;
}

my $numbers = qr/^(double precision|real|bigint|integer|smallint|numeric)/;

# Grafana makes lines of a time, numbers, and texts that name the lines
sub is_time_series
{
	my ($answer) = @_;
	my @other = grep { $_ ne 'time' && $_ ne 'metric' } @{ $answer->{order} };

	return ($answer->{type}{time} // '') eq 'timestamp with time zone' && @other > 0 &&
	  !(grep { $answer->{type}{$_} !~ $numbers } @other) && ($answer->{type}{metric} // 'text') eq 'text';
}

# Empty in this shop: nothing is merged now, nothing is wrong, and no job is scheduled
my %may_be_empty = map { $_ => 1 } ('Merges that are running', 'Alerts', 'Experiment alerts', 'Shown in vain', 'Scheduled jobs', 'What should be done');
my %uids;

for my $file (@files)
{
	my $name = basename($file);
	my $board = JSON::PP->new->utf8->decode(slurp_file($file));
	my %values = (from => $node->safe_psql('postgres', q(SELECT (now() - interval '30 days')::text)), to => $node->safe_psql('postgres', 'SELECT now()::text'));
	my %places;

	ok(!$uids{ $board->{uid} }++ && $board->{title} && $board->{schemaVersion}, "$name: it has an id of its own, a title and a version");
	for my $variable (@{ $board->{templating}{list} })
	{
		next if $variable->{type} eq 'datasource';
		my ($answer, $error) = ask(expand($variable->{query}, \%values));
		ok($answer && @{ $answer->{order} } == 1 && @{ $answer->{rows} } > 0, "$name: variable $variable->{name} has values") or diag($error);
		$values{ $variable->{name} } = $variable->{multi} ? $answer->{rows} : [ $answer->{rows}[0] ];
	}
	for my $panel (@{ $board->{panels} })
	{
		my $g = $panel->{gridPos};

		ok(!$places{"id $panel->{id}"}++ && $g->{x} + $g->{w} <= 24, "$name: $panel->{title}: an id and a place");
		for my $x ($g->{x} .. $g->{x} + $g->{w} - 1)
		{
			for my $y ($g->{y} .. $g->{y} + $g->{h} - 1)
			{
				die "$panel->{title} covers another panel" if $places{"$x $y"}++;
			}
		}
		next if $panel->{type} eq 'row';
		ok($panel->{description}, "$name: $panel->{title} is described");
		for my $target (@{ $panel->{targets} })
		{
			my $query = expand($target->{rawSql}, \%values);
			my ($answer, $error) = ask($query);

			ok($answer, "$name: $panel->{title} runs") or do { diag("$query: $error"); next };
			ok(is_time_series($answer), "$name: $panel->{title} is a time series") if $target->{format} eq 'time_series';
			my @missing = grep { !exists $answer->{type}{$_} } named_columns($panel);
			is("@missing", '', "$name: $panel->{title} has the columns that are shown");
			ok(@{ $answer->{rows} } > 0, "$name: $panel->{title} shows something") unless $may_be_empty{ $panel->{title} };
			# nothing that there is, or nothing at all is chosen: no rows, and no error
			for my $chosen ([ q(o'clock "\\") ], [''], [])
			{
				($answer, $error) = ask(expand($target->{rawSql}, { from => '2001-01-01', to => '2001-01-02', map { $_ => $chosen } qw(recommender experiment metric) }));
				ok($answer, "$name: $panel->{title} runs where there is nothing") or diag($error);
			}
		}
	}
}

$node->stop;
done_testing();
