#!/bin/bash
# make test-citus: a recommender over a table that Citus has distributed, on three nodes.
#
#     test/citus.sh
#
# Needs Citus (13 for PostgreSQL 15 to 17, 14 for 16 to 18), installed for the PostgreSQL that test/run.sh
# takes, or for the one of $PG_CONFIG: nothing is configured in that server.  The tests start servers of
# their own on loopback, a coordinator and two or three workers (test/t/11*_citus*.pl, 12*), and run with
# all others, too: where there is no Citus they are skipped.
#
#     RECSYS_CITUS_ROWS=1000000    interactions of the test that measures (default 30000)
#
# The last line is "recsys: N passed, N failed", or says that the tests were skipped.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/test/lib/provision.sh"

provision_server tests
if [ ! -e "$("$PG_CONFIG" --pkglibdir)/citus.so" ]; then
	echo "citus: skipped: Citus is not installed for $("$PG_CONFIG" --version)"
	exit 0
fi
cd "$root/test/t" || exit 1
names=$(ls 1[12]?_citus*.pl | sed 's/\.pl$//')
TESTS="$names" exec "$root/test/run.sh" tap
