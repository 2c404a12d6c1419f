# A partitioned table answers as a plain one with the same rows, whatever has been done to both: random
# operations on both tables, then everything that their indexes say is compared.
#
# RECSYS_PARTS_SEED and RECSYS_PARTS_ROUNDS choose other operations and more of them.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysParts;
use RecsysTest;

my $seed = $ENV{RECSYS_PARTS_SEED} // 20260101;
my $rounds = $ENV{RECSYS_PARTS_ROUNDS} // 3;
my $node = new_node('primary', 'shared_buffers = 64MB', 'timezone = UTC');
my $id = 0;
my $made = 0;

# Values of a row, the same for both tables
sub key
{
	my ($type, $n) = @_;

	return sprintf "'%08x-0000-4000-8000-%012x'", ($n * 2654435761) % 2**32, $n if $type eq 'uuid';
	return $type eq 'text' ? "'" . ($n % 3 ? 'Key' : 'key') . "$n'" : $n;
}

sub random_rows
{
	my ($layout, $n, $month, $region, $quantity) = @_;

	return join ', ', map {
		my $user = 1 + int 60 * rand() * rand();
		my $item = 1 + int 40 ** rand;

		$id++;
		$item = 1 + ($user % 10 + 10 * int rand 4) if rand() < 0.5;
		sprintf "(%d, %s, %s, %s, '2024-%02d-%02d %02d:00+00', '%s')", $id,
			rand() < 0.02 ? 'NULL' : key($layout->{user}, $user), rand() < 0.02 ? 'NULL' : key($layout->{item}, $item),
			$quantity // (rand() < 0.05 && $layout->{method} !~ /quantity/ ? 'NULL' : 1 + int rand 3), $month // 1 + int rand 8, 1 + int rand 28, int rand 24,
			$region // ('eu', 'us', 'ca', 'jp')[ int rand 4 ];
	} 1 .. $n;
}

# Rows that the leaf of the layout takes
sub rows_of_leaf
{
	my ($layout, $n) = @_;

	return random_rows($layout, $n, $layout->{method} =~ /at/ ? 2 : undef, $layout->{method} =~ /region/ ? 'us' : undef,
		$layout->{method} =~ /quantity/ ? 2 : undef) unless $layout->{method} =~ /HASH/;
	return undef;
}

# Operations: each returns SQL of its own, run in one session.  Those that move a whole leaf have
# DELETE as their counterpart.
my %operations = (
	insert => sub { my ($l) = @_; both('INSERT INTO p VALUES ' . random_rows($l, 1 + int rand 80)) },
	insert_more => sub { my ($l) = @_; both('INSERT INTO p VALUES ' . random_rows($l, 400)) },
	delete => sub { my $n = int rand 7; both("DELETE FROM p WHERE id % 7 = $n AND id % 3 = 0") },
	update_item => sub { my ($l) = @_; my $n = int rand 11; both("UPDATE p SET item = " . key($l->{item}, 1 + int rand 50) . " WHERE id % 11 = $n") },
	# rows move to other leaves
	move => sub { my $n = int rand 9; both("UPDATE p SET at = at + interval '1 month', quantity = 1 + coalesce(quantity, 0) % 4,
		region = CASE region WHEN 'eu' THEN 'us' WHEN 'us' THEN 'jp' ELSE 'eu' END, user_id = " . (rand() < 0.5 ? 'user_id' : "(SELECT user_id FROM q WHERE user_id IS NOT NULL ORDER BY id LIMIT 1)") . " WHERE id % 9 = $n") },
	touch => sub { both('UPDATE p SET region = region WHERE id % 5 = 0') },
	rolled_back => sub { my ($l) = @_; 'BEGIN; ' . both('INSERT INTO p VALUES ' . random_rows($l, 50)) . both('DELETE FROM p WHERE id % 4 = 0') . 'ROLLBACK;' },
	savepoints => sub { my ($l) = @_; my $leaf = $l->{leaf};
		'BEGIN; ' . both('INSERT INTO p VALUES ' . random_rows($l, 20)) . "SAVEPOINT a; TRUNCATE $leaf;" . both('INSERT INTO p VALUES ' . random_rows($l, 20))
			. 'ROLLBACK TO a; ' . both('INSERT INTO p VALUES ' . random_rows($l, 20)) . 'COMMIT;' },
	prepared => sub { my ($l) = @_; 'BEGIN; ' . both('INSERT INTO p VALUES ' . random_rows($l, 40)) . both('DELETE FROM p WHERE id % 8 = 1') . "PREPARE TRANSACTION 'held'; SELECT recsys.merge('p_recsys'); "
			. (rand() < 0.7 ? 'COMMIT' : 'ROLLBACK') . " PREPARED 'held';" },
	truncate => sub { my ($l) = @_; "BEGIN; DELETE FROM q WHERE $l->{what}; TRUNCATE $l->{leaf}; COMMIT;" },
	truncate_and_fill => sub { my ($l) = @_; "BEGIN; DELETE FROM q WHERE $l->{what}; TRUNCATE $l->{leaf}; " . both('INSERT INTO p VALUES ' . random_rows($l, 60)) . 'COMMIT;' },
	truncate_twice => sub { my ($l) = @_; "BEGIN; DELETE FROM q WHERE $l->{what}; TRUNCATE $l->{leaf}; " . both('INSERT INTO p VALUES ' . random_rows($l, 30))
			. "DELETE FROM q WHERE $l->{what}; TRUNCATE $l->{leaf}; " . both('INSERT INTO p VALUES ' . random_rows($l, 30)) . 'COMMIT;' },
	truncate_rolled_back => sub { my ($l) = @_; "BEGIN; TRUNCATE $l->{leaf}; INSERT INTO p VALUES " . random_rows($l, 30) . '; ROLLBACK;' },
	detach_attach => sub { my ($l) = @_; "ALTER TABLE p DETACH PARTITION $l->{leaf}; ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds};" },
	# rows come and go, and are vacuumed away, while nobody looks
	detach_change_attach => sub { my ($l) = @_;
		my $rows = rows_of_leaf($l, 60);
		"ALTER TABLE p DETACH PARTITION $l->{leaf}; DELETE FROM $l->{leaf} WHERE id % 2 = 0; DELETE FROM q WHERE $l->{what} AND id % 2 = 0; VACUUM (INDEX_CLEANUP on) $l->{leaf}; "
			. (defined $rows ? "INSERT INTO $l->{leaf} (id, user_id, item, quantity, at, region) VALUES $rows; INSERT INTO q VALUES $rows; " : '')
			. "ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds};" },
	detach_rolled_back => sub { my ($l) = @_; "BEGIN; ALTER TABLE p DETACH PARTITION $l->{leaf}; ROLLBACK;" },
	detach_merge_attach => sub { my ($l) = @_; "ALTER TABLE p DETACH PARTITION $l->{leaf}; SELECT recsys.merge('p_recsys'); ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds};" },
	detach_concurrently => sub { my ($l) = @_; (grep { /DEFAULT/ } @{ $l->{create} }) ? '' :
		"ALTER TABLE p DETACH PARTITION $l->{leaf} CONCURRENTLY; ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds};" },
	drop_and_attach => sub { my ($l) = @_;
		$made++;
		my $rows = rows_of_leaf($l, 80);
		"BEGIN; DELETE FROM q WHERE $l->{what}; DROP TABLE $l->{leaf}; CREATE TABLE $l->{leaf} (LIKE q); "
			. (defined $rows ? "INSERT INTO $l->{leaf} VALUES $rows; INSERT INTO q VALUES $rows; " : '')
			. "ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds}; COMMIT;" },
	# an index that is there already is attached as it is
	attach_with_index => sub { my ($l) = @_;
		my $rows = rows_of_leaf($l, 80);
		$made++;
		"DELETE FROM q WHERE $l->{what}; DROP TABLE $l->{leaf}; CREATE TABLE $l->{leaf} (LIKE q); "
			. (defined $rows ? "INSERT INTO $l->{leaf} VALUES $rows; INSERT INTO q VALUES $rows; " : '')
			. "CREATE INDEX own_$made ON $l->{leaf} USING recsys $l->{index} WITH (min_support = 1) " . ($l->{where} // '') . "; ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds};" },
	# what has been detached in between changes, and its identity is that of one transaction
	attach_twice => sub { my ($l) = @_;
		my $rows = rows_of_leaf($l, 40);
		my $change = defined $rows ? "INSERT INTO $l->{leaf} (id, user_id, item, quantity, at, region) VALUES $rows; INSERT INTO q VALUES $rows; " : '';
		my $attach = "ALTER TABLE p ATTACH PARTITION $l->{leaf} $l->{bounds}; ";
		"BEGIN; ALTER TABLE p DETACH PARTITION $l->{leaf}; $attach ALTER TABLE p DETACH PARTITION $l->{leaf}; DELETE FROM $l->{leaf} WHERE id % 3 = 0; DELETE FROM q WHERE $l->{what} AND id % 3 = 0; "
			. $change . (rand() < 0.5 ? "SAVEPOINT a; $attach ROLLBACK TO a; " : '') . (rand() < 0.3 ? "TRUNCATE $l->{leaf}; DELETE FROM q WHERE $l->{what}; " : '') . $attach . 'COMMIT;' },
	# files that are copied under another name
	move_file => sub { my ($l) = @_; "ALTER TABLE $l->{leaf} SET TABLESPACE @{[ tablespace() ]};" },
	move_files => sub { my ($l) = @_; my $space = tablespace();
		"ALTER TABLE $l->{leaf} SET TABLESPACE $space; SELECT format('ALTER INDEX %s SET TABLESPACE $space', indexrelid::regclass) FROM pg_index WHERE indrelid = '$l->{leaf}'::regclass \\gexec\n" },
	move_and_write => sub { my ($l) = @_;
		"BEGIN; ALTER TABLE $l->{leaf} SET TABLESPACE @{[ tablespace() ]}; " . both('INSERT INTO p VALUES ' . random_rows($l, 60)) . both('UPDATE p SET region = region WHERE id % 6 = 0') . (rand() < 0.5 ? 'ROLLBACK;' : "COMMIT; SELECT recsys.merge('p_recsys', true);") },
	truncate_often => sub { my ($l) = @_;
		join '', map { "BEGIN; DELETE FROM q WHERE $l->{what}; TRUNCATE $l->{leaf}; " . both('INSERT INTO p VALUES ' . random_rows($l, 20)) . "COMMIT; SELECT recsys.merge('p_recsys', true);" } 1 .. 4 },
	vacuum => sub { both('VACUUM (INDEX_CLEANUP on) p') },
	vacuum_leaf => sub { my ($l) = @_; "VACUUM (INDEX_CLEANUP on) $l->{leaf};" },
	vacuum_full => sub { my ($l) = @_; "VACUUM FULL $l->{leaf};" },
	alter_type => sub { both('ALTER TABLE p ALTER COLUMN id TYPE integer USING id + 0') },
	merge => sub { "SELECT recsys.merge('p_recsys'); SELECT recsys.merge('q_recsys');" },
	merge_one => sub { "SELECT recsys.merge('p_recsys', true);" },
	reindex_leaf => sub { my ($l) = @_; "REINDEX TABLE $l->{leaf};" },
	reindex => sub { "REINDEX INDEX p_recsys; REINDEX INDEX q_recsys;" },
	reindex_leaf_concurrently => sub { my ($l) = @_; "REINDEX TABLE CONCURRENTLY $l->{leaf};" });

my @names = sort keys %operations;

$node->safe_psql('postgres', "SET allow_in_place_tablespaces = on; CREATE TABLESPACE space_$_ LOCATION ''") foreach 1, 2;

sub tablespace { return ('pg_default', 'space_1', 'space_2')[ int rand 3 ] }

foreach my $name (sort keys %LAYOUTS)
{
	next if defined $ENV{RECSYS_PARTS_LAYOUT} && $ENV{RECSYS_PARTS_LAYOUT} ne $name;
	foreach my $round (1 .. $rounds)
	{
		my $layout = create_layout($node, $name);
		my @done;

		srand($seed + $round);
		on_both($node, 'INSERT INTO p VALUES ' . random_rows($layout, 600));
		# the index comes before or after the rows
		$node->safe_psql('postgres', "CREATE INDEX ${_}_recsys ON $_ USING recsys $layout->{index} WITH (min_support = 1) " . ($layout->{where} // '')) foreach 'p', 'q';
		on_both($node, 'INSERT INTO p VALUES ' . random_rows($layout, 200)) if $round % 2;
		foreach my $step (1 .. 3)
		{
			foreach my $i (1 .. 5)
			{
				my $operation = $names[ int rand @names ];
				my $sql = $operations{$operation}->($layout);
				my ($status, $output, $errors) = $node->psql('postgres', $sql);

				push @done, $operation;
				if ($status != 0 || $errors =~ /ERROR/)
				{
					fail("$name, round $round: $operation");
					diag("after @done:\n" . substr($errors, 0, 2000));
				}
			}
			parts_are_fresh($node, $layout, "$name, round $round, step $step") or diag("after @done");
			same_as_plain($node, $layout, "$name, round $round, step $step") or diag("after @done");
			parts_scan($node, $layout, "$name, round $round, step $step") or diag("after @done");
		}
	}
}

$node->stop;
done_testing();
