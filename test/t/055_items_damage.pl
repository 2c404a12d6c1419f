# A damaged index over items never brings the server down: whatever is asked of it answers
# or raises an error, and REINDEX repairs it.  On a full disk inserts fail and VACUUM runs;
# with room again, the next merge gives the graph of a new index.
#
# Checksums are off, so that damage reaches the code; see also 016_corruption.pl, of whose
# damages these are those that only an index over items can have.  RECSYS_FUZZ_SEED chooses
# the random ones, RECSYS_FUZZ_ROUNDS how many.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use RecsysPages;
use RecsysTest;

use constant FIELDS => 24 + 1968;		# of the meta page, behind those of all indexes

my $seed = $ENV{RECSYS_FUZZ_SEED} // 20260101;
my $rounds = $ENV{RECSYS_FUZZ_ROUNDS} // 1;
my $per_round = 24;
my $hinted = 0;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => ['--encoding=UTF8']);
$node->append_conf('postgresql.conf', q(
	autovacuum = off
	restart_after_crash = on
	statement_timeout = 5s
	shared_buffers = 16MB
	max_wal_size = 4GB
	jit = off
	dynamic_shared_memory_type = mmap));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recsys');

my $columns = '(id, category text_label_ops, tags, title, price, embedding)';

# Goods with long and short texts, from a number on
sub goods
{
	my ($first, $last) = @_;

	return qq(SELECT i, 'c' || i % 5, ARRAY['t' || i % 7, 't' || i % 11], 'a title of ' || repeat('word' || i % 13 || ' ', 1 + i % 9),
		1 + i % 40, ARRAY[i % 3, 1, i % 17, i]::real[] FROM generate_series($first, $last) i);
}

# What is tried on index number N
sub script
{
	my ($n) = @_;

	return qq(
		SELECT count(*) FROM generate_series(1, 60) i, LATERAL similar_items(i, 20, 'r$n');
		SELECT count(*) FROM recommend_for_items(ARRAY[1, 2, 30]::bigint[], 10, 'r$n');
		SELECT count(*) FROM item_similarity('r$n');
		SELECT count(*) FROM recsys.page_summary('r$n');
		SELECT recsys.index_info('r$n');
		SELECT recsys.check_index('r$n');
		INSERT INTO p$n @{[ goods(1, 1) ]};
		INSERT INTO p$n @{[ goods(500, 560) ]};
		UPDATE p$n SET price = price + 1 WHERE id % 3 = 1;
		SELECT count(*) FROM generate_series(1, 60) i, LATERAL similar_items(i, 20, 'r$n');
		SELECT recsys.merge('r$n', true);
		DELETE FROM p$n WHERE id % 3 = 1;
		VACUUM p$n;
		VACUUM p$n;
		SELECT recsys.merge('r$n', true);
		SELECT count(*) FROM generate_series(1, 60) i, LATERAL similar_items(i, 20, 'r$n');
		SELECT recsys.check_index('r$n'););
}

sub repair
{
	my ($n) = @_;
	return qq(
		\\set ON_ERROR_STOP 1
		\\warn REPAIR
		REINDEX INDEX r$n; SELECT recsys.check_index('r$n');
		SELECT count(*) FROM similar_items(2, 5, 'r$n'););
}

# Runs a script; returns its errors.
sub attempt
{
	my ($sql) = @_;
	my ($output, $errors) = ('', '');
	my $run = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') ],
		'<', \$sql, '>', \$output, '2>', \$errors, IPC::Run::timeout(60));
	my $status = eval { $run->finish; $run->result(0) };

	if (!defined $status)
	{
		$run->kill_kill;
		$errors .= "\nHANGS";
		# nothing but this can be done about a process that ignores interrupts
		system('kill', '-KILL', split /\n/, $node->safe_psql('postgres',
			q(SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid())));
	}
	return $errors;
}

sub wait_for_server
{
	my $deadline = time + 60;

	while (time < $deadline)
	{
		return if $node->psql('postgres', 'SELECT 1') == 0;
		select(undef, undef, undef, 0.1);
	}
	BAIL_OUT('the server does not come back');
}

# An index for each kind of damage, all damaged at once
sub batch
{
	my ($name, @damages) = @_;
	my (%path, @failed);

	wait_for_server();
	$node->safe_psql('postgres', join '', map { qq(
		DROP TABLE IF EXISTS p$_;
		CREATE TABLE p$_ (id bigint, category text, tags text[], title text, price integer, embedding real[]);
		INSERT INTO p$_ @{[ goods(1, 200) ]};
		CREATE INDEX r$_ ON p$_ USING recsys_items (id, category text_label_ops, tags, title, price int4_number_ops, embedding) WITH (neighbors = 10);
		DELETE FROM p$_ WHERE id > 150;
		VACUUM p$_;
		INSERT INTO p$_ @{[ goods(140, 180) ]};) } 0 .. $#damages);
	%path = split /[|\n]/, $node->safe_psql('postgres',
		"SELECT n, pg_relation_filepath(('r' || n)::regclass) FROM generate_series(0, $#damages) n");
	$node->stop;
	foreach my $n (0 .. $#damages)
	{
		change_file($node->data_dir . "/$path{$n}", $damages[$n]->[1]);
	}
	$node->start;
	foreach my $n (0 .. $#damages)
	{
		my ($tried, $repaired) = split /^REPAIR$/m, attempt(script($n) . repair($n));

		$hinted++ if $tried =~ /^HINT:  REINDEX INDEX public\.r$n;$/m;
		diag("$damages[$n]->[0]: $tried") if $damages[$n]->[0] eq 'none' && $tried ne '';
		next if defined $repaired && $repaired !~ /ERROR|HANGS|server closed|connection to server was lost/
			&& $tried !~ /statement timeout|out of memory|invalid memory alloc/ && ($damages[$n]->[0] ne 'none' || $tried !~ /ERROR/);
		push @failed, $damages[$n]->[0];
		diag("$damages[$n]->[0]:\n" . join("\n", grep { /HANGS|closed|lost|timeout|memory/ } split /\n/, $tried)
			. "\n" . ($repaired // ''));
		wait_for_server();
	}
	is("@failed", '', $name);
}

my $all = "\xFF\xFF\xFF\xFF";
my @known = (
	[ 'none', sub { } ],
	(map { my $at = $_; (
		[ "meta page: field at $at", on_pages(META, FIELDS + $at, $all) ],
		[ "meta page: field at $at is 0", on_pages(META, FIELDS + $at, "\0" x 4) ],
		[ "meta page: field at $at leads to a bucket", link_to(META, FIELDS + $at, BUCKET) ]) } 0, 4, 8, 12),
	[ 'meta page: number of terms', on_pages(META, FIELDS + 16, pack('L', 0x7FFFFFFF)) ],
	[ 'meta page: approximate', on_pages(META, FIELDS + 20, $all) ],
	[ 'meta page: number of contents', on_pages(META, FIELDS + 24, $all x 2) ],
	[ 'meta page: number of attributes', on_pages(META, FIELDS + 48, $all) ],
	[ 'meta page: no attributes', on_pages(META, FIELDS + 48, "\0" x 4) ],
	(map { my $at = $_; (
		[ "meta page: attributes at $at", on_pages(META, FIELDS + 52 + $at, $all) ],
		[ "meta page: attributes at $at are 0", on_pages(META, FIELDS + 52 + $at, "\0" x 4) ]) } map { 28 * $_, 28 * $_ + 4, 28 * $_ + 8 } 0 .. 4),
	(map { my $kind = $_; (
		[ "pages of kind $kind zeroed", on_pages($kind, 0, "\0" x PAGE) ],
		[ "pages of kind $kind: other kind", on_pages($kind, KIND, chr(GRAPH)) ],
		[ "pages of kind $kind: garbage in the special space", on_pages($kind, LOW, "\xA5" x 16) ],
		[ "pages of kind $kind: low end of the free space", on_pages($kind, 12, pack('S', 4)) ],
		[ "pages of kind $kind: no free space", on_pages($kind, 12, pack('SS', 8176, 8176)) ],
		[ "pages of kind $kind: contents are garbage", on_pages($kind, CONTENT, "\xA5" x 8000) ]) } CONTENTS, TERMS),
	[ 'content: loop', link_to(CONTENTS, NEXT, CONTENTS) ],
	[ 'content: next is a bucket', link_to(CONTENTS, NEXT, BUCKET) ],
	[ 'content: goes on nowhere', on_pages(CONTENTS, NEXT, pack('L', 100000)) ],
	[ 'content: ends at once', on_pages(CONTENTS, NEXT, $all) ],
	[ 'content: all are listed', on_pages(CONTENTS, LOW, pack('L', 1)) ],
	[ 'content: list of those with room is a loop', sub { on_pages(CONTENTS, LOW, pack('L', 1))->(@_); link_to(CONTENTS, HIGH, CONTENTS)->(@_); link_to(META, FIELDS + 8, CONTENTS)->(@_) } ],
	[ 'content: line pointers', on_pages(CONTENTS, CONTENT, $all x 4) ],
	[ 'content: item nowhere', on_tuples(CONTENTS, 0, $all) ],
	[ 'content: always the same item', on_tuples(CONTENTS, 0, "\0" x 4) ],
	[ 'content: floor', on_tuples(CONTENTS, 4, $all) ],
	[ 'content: high floor', on_tuples(CONTENTS, 4, pack('f', 1)) ],
	[ 'content: TID', on_tuples(CONTENTS, 8, "\xFF" x 6) ],
	[ 'content: always the same TID', on_tuples(CONTENTS, 8, "\0\0\0\0\x01\0") ],
	[ 'content: flags', on_tuples(CONTENTS, 14, "\xFF\xFF") ],
	[ 'content: nothing current', on_tuples(CONTENTS, 14, "\0\0") ],
	[ 'content: all current', on_tuples(CONTENTS, 14, "\x01\0") ],
	[ 'content: all dead', on_tuples(CONTENTS, 14, "\x03\0") ],
	(map { [ "content: packed at $_", on_tuples(CONTENTS, 16 + $_, $all) ] } 0, 4, 8, 12, 16, 20),
	[ 'content: packed is zero', on_tuples(CONTENTS, 16, "\0" x 20) ],
	[ 'terms: counts', on_pages(TERMS, CONTENT, $all x 100) ],
	[ 'terms: none', on_pages(TERMS, CONTENT, "\0" x 400) ],
	[ 'bucket: entries lead nowhere', on_tuples(BUCKET, 32, $all) ],
	[ 'bucket: entries lead to the meta page', on_tuples(BUCKET, 32, "\0" x 4) ],
	[ 'pending: blocks', on_pages(PENDING, CONTENT, $all) ],
	[ 'graph: floors', on_tuples(GRAPH, 16, pack('fL', 0.5, 0x7FFFFFFF)) ],
	[ 'graph: users', on_tuples(GRAPH, 4, pack('L', 7)) ],
	[ 'graph: flags', on_tuples(GRAPH, 14, "\x07\0") ]);

# Random damage, reproducible: some bytes, words, pages copied over others
sub random_damage
{
	my ($number) = @_;

	return [ "random damage $number", sub {
		my ($content) = @_;
		my $blocks = length($$content) / PAGE;
		my @contents = pages($content, CONTENTS);

		srand($number);
		foreach my $i (0 .. int rand 6)
		{
			my $block = rand() < 0.6 && @contents ? $contents[ rand @contents ] : int rand $blocks;
			my $where = rand;
			my $at = $block * PAGE + ($where < 0.3 ? int rand 64 : $where < 0.4 ? LOW + int rand 16 : int rand PAGE);
			my $what = rand;

			$at = $blocks * PAGE - 4 if $at > $blocks * PAGE - 4;
			substr($$content, $at, 1) = chr int rand 256 if $what < 0.4;
			substr($$content, $at & ~3, 4) = pack('L', rand() < 0.5 ? int rand $blocks * 2 : int rand 2**32) if $what >= 0.4 && $what < 0.6;
			substr($$content, $at, 1) = chr(ord(substr($$content, $at, 1)) ^ (1 << int rand 8)) if $what >= 0.6 && $what < 0.9;
			substr($$content, $block * PAGE, PAGE) = substr($$content, PAGE * int rand $blocks, PAGE) if $what >= 0.9;
		}
	} ];
}

batch('known damage', splice @known, 0, 60) while @known;
foreach my $round (1 .. $rounds)
{
	my $first = $seed + ($round - 1) * $per_round;

	batch("random damage $first to " . ($first + $per_round - 1), map { random_damage($_) } $first .. $first + $per_round - 1);
}
cmp_ok($hinted, '>', 30, 'the hint is the command that repairs the index');

# A full disk
SKIP:
{
	my $disk = $ENV{RECSYS_SMALL_DISK};

	skip 'there is no file system of limited size (only root can mount one)', 1 unless defined $disk && -d $disk;
	my $definition = 'goods USING recsys_items (id, category text_label_ops, price int4_number_ops, embedding) WITH (neighbors = 5)';
	my $free = sub { return (`df --block-size=1 --output=avail "$disk"` =~ /(\d+)\s*$/)[0] };

	mkdir "$disk/space" or die $!;
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk/space'");
	$node->safe_psql('postgres', 'CREATE TABLE goods (id bigint, category text, tags text[], title text, price integer, embedding real[])');
	$node->safe_psql('postgres', 'INSERT INTO goods ' . goods(1, 600));
	$node->safe_psql('postgres', "CREATE INDEX goods_recsys ON $definition TABLESPACE small");
	$node->safe_psql('postgres', 'CHECKPOINT');
	open(my $handle, '>>', "$disk/filler") or die $!;
	syswrite($handle, "\0" x 4096) or last while $free->() > 20000;
	close $handle;

	my ($status, undef, $stderr) = $node->psql('postgres', 'INSERT INTO goods ' . goods(1000, 4000));
	like($stderr, qr/No space left on device|wrote only/, 'an insert fails for lack of space');
	check_clean($node, 'goods_recsys', 'check_index after it');
	$node->safe_psql('postgres', 'DELETE FROM goods WHERE id % 4 = 1');
	($status, undef, $stderr) = $node->psql('postgres', 'VACUUM (INDEX_CLEANUP on) goods');
	is($status, 0, 'VACUUM runs on a full disk') or diag($stderr);
	like($stderr, qr/WARNING:  index "goods_recsys" was not merged for lack of disk space/, 'and says that it has not merged');
	check_clean($node, 'goods_recsys', 'check_index after VACUUM on a full disk');
	$node->psql('postgres', q(SELECT recsys.merge('goods_recsys', true)));
	check_clean($node, 'goods_recsys', 'check_index after a merge that may have failed');

	unlink "$disk/filler";
	$node->safe_psql('postgres', 'INSERT INTO goods ' . goods(500, 700));
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) goods');
	$node->safe_psql('postgres', q(SELECT recsys.merge('goods_recsys', true)));
	check_clean($node, 'goods_recsys', 'check_index with room again');
	$node->safe_psql('postgres', "CREATE INDEX goods_fresh ON $definition");
	same_answers($node->safe_psql('postgres', q(SELECT * FROM item_similarity('goods_recsys') ORDER BY item_id, rank)),
		$node->safe_psql('postgres', q(SELECT * FROM item_similarity('goods_fresh') ORDER BY item_id, rank)), 'with room again, the index equals a new one');
}

my @crashes = slurp_file($node->logfile) =~ /^.*(?:terminated by signal|TRAP:|PANIC:|AddressSanitizer|runtime error:).*$/mg;
is(scalar(@crashes), 0, 'no process crashed') or diag(join "\n", @crashes[ 0 .. ($#crashes > 9 ? 9 : $#crashes) ]);
$node->stop;
done_testing();
