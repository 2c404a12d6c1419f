# A session that trains a dense model with a BLAS library that is not made to be fast
# is told so once.  Such a library is compiled here, plain loops for what the models call;
# LAPACK remains the machine's.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $directory = PostgreSQL::Test::Utils::tempdir;

open(my $source, '>', "$directory/blas.c") or die $!;
print $source <<'END';
#include <stddef.h>

typedef const char *text;
typedef const int *integer;
typedef const float *reals;

#define AT(a, ld, row, column) (a)[(row) + (size_t) (column) * *(ld)]
#define IN(a, ld, trans, row, column) (*(trans) == 'N' ? AT(a, ld, row, column) : AT(a, ld, column, row))

void
sgemm_(text ta, text tb, integer m, integer n, integer k, reals alpha, reals a, integer lda,
	   reals b, integer ldb, reals beta, float *c, integer ldc, size_t x, size_t y)
{
	for (int i = 0; i < *m; i++)
		for (int j = 0; j < *n; j++)
		{
			float sum = 0;

			for (int l = 0; l < *k; l++)
				sum += IN(a, lda, ta, i, l) * IN(b, ldb, tb, l, j);
			AT(c, ldc, i, j) = *alpha * sum + (*beta != 0 ? *beta * AT(c, ldc, i, j) : 0);
		}
}

void
sgemv_(text ta, integer m, integer n, reals alpha, reals a, integer lda, reals x, integer incx,
	   reals beta, float *y, integer incy, size_t z)
{
	int rows = *ta == 'N' ? *m : *n;
	int columns = *ta == 'N' ? *n : *m;

	for (int i = 0; i < rows; i++)
	{
		float sum = 0;

		for (int j = 0; j < columns; j++)
			sum += IN(a, lda, ta, i, j) * x[j * *incx];
		y[i * *incy] = *alpha * sum + (*beta != 0 ? *beta * y[i * *incy] : 0);
	}
}

void
ssyrk_(text uplo, text ta, integer n, integer k, reals alpha, reals a, integer lda, reals beta,
	   float *c, integer ldc, size_t x, size_t y)
{
	for (int i = 0; i < *n; i++)
		for (int j = 0; j < *n; j++)
		{
			float sum = 0;

			if (*uplo == 'L' ? i < j : i > j)
				continue;
			for (int l = 0; l < *k; l++)
				sum += IN(a, lda, ta, i, l) * IN(a, lda, ta, j, l);
			AT(c, ldc, i, j) = *alpha * sum + (*beta != 0 ? *beta * AT(c, ldc, i, j) : 0);
		}
}
END
close($source);
system_or_bail('gcc', '-std=gnu99', '-O2', '-shared', '-fPIC', '-o', "$directory/libblas.so.3",
	"$directory/blas.c");

my $node = do
{
	local $ENV{LD_LIBRARY_PATH} = join(':', $directory, grep { defined } $ENV{LD_LIBRARY_PATH});
	new_node('primary', 'recsys.blas_warning = on', 'max_parallel_maintenance_workers = 2');
};
my $warning = qr/WARNING:  dense models train slowly with the BLAS library "\Q$directory\E[^"]*libblas\.so\.3"\n.*"apt-get install libopenblas0-serial"/s;
my $train = q(SELECT count(*) FROM query_item_similarity('SELECT u, (u * i) % 13 FROM generate_series(1, 50) u, generate_series(1, 5) i', 'ease'););
my ($rows, $messages);

$node->psql('postgres', q(SELECT count(*) FROM query_item_similarity('SELECT u, (u * i) % 13 FROM generate_series(1, 50) u, generate_series(1, 5) i')),
	stderr => \$messages);
is($messages, '', 'a model that needs no BLAS has nothing to be warned of');

$node->psql('postgres', "$train $train", stdout => \$rows, stderr => \$messages);
like($messages, $warning, 'the warning names the library and what to install');
is(() = $messages =~ /WARNING/g, 1, 'it comes once a session');

$node->safe_psql('postgres', q(CREATE TABLE e AS SELECT u, (u * i) % 13 AS i FROM generate_series(1, 50) u, generate_series(1, 5) i));
$node->psql('postgres', 'SET min_parallel_table_scan_size = 0; CREATE INDEX e_recsys ON e USING recsys (u, i) WITH (similarity = spectral, rank = 8)',
	stderr => \$messages);
like($messages, $warning, 'an index is built with the warning');
is(() = $messages =~ /WARNING/g, 1, 'parallel workers say nothing');

$node->psql('postgres', "SET recsys.blas_warning = off; $train", stderr => \$messages);
is($messages, '', 'it can be turned off');

# whoever is root in the file system decides, so the whole path is shown, links resolved
my $fast = PostgreSQL::Test::Utils::tempdir . '/openblas-serial';
mkdir($fast) or die $!;
system_or_bail('cp', "$directory/libblas.so.3", "$fast/libblas.so.3");
unlink("$directory/libblas.so.3") or die $!;
symlink("$fast/libblas.so.3", "$directory/libblas.so.3") or die $!;
$node->psql('postgres', $train, stderr => \$messages);
is($messages, '', 'a link to an optimized library is seen through');

$node->stop;
done_testing();
