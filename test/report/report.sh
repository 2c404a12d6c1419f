#!/bin/bash
# The page of make report in a browser: over the demo's marketplace, whose figures are compared with
# SQL, and over databases that are hostile, plain, or have nothing.
#
# Runs unprivileged in an empty directory, with a server that has recsys at PGHOST; see test/run.sh.
# RECSYS_TREE is the source tree, RECSYS_CACHE, REPORT_CHROMIUM, REPORT_MODULES and PRIVATE_NODE are
# set by provision.sh.  Prints TAP.

here=$RECSYS_TREE/test/report
export PGOPTIONS='-c client_min_messages=error' REPORT_DIRECTORY=$PWD

# psql without a personal start file, that stops at the first error
query()
{
	psql -X -q -v ON_ERROR_STOP=1 -o /dev/null "$@"
}

# make_report NAME [NAME=value …]: NAME.html of database report_NAME, and what was said in NAME.out
make_report()
{
	local name=$1

	shift
	env -u PGOPTIONS PGDATABASE="report_$name" REPORT="$PWD/$name.html" "$@" bash "$RECSYS_TREE/test/report.sh" >"$name.out" 2>&1
	echo "$?" >"$name.status"
}

cleanup()
{
	local database

	for database in report_market report_hostile report_plain report_bare report_none; do
		dropdb --if-exists "$database"
	done
	query -d postgres -c 'DROP ROLE IF EXISTS report_owner'
}

trap 'cleanup >cleanup.out 2>&1' EXIT
{
	createdb report_market &&
		query -d report_market -c 'CREATE EXTENSION recsys' -f "$RECSYS_TREE/test/market/generate.sql" \
			-f "$RECSYS_TREE/test/market/declare.sql" -f "$RECSYS_TREE/test/market/live.sql" &&
		createdb report_hostile && query -d report_hostile -f "$here/hostile.sql" &&
		createdb report_plain && query -d report_plain -f "$here/plain.sql" &&
		createdb report_bare && query -d report_bare -c 'CREATE EXTENSION recsys' &&
		createdb report_none
} >databases.out 2>&1 || {
	sed 's/^/# /' databases.out
	echo "1..1"
	echo "not ok 1 - the databases are made"
	exit 1
}
make_report market REPORT_CURRENCY=EUR
# by one who has no right to anything but what is its own, and by a superuser
make_report hostile PGUSER=report_owner REPORT_TITLE='<script>hacked("title")</script> & Co'
make_report superuser PGDATABASE=report_hostile
make_report plain
make_report bare
make_report none

"$PRIVATE_NODE" "$here/all.mjs"
