# Images: what fails leaves no memory behind, a query is cancelled in the middle of a picture, workers of a
# parallel query give the same descriptors, and an index finds them.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('images');

# those of the SQL test
my $sql = slurp_file("$FindBin::Bin/../sql/images.sql");
my %picture = map { $_ => $sql =~ /\('$_', '\\x([0-9a-f]+)'\)/ ? $1 : die $_ } qw(png webp jpeg gray);

$node->safe_psql('postgres', q(CREATE TABLE pictures (name text, image bytea, good boolean)));
foreach my $name (sort keys %picture)
{
	my $half = substr($picture{$name}, 0, 2 * int(length($picture{$name}) * 0.4));

	$node->safe_psql('postgres', qq(INSERT INTO pictures VALUES ('$name', '\\x$picture{$name}', true),
		('half a $name', '\\x$half', false)));
}
is($node->safe_psql('postgres', q(SELECT string_agg(name, ', ' ORDER BY name) FROM pictures
	WHERE good = (recsys.try_image_descriptor(image) IS NULL))), '', 'whole ones are read, halves are not');

# Memory of the process after many calls, in kB
my $memory = q($$ SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmRSS:\s+(\d+)')::bigint $$);

SKIP:
{
	skip 'there is no /proc', 3 if !-r '/proc/self/status';
	$node->safe_psql('postgres', qq(
		CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql VOLATILE AS $memory;
		CREATE FUNCTION fail(times integer) RETURNS bigint LANGUAGE plpgsql AS \$\$
		DECLARE
			files bytea[] := (SELECT array_agg(image) FROM pictures WHERE NOT good);
			failed bigint := 0;
		BEGIN
			FOR i IN 1 .. times LOOP
				BEGIN
					PERFORM recsys.image_descriptor(files[1 + i % cardinality(files)]);
				EXCEPTION WHEN OTHERS THEN
					failed := failed + 1;
				END;
			END LOOP;
			RETURN failed;
		END \$\$));
	my @lines = split /\n/, $node->safe_psql('postgres', q(
		SELECT fail(2000); SELECT memory(); SELECT fail(20000); SELECT memory();
		SELECT count(recsys.try_image_descriptor(image)) FROM pictures, generate_series(1, 1000);
		SELECT count(recsys.try_image_descriptor(image)) FROM pictures, generate_series(1, 1000) WHERE NOT good;
		SELECT memory()));

	is($lines[2], 20000, 'all 20,000 calls fail');
	cmp_ok($lines[3] - $lines[1], '<', 2000, 'and leave less than 2 MB behind') or diag("@lines");
	cmp_ok($lines[6] - $lines[1], '<', 4000, 'good ones do not leave more') or diag("@lines");
}

# a picture of 36 million pixels in 35 kB, cancelled while it is decoded, again and again
SKIP:
{
	skip 'there is no Compress::Zlib', 4 if !eval { require Compress::Zlib; 1 };
	my $chunk = sub { pack('N', length($_[1])) . $_[0] . $_[1] . pack('N', Compress::Zlib::crc32($_[0] . $_[1])) };
	my $large = unpack('H*', "\x89PNG\r\n\x1A\n" . $chunk->('IHDR', pack('NNCCCCC', 6000, 6000, 8, 0, 0, 0, 0))
		. $chunk->('IDAT', Compress::Zlib::compress("\0" x (6001 * 6000))) . $chunk->('IEND', ''));

	$node->safe_psql('postgres', qq(CREATE TABLE large AS SELECT '\\x$large'::bytea AS image));
	my ($status, $stdout, $stderr) = $node->psql('postgres', q(SET statement_timeout = '10ms';
		SELECT recsys.image_descriptor(image) IS NULL FROM large;), on_error_stop => 0);
	like($stderr, qr/canceling statement due to statement timeout/, 'decoding is cancelled');
	is($node->safe_psql('postgres', 'SELECT cardinality(recsys.image_descriptor(image)) > 0 FROM large'), 't',
		'it would have ended well');
	my @lines = split /\n/, $node->safe_psql('postgres', q(
		CREATE FUNCTION late(times integer) RETURNS bigint LANGUAGE plpgsql AS $$
		DECLARE
			file bytea := (SELECT image FROM large);
			failed bigint := 0;
		BEGIN
			FOR i IN 1 .. times LOOP
				BEGIN
					PERFORM recsys.image_descriptor(substr(file, 1, length(file) - 1000 - i));
				EXCEPTION WHEN OTHERS THEN
					failed := failed + 1;
				END;
			END LOOP;
			RETURN failed;
		END $$;
		SELECT late(2); SELECT memory(); SELECT late(10); SELECT memory();));
	is($lines[2], 10, 'one that is cut short fails late');
	cmp_ok($lines[3] - $lines[1], '<', 2000, 'and leaves nothing behind') or diag("@lines");
}
is($node->safe_psql('postgres', q(SELECT count(recsys.image_descriptor(image)) FROM pictures WHERE good)), 4,
	'the next one is none the worse');

# parallel query
$node->safe_psql('postgres', q(
	CREATE TABLE many AS SELECT n, image FROM pictures, generate_series(1, 300) n WHERE good;
	ANALYZE many));
my $parallel = q(SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2;);

like($node->safe_psql('postgres', "$parallel EXPLAIN (COSTS off) SELECT sum(cardinality(recsys.image_descriptor(image))) FROM many"),
	qr/Parallel Seq Scan/, 'workers describe images');
is($node->safe_psql('postgres', "$parallel SELECT sum(hashtext(recsys.image_descriptor(image)::text)::bigint) FROM many"),
	$node->safe_psql('postgres', q(SET max_parallel_workers_per_gather = 0;
		SELECT sum(hashtext(recsys.image_descriptor(image)::text)::bigint) FROM many)), 'and answer the same');

# an index over them is built, used and kept
$node->safe_psql('postgres', q(CREATE INDEX many_descriptor ON many (recsys.image_descriptor(image))));
is($node->safe_psql('postgres', q(SET enable_seqscan = off;
	SELECT count(*) FROM many WHERE recsys.image_descriptor(image) =
		(SELECT recsys.image_descriptor(image) FROM pictures WHERE name = 'png'))), 600,
	'an index finds them, PNG and WebP of one picture');
is($node->safe_psql('postgres', q(SELECT 1)), 1, 'the server is up');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP/, 'nothing has crashed');

$node->stop;
done_testing();
