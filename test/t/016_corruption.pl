# A damaged index file never brings the server down: whatever is asked of the
# index answers or raises an error, within a second, and REINDEX repairs it.
#
# Checksums are off, so that damage reaches the code.  Many small indexes are
# built, the server stopped, each index's file damaged in another way, and then
# every function, scan, insert and vacuum is tried on each.  After the known
# kinds of damage come random ones; RECSYS_FUZZ_SEED and RECSYS_FUZZ_ROUNDS
# choose which and how many, RECSYS_FUZZ_ONLY=number tries a single one.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Time::HiRes qw(time);

use RecsysGraphRow;
use RecsysPages;

my $seed = $ENV{RECSYS_FUZZ_SEED} // 20260101;
my $hinted = 0;			# damages of which an error has said how to repair the index
my $rounds = $ENV{RECSYS_FUZZ_ROUNDS} // 1;
my $per_round = 60;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => ['--encoding=UTF8']);
$node->append_conf('postgresql.conf', q(
	autovacuum = off
	restart_after_crash = on
	statement_timeout = 5s
	shared_buffers = 16MB
	max_wal_size = 4GB
	enable_seqscan = off
	jit = off
	dynamic_shared_memory_type = mmap));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recsys');
my $has_merge = $node->safe_psql('postgres', q(SELECT to_regproc('recsys.merge') IS NOT NULL)) eq 't';

# What is tried on index number N.  A user with a chain, users without, text keys.
sub script
{
	my ($n) = @_;
	my $merge = $has_merge ? "SELECT recsys.merge('r$n', true);" : '';

	return qq(
		SELECT count(*) FROM generate_series(1, 40) u, LATERAL recommend(u, 20, 'r$n', NULL::text);
		SELECT count(*) FROM recommend_all('r$n', 20, NULL::text, NULL::text);
		SELECT count(*) FROM recommend_for_items(ARRAY['i1', 'i2', 'i30'], 1000, 'r$n');
		SELECT count(*) FROM generate_series(1, 60) i, LATERAL similar_items('i' || i, 500, 'r$n');
		SELECT count(*) FROM popular_items(NULL, 'r$n', NULL::text);
		SELECT count(*) FROM popular_items(10, 'r$n', NULL::text, since => '2020-01-01');
		SELECT count(*) FROM item_similarity('r$n', NULL::text);
		SELECT count(*) FROM generate_series(1, 40) u, LATERAL explain_recommendation(u, 'i1', 'r$n');
		SELECT count(factor) FROM recsys.item_factors('r$n', NULL::text);
		SELECT count(typical_gap) FROM recsys.item_rhythm('r$n');
		SELECT count(*) FROM recsys.page_summary('r$n');
		SELECT recsys.index_info('r$n');
		SELECT recsys.check_index('r$n');
		SELECT count(*) FROM generate_series(1, 40) u, LATERAL (SELECT * FROM p$n WHERE user_id = u OFFSET 0) p;
		SELECT count(*) FROM generate_series(1, 60) i, LATERAL (SELECT * FROM p$n WHERE item = 'i' || i OFFSET 0) p;
		INSERT INTO p$n VALUES (1, 'i1', 1, now());
		INSERT INTO p$n SELECT u, 'i2', 1, now() FROM generate_series(2, 200) u;
		INSERT INTO p$n SELECT 3, 'new' || i, 1, now() FROM generate_series(1, 300) i;
		$merge
		DELETE FROM p$n WHERE user_id % 3 = 1;
		VACUUM p$n;
		VACUUM p$n;
		$merge
		SELECT count(*) FROM generate_series(1, 40) u, LATERAL recommend(u, 20, 'r$n', NULL::text);
		SELECT recsys.check_index('r$n'););
}

sub repair
{
	my ($n) = @_;
	return qq(
		\\set ON_ERROR_STOP 1
		\\warn REPAIR
		REINDEX INDEX r$n; SELECT recsys.check_index('r$n');
		SELECT count(*) FROM recommend(2, 5, 'r$n', NULL::text););
}

# Runs a script; returns its errors and whether the server lived through it.
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

# A table, plain or in partitions, whose index has the rows of all of them in a file of its own
sub create_table
{
	my ($n, $parts) = @_;
	my $columns = '(user_id integer, item text, quantity integer, at timestamptz)';

	return "DROP TABLE IF EXISTS p$n; CREATE TABLE p$n $columns;" if !$parts;
	return "DROP TABLE IF EXISTS p$n; CREATE TABLE p$n $columns PARTITION BY HASH (item);"
		. join '', map { "CREATE TABLE p${n}_$_ PARTITION OF p$n FOR VALUES WITH (MODULUS 3, REMAINDER $_);" } 0 .. 2;
}

# A batch: an index for each kind of damage, all damaged at once.  A damage is a name,
# what does it, the options of the index unless it is an ordinary one, and whether its table has partitions.
sub batch
{
	my ($name, @damages) = @_;
	my (%path, @failed);

	wait_for_server();
	$node->safe_psql('postgres', join '', map { qq(
		@{[ create_table($_, $damages[$_]->[3]) ]}
		INSERT INTO p$_ SELECT 1 + i % 40, 'i' || (1 + (i * 7 + i / 40) % 60), 1 + i % 3,
			'2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 600) i;
		INSERT INTO p$_ SELECT 2, 'i' || (1 + i % 60), 1, '2026-01-01' FROM generate_series(1, 900) i;
		CREATE INDEX r$_ ON p$_ USING recsys (user_id, item, quantity, at) @{[ $damages[$_]->[2] // '' ]};
		INSERT INTO p$_ SELECT 1 + i % 30, 'i' || (1 + i % 50), 1, now() FROM generate_series(1, 700) i;) } 0 .. $#damages);
	%path = split /[|\n]/, $node->safe_psql('postgres',
		"SELECT n, pg_relation_filepath(coalesce((SELECT oid FROM pg_class WHERE relname = 'recsys_' || ('r' || n)::regclass::oid || '_index'), ('r' || n)::regclass))
		FROM generate_series(0, $#damages) n");
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
		next if defined $repaired && $repaired !~ /ERROR|HANGS|server closed|connection to server was lost/
			&& $tried !~ /statement timeout|out of memory|invalid memory alloc/;
		push @failed, $damages[$n]->[0];
		diag("$damages[$n]->[0]:\n" . join("\n", grep { /HANGS|closed|lost|timeout|memory/ } split /\n/, $tried)
			. "\n" . ($repaired // ''));
		wait_for_server();
	}
	is("@failed", '', $name);
}

# Damage: the same bytes at a place of every graph row that has it (RecsysGraphRow), so many bytes further
sub on_rows
{
	my ($place, $further, $bytes) = @_;
	return sub {
		my ($content) = @_;
		foreach my $row (map { graph_row($content, $_) } tuples($content, GRAPH))
		{
			next if !defined $row->{$place} || $row->{$place} + $further + length $bytes > $row->{end};
			substr($$content, $row->{$place} + $further, length $bytes) = $bytes;
		}
	};
}

# Every float of the pages of a kind
sub on_floats
{
	my ($kind, $value) = @_;
	return sub {
		my ($content) = @_;
		foreach my $block (pages($content, $kind))
		{
			my $lower = lower_end($content, $block);
			substr($$content, $block * PAGE + CONTENT, $lower - CONTENT) = pack('f', $value) x (($lower - CONTENT) / 4);
		}
	};
}

my $all = "\xFF\xFF\xFF\xFF";
my @known = (
	[ 'none', sub { } ],
	[ 'meta page: magic', on_pages(META, CONTENT, "\0\0\0\0") ],
	[ 'meta page: version', on_pages(META, CONTENT + 4, pack('L', 99)) ],
	[ 'meta page: key kinds', on_pages(META, CONTENT + 16, "\x03\x01") ],
	[ 'meta page: unknown key kinds', on_pages(META, CONTENT + 16, "\x77\x77") ],
	[ 'meta page: weighted and timed', on_pages(META, CONTENT + 18, "\0\0") ],
	[ 'meta page: no bool', on_pages(META, CONTENT + 18, "\x05\x09") ],
	(map { my $at = $_; [ "meta page: words at $at", on_pages(META, CONTENT + $at, $all x 4) ] }
		20, 36, 52, 68, 84, 100, 116, 120, 124, 128, 132, 136, 148, 164, 180),
	(map { [ "pages of kind $_ zeroed", on_pages($_, 0, "\0" x PAGE) ] } META .. POPULAR),
	(map { [ "pages of kind $_: other kind", on_pages($_, KIND, chr(1 + $_ % 8)) ] } META .. POPULAR),
	(map { [ "pages of kind $_: garbage in the special space", on_pages($_, LOW, "\xA5" x 16) ] } META .. POPULAR),
	(map { [ "pages of kind $_: side", on_pages($_, SIDE, "\x07") ] } DIRECTORY .. CHAIN),
	(map { [ "pages of kind $_: special space at the end", on_pages($_, 16, pack('S', PAGE)) ] } META .. POPULAR),
	(map { [ "pages of kind $_: low end of the free space", on_pages($_, 12, pack('S', 4)) ] } META .. POPULAR),
	(map { [ "pages of kind $_: no free space", on_pages($_, 12, pack('SS', 8176, 8176)) ] } DIRECTORY .. POPULAR),
	(map { [ "pages of kind $_: page size", on_pages($_, 18, pack('S', 0x1004)) ] } META .. POPULAR),
	(map { [ "pages of kind $_: contents are garbage", on_pages($_, CONTENT, "\xA5" x 8000) ] } META .. POPULAR),
	[ 'directory: no slots', on_pages(DIRECTORY, CONTENT + 2, "\0\0") ],
	[ 'directory: too many slots', on_pages(DIRECTORY, CONTENT + 2, "\xFF\x7F") ],
	[ 'directory: level', on_pages(DIRECTORY, CONTENT, "\x05\x00") ],
	[ 'directory: its own child', sub { link_to(DIRECTORY, CONTENT + 8, DIRECTORY)->(@_); on_pages(DIRECTORY, CONTENT, "\x05\0")->(@_) } ],
	[ 'directory: child nowhere', on_pages(DIRECTORY, CONTENT + 8, $all) ],
	[ 'directory: child beyond the end', on_pages(DIRECTORY, CONTENT + 8, pack('L', 100000)) ],
	[ 'directory: meta page as child', on_pages(DIRECTORY, CONTENT + 8, pack('L', 0)) ],
	[ 'bucket: line pointers', on_pages(BUCKET, CONTENT, $all x 4) ],
	[ 'bucket: line pointers to the header', on_pages(BUCKET, CONTENT, pack('L', 0x00418010) x 4) ],
	[ 'bucket: hashes', on_tuples(BUCKET, 0, "\x01\0\0\0") ],
	[ 'bucket: item numbers', on_tuples(BUCKET, 4, $all) ],
	[ 'bucket: item numbers beyond the end', on_tuples(BUCKET, 4, pack('L', 0x7FFFFFFF)) ],
	[ 'bucket: counts', on_tuples(BUCKET, 8, $all) ],
	[ 'bucket: counts are 0', on_tuples(BUCKET, 8, "\0\0\0\0") ],
	[ 'bucket: chain nowhere', on_tuples(BUCKET, 12, pack('L', 100000)) ],
	[ 'bucket: chain is the meta page', on_tuples(BUCKET, 12, "\0\0\0\0") ],
	[ 'bucket: chain is the bucket', sub {
		my ($content) = @_;
		substr($$content, $_ + 12, 4) = pack('L', int($_ / PAGE)) foreach tuples($content, BUCKET);
	} ],
	[ 'bucket: one chain for all', sub {
		my ($content) = @_;
		my ($chain) = pages($content, CHAIN);
		substr($$content, $_ + 12, 4) = pack('L', $chain) foreach tuples($content, BUCKET);
	} ],
	[ 'bucket: tail', on_tuples(BUCKET, 16, "\xFF\xFF") ],
	[ 'bucket: tail and room', on_tuples(BUCKET, 16, "\xFF\x0F\xFF\x0F") ],
	[ 'bucket: room', on_tuples(BUCKET, 18, "\xFF\xFF") ],
	[ 'bucket: key length', on_tuples(BUCKET, 20, "\xFF\xFF") ],
	[ 'bucket: key length 2', on_tuples(BUCKET, 20, "\x02\x00") ],
	[ 'bucket: entries', on_tuples(BUCKET, 32, $all x 3) ],
	[ 'bucket: entries are zero', on_tuples(BUCKET, 32, "\0" x 12) ],
	[ 'chain: loop', link_to(CHAIN, NEXT, CHAIN) ],
	[ 'chain: long loop', sub {
		my ($content) = @_;
		my @chain = pages($content, CHAIN);
		foreach my $i (0 .. $#chain)
		{
			substr($$content, $chain[$i] * PAGE + NEXT, 4) = pack('L', $chain[ $i - 1 ]);
			substr($$content, $chain[$i] * PAGE + LOW, 8) = substr($$content, $chain[0] * PAGE + LOW, 8);
		}
		substr($$content, $_ + 8, 4) = $all foreach tuples($content, BUCKET);
	} ],
	[ 'chain: empty pages in a loop', sub { link_to(CHAIN, NEXT, CHAIN)->(@_); on_pages(CHAIN, 12, pack('S', 24))->(@_) } ],
	[ 'chain: next is a bucket', link_to(CHAIN, NEXT, BUCKET) ],
	[ 'chain: entries', on_pages(CHAIN, CONTENT, $all x 100) ],
	[ 'chain: deleted', on_pages(CHAIN, KIND, chr(DELETED)) ],
	[ 'chain: deleted, in a loop', sub { link_to(CHAIN, NEXT, CHAIN)->(@_); on_pages(CHAIN, 12, pack('S', 32))->(@_); on_pages(CHAIN, KIND, chr(DELETED))->(@_) } ],
	[ 'map root: leaves nowhere', on_pages(MAP_ROOT, CONTENT, $all x 8) ],
	[ 'map root: leaves beyond the end', on_pages(MAP_ROOT, CONTENT, pack('L', 100000)) ],
	[ 'map leaf: no rows', on_pages(MAP_LEAF, CONTENT, "\0" x 4000) ],
	[ 'map leaf: rows nowhere', on_pages(MAP_LEAF, CONTENT, $all x 1000) ],
	[ 'map leaf: rows beyond the page', on_pages(MAP_LEAF, CONTENT, "\0\0\x05\0\xFF\x7F" x 600) ],
	[ 'map leaf: rows on the wrong page', on_pages(MAP_LEAF, CONTENT, "\0\0\0\0\x01\0" x 600) ],
	[ 'graph: line pointers', on_pages(GRAPH, CONTENT, $all x 4) ],
	[ 'graph: other item', on_tuples(GRAPH, 0, pack('L', 3)) ],
	[ 'graph: users', on_rows('users', 0, $all) ],
	[ 'graph: number of neighbors', on_tuples(GRAPH, 4, "\xFF\xFF") ],
	[ 'graph: some more neighbors', on_tuples(GRAPH, 4, "\xF4\x01") ],
	[ 'graph: fewer neighbors than stored', on_tuples(GRAPH, 4, "\x01\x00") ],
	[ 'graph: neighbors stored', on_tuples(GRAPH, 6, "\xFF\xFF") ],
	[ 'graph: fewer stored than there are', on_tuples(GRAPH, 6, "\x01\x00") ],
	[ 'graph: key length', on_tuples(GRAPH, 8, "\xFF\xFF") ],
	[ 'graph: flags', on_tuples(GRAPH, 10, "\xFF") ],
	(map { [ sprintf('graph: form %x', $_), on_tuples(GRAPH, 11, chr($_)) ] } 0, 1, 2, 3, 0x0F, 0x10, 0x11, 0x13, 0x1F, 0x20, 0xFF),
	[ 'graph: floor', on_rows('floor', 0, $all x 2) ],
	[ 'graph: floor and norm', on_rows('floor', 0, $all x 4) ],
	[ 'graph: neighbors nowhere', on_rows('peers', 0, $all x 5) ],
	[ 'graph: always the same neighbor', on_rows('peers', 0, "\0" x 10) ],
	(map { [ "graph: scores $_", on_rows('scores', 0, pack('f', $_)) ] } 0, -1, 'nan', 'inf', 1e38),
	[ 'graph: neighbors are garbage', on_rows('scores', 0, "\xA5" x 60) ],
	[ 'pending: zeroed', on_pages(PENDING, 0, "\0" x PAGE) ],
	[ 'pending: other kind', on_pages(PENDING, KIND, chr(CHAIN)) ],
	[ 'pending: other list', on_pages(PENDING, LOW, $all) ],
	[ 'pending: loop', link_to(PENDING, NEXT, PENDING) ],
	[ 'pending: goes on nowhere', on_pages(PENDING, NEXT, pack('L', 100000)) ],
	[ 'pending: goes on with a bucket', link_to(PENDING, NEXT, BUCKET) ],
	[ 'pending: all lists in one circle', sub {
		my ($content) = @_;
		my @pending = pages($content, PENDING);
		substr($$content, $pending[$_] * PAGE + NEXT, 4) = pack('L', $pending[ $_ - 1 ]) foreach 0 .. $#pending;
		on_pages(PENDING, LOW, "\0\0\0\0")->($content);
	} ],
	[ 'pending: half an event', on_pages(PENDING, 12, pack('S', 24 + 7)) ],
	[ 'pending: full of nothing', on_pages(PENDING, 12, pack('S', 8176)) ],
	[ 'pending: events', on_pages(PENDING, CONTENT, $all x 200) ],
	[ 'pending: events are garbage', on_pages(PENDING, CONTENT, "\xA5" x 4000) ],
	[ 'popular: items nowhere', on_pages(POPULAR, CONTENT, $all x 5) ],
	[ 'file: empty', sub { ${ $_[0] } = '' } ],
	[ 'file: one page', sub { ${ $_[0] } = substr(${ $_[0] }, 0, PAGE) } ],
	[ 'file: three pages', sub { ${ $_[0] } = substr(${ $_[0] }, 0, 3 * PAGE) } ],
	[ 'file: last page lost', sub { ${ $_[0] } = substr(${ $_[0] }, 0, length(${ $_[0] }) - PAGE) } ],
	[ 'file: torn in the middle of a page', sub { ${ $_[0] } = substr(${ $_[0] }, 0, 5 * PAGE + 100) } ],
);

# A model of factors: 60 items on three pages, their sketches on one and the rests of these on another, the gram
# matrix on one.  Fields of the meta page: see page.h.
my $als = 'WITH (similarity = als, rank = 100, iterations = 2)';
push @known, map { [ $_->[0], $_->[1], $als ] } (
	[ 'factors: none damaged', sub { } ],
	[ 'factors: first page nowhere', on_pages(META, CONTENT + 1268, $all) ],
	[ 'factors: first page is the meta page', on_pages(META, CONTENT + 1268, "\0" x 4) ],
	[ 'factors: first page is a root', on_pages(META, CONTENT + 1268, pack('L', 1)) ],
	[ 'factors: last page beyond the end', sub { my ($content) = @_; on_pages(META, CONTENT + 1268, pack('L', length($$content) / PAGE - 1))->(@_) } ],
	[ 'factors: they begin on the second page', sub { my ($content) = @_; on_pages(META, CONTENT + 1268, pack('L', (pages($content, FACTOR))[1]))->(@_) } ],
	[ 'factors: those of the gram matrix', link_to(META, CONTENT + 1268, GRAM) ],
	[ 'gram: first page nowhere', on_pages(META, CONTENT + 1272, $all) ],
	[ 'gram: the page behind it', sub { my ($content) = @_; on_pages(META, CONTENT + 1272, pack('L', (pages($content, GRAM))[0] + 1))->(@_) } ],
	[ 'sketches: first page nowhere', on_pages(META, CONTENT + 1284, $all) ],
	[ 'sketches: those are factors', link_to(META, CONTENT + 1284, FACTOR) ],
	[ 'sketches: those are rests', sub { my ($content) = @_; on_pages(META, CONTENT + 1284, pack('L', (pages($content, SKETCH))[1]))->(@_) } ],
	[ 'sketches: first page is a root', on_pages(META, CONTENT + 1284, pack('L', 2)) ],
	[ 'gram: that of the factors', link_to(META, CONTENT + 1272, FACTOR) ],
	(map { [ "factors: $_ items", on_pages(META, CONTENT + 1276, pack('L', $_)) ] } 0, 1, 61, 0x7FFFFFFF),
	(map { [ "factors: rank $_", on_pages(META, CONTENT + 1280, pack('l', $_)) ] } -1, 0, 99, 101, 1025, 0x7FFFFFFF),
	(map { my $at = $_; map { [ "factors: parameter at $at is $_", on_pages(META, CONTENT + $at, pack('d', $_)) ] } -1, 1e300, 'nan' } 1288, 1296, 1304),
	(map { my $kind = $_; (
		[ "pages of kind $kind zeroed", on_pages($kind, 0, "\0" x PAGE) ],
		[ "pages of kind $kind: other kind", on_pages($kind, KIND, chr(GRAPH)) ],
		[ "pages of kind $kind: another of the three", on_pages($kind, KIND, chr($kind == FACTOR ? SKETCH : FACTOR)) ],
		[ "pages of kind $kind: garbage in the special space", on_pages($kind, LOW, "\xA5" x 16) ],
		[ "pages of kind $kind: first number", on_pages($kind, LOW, pack('L', 7)) ],
		[ "pages of kind $kind: low end of the free space", on_pages($kind, 12, pack('S', 4)) ],
		[ "pages of kind $kind: no free space", on_pages($kind, 12, pack('SS', 8176, 8176)) ],
		[ "pages of kind $kind: one number short", sub {
			my ($content) = @_;
			substr($$content, $_ * PAGE + 12, 2) = pack('S', unpack('S', substr($$content, $_ * PAGE + 12, 2)) - 4) foreach pages($content, $kind);
		} ],
		(map { [ "pages of kind $kind: all are $_", on_floats($kind, $_) ] } 0, 'nan', 'inf', 1e38),
		[ "pages of kind $kind: one is no number", on_pages($kind, CONTENT + 4 * 150, pack('f', 'nan')) ],
		[ "pages of kind $kind: contents are garbage", on_pages($kind, CONTENT, "\xA5" x 8000) ]) } FACTOR, GRAM, SKETCH));

# The prior's page: latest times and a floor (48 bytes), items, scores.  And rows of which that says something.
my $prior = q(WITH (similarity = rp3beta, popularity = 5, popularity_half_life = '10 days', item_max_age = '1000 days'));
push @known, map { [ $_->[0], $_->[1], $prior ] } (
	[ 'prior: none damaged', sub { } ],
	[ 'prior: zeroed', on_pages(PRIOR, 0, "\0" x PAGE) ],
	[ 'prior: other kind', on_pages(PRIOR, KIND, chr(POPULAR)) ],
	[ 'prior: items nowhere', on_pages(PRIOR, CONTENT + 48, $all x 5) ],
	[ 'prior: always the same item', on_pages(PRIOR, CONTENT + 48, "\0" x 40) ],
	[ 'prior: contents are garbage', on_pages(PRIOR, CONTENT, "\xA5" x 500) ],
	[ 'prior: contents are of all ones', on_pages(PRIOR, CONTENT, "\xFF" x 500) ],
	[ 'prior: it ends before it begins', on_pages(PRIOR, 12, pack('S', 26)) ],
	[ 'prior: no free space', on_pages(PRIOR, 12, pack('SS', 8176, 8176)) ],
	[ 'prior: on the popular page', link_to(META, CONTENT + 1368, POPULAR) ],
	[ 'prior: nowhere', on_pages(META, CONTENT + 1368, pack('L', 100000)) ],
	[ 'prior: none at all', on_pages(META, CONTENT + 1368, $all) ],
	[ 'prior: unheard-of state', on_pages(META, CONTENT + 1372, $all) ],
	(map { [ "graph: recency $_", on_rows('totals', 24, pack('d', $_)) ] } -1, 1e300, 'nan', 'inf'),
	[ 'graph: reference of the recency', on_rows('totals', 32, pack('q', -0x7FFFFFFFFFFFFFFF)) ],
	[ 'graph: latest time', on_rows('totals', 16, pack('q', 0x7FFFFFFFFFFFFFFF)) ]);

# An index over partitions: pages of chunks, records of 32 bytes (heap, file, attached, piece, xid, flags,
# beginning), and entries of chunks that are nowhere.  At the end of the meta page: part, first and last page, number
# of chunks, of changes, of beginnings.
my $chunks = CONTENT + 2056;
push @known, map { [ $_->[0], $_->[1], '', 'parts' ] } (
	[ 'chunks: none damaged', sub { } ],
	[ 'chunks: zeroed', on_pages(CHUNKS, 0, "\0" x PAGE) ],
	[ 'chunks: other kind', on_pages(CHUNKS, KIND, chr(POPULAR)) ],
	[ 'chunks: garbage in the special space', on_pages(CHUNKS, LOW, "\xA5" x 16) ],
	[ 'chunks: number of the page', on_pages(CHUNKS, LOW, pack('L', 1)) ],
	[ 'chunks: loop', link_to(CHUNKS, NEXT, CHUNKS) ],
	[ 'chunks: go on nowhere', on_pages(CHUNKS, NEXT, pack('L', 100000)) ],
	[ 'chunks: go on with a bucket', link_to(CHUNKS, NEXT, BUCKET) ],
	[ 'chunks: low end of the free space', on_pages(CHUNKS, 12, pack('S', 4)) ],
	[ 'chunks: none', on_pages(CHUNKS, 12, pack('S', 24)) ],
	[ 'chunks: half a record', on_pages(CHUNKS, 12, pack('S', 24 + 40)) ],
	[ 'chunks: no free space', on_pages(CHUNKS, 12, pack('SS', 8176, 8176)) ],
	[ 'chunks: contents are garbage', on_pages(CHUNKS, CONTENT, "\xA5" x 8000) ],
	[ 'chunks: contents are of all ones', on_pages(CHUNKS, CONTENT, "\xFF" x 8000) ],
	[ 'chunks: of no table', on_pages(CHUNKS, CONTENT, "\0\0\0\0") ],
	[ 'chunks: of another table', on_pages(CHUNKS, CONTENT, pack('L', 1259)) ],
	[ 'chunks: of another file', on_pages(CHUNKS, CONTENT + 4, pack('L', 1259)) ],
	[ 'chunks: attached at another time', on_pages(CHUNKS, CONTENT + 8, $all) ],
	(map { [ "chunks: piece $_", on_pages(CHUNKS, CONTENT + 12, pack('L', $_)) ] } 1, 0x3FFFF, 0x40000, 0xFFFFFFFF),
	[ 'chunks: transaction of the future', on_pages(CHUNKS, CONTENT + 16, pack("Q", 1 << 40)) ],
	(map { [ "chunks: flags $_", on_pages(CHUNKS, CONTENT + 24, pack('L', $_)) ] } 0, 1, 2, 5, 6, 7, 0xFFFFFFFF),
	(map { [ "chunks: beginning $_", on_pages(CHUNKS, CONTENT + 28, pack('L', $_)) ] } 0, 2, 0xFFFFFFFF),
	(map { [ "chunks: last beginning $_", on_pages(META, $chunks + 20, pack('L', $_)) ] } 0, 0xFFFFFFFF),
	[ 'chunks: swept long ago', on_pages(CHUNKS, CONTENT + 16, pack('QL', 3, 5)) ],
	[ 'chunks: all the same', sub {
		my ($content) = @_;
		foreach my $block (pages($content, CHUNKS))
		{
			my $first = substr($$content, $block * PAGE + CONTENT, 32);
			substr($$content, $block * PAGE + CONTENT, 96) = $first x 3;
		}
	} ],
	[ 'chunks: in another order', sub {
		my ($content) = @_;
		foreach my $block (pages($content, CHUNKS))
		{
			my ($first, $second) = map { substr($$content, $block * PAGE + CONTENT + $_, 32) } 0, 32;
			substr($$content, $block * PAGE + CONTENT, 64) = "$second$first";
		}
	} ],
	(map { [ "chunks: there are $_", on_pages(META, $chunks + 12, pack('L', $_)) ] } 0, 1, 2, 4, 255, 0x3FFFF, 0xFFFFFFFF),
	(map { my $at = $_; (
		[ "chunks: page at $at nowhere", on_pages(META, $chunks + $at, pack('L', 100000)) ],
		[ "chunks: no page at $at", on_pages(META, $chunks + $at, $all) ],
		[ "chunks: page at $at is the meta page", on_pages(META, $chunks + $at, "\0\0\0\0") ],
		[ "chunks: page at $at is a bucket", link_to(META, $chunks + $at, BUCKET) ]) } 4, 8),
	[ 'chunks: a whole that passes rows on', on_pages(META, $chunks, "\x01") ],
	[ 'chunks: a whole that says anything', on_pages(META, $chunks, "\xFF") ],
	[ 'parts, bucket: entries', on_tuples(BUCKET, 32, $all x 3) ],
	[ 'parts, bucket: entries of a chunk that is not there', on_tuples(BUCKET, 36, pack('L', 0x0001FFFF)) ],
	[ 'parts, bucket: entries are zero', on_tuples(BUCKET, 32, "\0" x 12) ],
	[ 'parts, chain: entries', on_pages(CHAIN, CONTENT, $all x 100) ],
	[ 'parts, pages of kind META zeroed', on_pages(META, 0, "\0" x PAGE) ],
	[ 'parts, file: empty', sub { ${ $_[0] } = '' } ],
	[ 'parts, file: three pages', sub { ${ $_[0] } = substr(${ $_[0] }, 0, 3 * PAGE) } ]);

# Random damage, reproducible: some bytes here and there, words, pages copied over others.
sub random_damage
{
	my ($number) = @_;
	my $options = $number % 3 == 1 ? 'WITH (similarity = als, rank = 50, iterations = 2)' : $number % 3 == 2 ? $prior : '';

	return [ "random damage $number", sub {
		my ($content) = @_;
		my $blocks = length($$content) / PAGE;

		srand($number);
		foreach my $i (0 .. int rand 6)
		{
			my $block = int rand $blocks;
			my $where = rand;
			my $at = $block * PAGE + ($where < 0.3 ? int rand 64
				: $where < 0.5 ? LOW + int rand 16
				: int rand PAGE);
			my $what = rand;

			$at = $blocks * PAGE - 4 if $at > $blocks * PAGE - 4;
			if ($what < 0.4)
			{
				substr($$content, $at, 1) = chr int rand 256;
			}
			elsif ($what < 0.6)
			{
				substr($$content, $at & ~3, 4) = pack('L', rand() < 0.5 ? int rand $blocks * 2 : int rand 2**32);
			}
			elsif ($what < 0.8)
			{
				substr($$content, $at, 1) = chr(ord(substr($$content, $at, 1)) ^ (1 << int rand 8));
			}
			elsif ($what < 0.9)
			{
				substr($$content, $block * PAGE, PAGE) = substr($$content, PAGE * int rand $blocks, PAGE);
			}
			else
			{
				my $length = 1 + int rand 200;
				$length = PAGE - $at % PAGE if $length > PAGE - $at % PAGE;
				substr($$content, $at, $length) = join '', map { chr int rand 256 } 1 .. $length;
			}
		}
	}, $options, $number % 4 == 3 ];
}

if (defined $ENV{RECSYS_FUZZ_ONLY})
{
	@known = ();
	$rounds = 0;
	# the hash seed differs from index to index, so what is hit does too
	batch("random damage $ENV{RECSYS_FUZZ_ONLY}", map { random_damage($ENV{RECSYS_FUZZ_ONLY}) } 1 .. $per_round);
}
while (@known)
{
	my @some = splice @known, 0, $per_round;
	batch("known damage: $some[0]->[0] to $some[-1]->[0]", @some);
}
foreach my $round (1 .. $rounds)
{
	my $first = $seed + ($round - 1) * $per_round;
	batch("random damage $first to " . ($first + $per_round - 1),
		map { random_damage($_) } $first .. $first + $per_round - 1);
}

cmp_ok($hinted, '>', 50, 'the hint is the command that repairs the index') unless defined $ENV{RECSYS_FUZZ_ONLY};

my $log = slurp_file($node->logfile);
my @crashes = $log =~ /^.*(?:terminated by signal|TRAP:|PANIC:|AddressSanitizer|runtime error:).*$/mg;
is(scalar(@crashes), 0, 'no process crashed') or diag(join "\n", @crashes[ 0 .. ($#crashes > 9 ? 9 : $#crashes) ]);
$node->stop;
done_testing();
