# The queries for postgres_exporter answer what they declare, as a role that may only read; and the
# exporter, where it is installed, serves them.

use strict;
use warnings;

use CPAN::Meta::YAML;
use File::Basename;
use IO::Socket::INET;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use RecsysTest;

my $root = dirname(__FILE__) . '/../..';
my $file = "$root/sql/dashboards/prometheus/queries.yaml";

plan(skip_all => 'the queries are not beside the tests') unless -f $file;

my $node = new_node('prometheus');
create_logged_shop($node, "$root/test/manual/shop.sql");
create_watched_streams($node);
my $connection = $node->connstr('postgres') . ' user=reader';
my $queries = CPAN::Meta::YAML->read_string(slurp_file($file))->[0];
my $manual = -f "$root/doc/dashboards.md" ? slurp_file("$root/doc/dashboards.md") : '';
my %metrics;

for my $entry (sort keys %$queries)
{
	my $query = $queries->{$entry}{query};
	my ($status, $out, $error) = $node->psql('postgres', $query, connstr => $connection);

	is($status, 0, "$entry: it runs") or do { diag($error); next };
	my %type = map { split /\|/ } split /\n/, $node->safe_psql('postgres', "$query \\gdesc", connstr => $connection);
	my %declared = map { %$_ } @{ $queries->{$entry}{metrics} };
	is(join(' ', sort keys %declared), join(' ', sort keys %type), "$entry: all of its columns are declared, and no others");
	for my $column (sort keys %declared)
	{
		my ($usage, $about) = @{ $declared{$column} }{qw(usage description)};

		ok($about, "$entry: $column is described");
		if ($usage eq 'LABEL')
		{
			is($type{$column}, 'text', "$entry: label $column is a text");
			next;
		}
		like($type{$column}, qr/^(double precision|bigint|integer|numeric)/, "$entry: $column is a number");
		$metrics{"${entry}_$column"} = 1;
		like($manual, qr/`\Q${entry}_$column\E`/, "${entry}_$column stands in the manual");
	}
	my $labels = join(', ', grep { $declared{$_}{usage} eq 'LABEL' } sort keys %declared) || '1';
	is($node->safe_psql('postgres', "SELECT $labels FROM (" . ($query =~ s/;\s*$//r) . ") q GROUP BY $labels HAVING count(*) > 1", connstr => $connection) =~ s/^1$//r, '', "$entry: labels tell rows apart");
}
is(join(' ', grep { !$metrics{$_} && $_ !~ /_(seconds|bytes)$/ } $manual =~ /`(recsys_[a-z]+_\w+)`/g), '', 'the manual names no others');

# The exporter itself
my $exporter = (grep { -x $_ } map { ("$_/prometheus-postgres-exporter", "$_/postgres_exporter") } split(/:/, $ENV{PATH}))[0];
SKIP:
{
	skip 'no postgres_exporter', 3 unless $exporter;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	local $ENV{DATA_SOURCE_NAME} = 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres user=reader sslmode=disable';
	my $log = '';
	my $harness = IPC::Run::start([ $exporter, "--web.listen-address=127.0.0.1:$port", "--extend.query-path=$file", '--disable-default-metrics', '--disable-settings-metrics' ],
		'<', \'', '>', \$log, '2>', \$log);
	my $page = '';

	for (1 .. 100)
	{
		my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5);

		if ($socket)
		{
			print $socket "GET /metrics HTTP/1.0\r\n\r\n";
			local $/;
			$page = <$socket> // '';
			last if $page =~ /^recsys_/m;
		}
		sleep 0.1;
	}
	$harness->pump_nb;
	$harness->kill_kill;
	like($page, qr/^recsys_index_pending\{[^}]*index="purchases_recsys"[^}]*\} 1$/m, 'the exporter serves pending changes') or diag($log);
	like($page, qr/^pg_exporter_last_scrape_error\{?.*\}? 0$/m, 'without an error') or diag($log);
	my @absent = grep { $page !~ /^\Q$_\E[ {]/m && $_ !~ /^recsys_(schedule|advice|experiment)_/ } sort keys %metrics;
	is("@absent", '', 'and all other metrics') or diag($log);
}

$node->stop;
done_testing();
