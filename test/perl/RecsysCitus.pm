# Nodes of Citus for the TAP tests: a coordinator and two workers on loopback, started by the test.
package RecsysCitus;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

our @EXPORT = qw(skip_without_citus new_citus citus_node add_to_citus on_all says in_nodes wait_moved
  create_plain median_ms);

# Ends the test where the server at hand has no Citus.
sub skip_without_citus
{
	my ($directory) = `pg_config --pkglibdir`;

	chomp $directory;
	plan(skip_all => 'Citus is not installed for the PostgreSQL at hand')
	  unless -e "$directory/citus.so" || -e "$directory/citus.dylib";
}

# A running server with both extensions, on a port of 127.0.0.1 beside its socket
sub citus_node
{
	my ($name, @configuration) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	init_node($node, allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n",
		"shared_preload_libraries = 'citus,recsys'",
		"listen_addresses = '127.0.0.1'",
		"citus.node_conninfo = 'sslmode=disable'",
		'citus.enable_statistics_collection = off',
		'citus.shard_count = 8',
		'max_connections = 200',
		'max_prepared_transactions = 200',
		'max_worker_processes = 32',
		'shared_buffers = 64MB',
		'log_statement = none',
		'dynamic_shared_memory_type = mmap',
		@configuration) . "\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION citus');
	return $node;
}

sub add_to_citus
{
	my ($coordinator, $worker) = @_;

	$coordinator->safe_psql('postgres', "SELECT citus_add_node('127.0.0.1', " . $worker->port . ')');
}

# (coordinator, worker, worker), with recsys in database postgres
sub new_citus
{
	my @configuration = @_;
	my ($coordinator, @workers) = map { citus_node($_, @configuration) } qw(coordinator worker_1 worker_2);

	$coordinator->safe_psql('postgres', "SELECT citus_set_coordinator_host('127.0.0.1', " . $coordinator->port . ')');
	add_to_citus($coordinator, $_) for @workers;
	$coordinator->safe_psql('postgres', 'CREATE EXTENSION recsys');
	return ($coordinator, @workers);
}

# The same rows in a table of a database that Citus knows nothing of: alone, on the node
sub create_plain
{
	my ($node, $columns, $rows, $index) = @_;

	$node->safe_psql('template1', 'CREATE DATABASE alone');
	$node->safe_psql('alone', "CREATE EXTENSION recsys; CREATE TABLE purchases ($columns)");
	PostgreSQL::Test::Utils::run_log([ 'bash', '-c',
		qq(psql -X -q -d "$rows->{from}" -c "COPY (SELECT * FROM purchases) TO STDOUT" | psql -X -q -d "$rows->{to}" -c "COPY purchases FROM STDIN") ])
	  or die 'the rows cannot be copied';
	$node->safe_psql('alone', $index);
}

# What a statement says on standard error; '' if it succeeds.
sub says
{
	my ($node, $sql, %options) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', $sql, %options);

	return $stderr;
}

# The answer of a query on each of the nodes
sub on_all
{
	my ($sql, @nodes) = @_;

	return map { scalar $_->safe_psql('postgres', $sql) } @nodes;
}

# Where the shard of a user is: the port of its node
sub in_nodes
{
	my ($coordinator, $table, $user) = @_;

	return $coordinator->safe_psql('postgres', qq(
		SELECT n.nodeport FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid)
		WHERE p.shardid = get_shard_id_for_distribution_column('$table', $user) AND n.noderole = 'primary'));
}

# Moves the shards of the colocation group of a user's to the other worker.
sub wait_moved
{
	my ($coordinator, $table, $user, $from, $to, $mode) = @_;

	return $coordinator->psql('postgres', qq(
		SELECT citus_move_shard_placement(get_shard_id_for_distribution_column('$table', $user),
			'127.0.0.1', ${\ $from->port}, '127.0.0.1', ${\ $to->port}, shard_transfer_mode => '$mode')));
}

# The median of what a statement takes, of some runs in one session
sub median_ms
{
	my ($node, $runs, $statement) = @_;
	my (undef, $output) = $node->psql('postgres', "\\timing on\n" . join('', map { $statement->($_) . ";\n" } 1 .. $runs));
	my @times = sort { $a <=> $b } $output =~ /^Time: ([\d.]+) ms/mg;

	return $times[ $#times / 2 ];
}

1;
