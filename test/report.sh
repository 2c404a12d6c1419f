#!/bin/bash
# make report: one HTML page about what a database recommends, and what comes of it.
#
#     PGDATABASE=shop make report      that database, as psql would reach it: PGHOST, PGUSER and so on.
#                                      It is read in one transaction that cannot write, and
#                                      nothing is installed in it
#     make report                      the demo's marketplace, in a private throw-away server
#
# REPORT           the file that is made; default: recsys-report.html in the current directory
# RECOMMENDER      a declared recommender or an index; default: the first one
# EXPERIMENT       the experiment that is shown first; default: the latest that runs
# REPORT_TITLE     what stands above it all
# REPORT_CURRENCY  such as EUR; default: amounts without one
# REPORT_PHOTOS    a query that returns item and picture (bytea); default: they are looked for
# REPORT_CUSTOMERS=no    nothing about single customers
# REPORT_EVALUATE=no     the model is not measured
# REPORT_TIMEOUT   seconds of one query; default: 60
#
# The page is in one file, and loads nothing from elsewhere.  Its program is built from
# sql/dashboards/report once, with packages from npm, and kept (lib/private.sh).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/private.sh"
. "$root/test/lib/report.sh"

fail()
{
	echo "recsys: $*" >&2
	exit 1
}

here=$PWD
report=${REPORT:-recsys-report.html}
case $report in /*) ;; *) report=$here/$report ;; esac
[ -d "$(dirname "$report")" ] && [ ! -d "$report" ] || fail "REPORT=$report is not a file in a directory that is there"
timeout=${REPORT_TIMEOUT:-60}
case $timeout in *[!0-9]* | ???????*) fail "REPORT_TIMEOUT is a number of seconds, at most 999999" ;; esac

variables=(-v "recommender=$RECOMMENDER" -v "experiment=$EXPERIMENT" -v "photos=$REPORT_PHOTOS"
	-v "customers=${REPORT_CUSTOMERS:-yes}" -v "evaluate=${REPORT_EVALUATE:-yes}" -v "time_limit=$((1000 * 10#$timeout))")
queries=$root/sql/dashboards/report/collect.sql

report_page || fail "the page cannot be built: $PRIVATE_WHY"

# finish WORK: the page from what psql has written there.  It is renamed when it is complete: nobody
# who opens it, or makes another at the same time, sees half of it.
finish()
{
	# lines that say "recsys:" are for whoever makes the report; others are of single pages, which show them
	grep '^recsys: ' "$1/errors" >&2
	[ -s "$1/data.json" ] || { grep -q '^recsys: ' "$1/errors" || head -n 5 "$1/errors" >&2; fail "there is no report"; }
	report_embed "$1/data.json" "$part" "$REPORT_CURRENCY" "$REPORT_TITLE" && mv "$part" "$report" || fail "$report could not be written"
	echo "recsys: the report is in $report ($(($(wc -c <"$report") / 1000)) kB): open it in a browser"
}

part=$report.$$.part
if [ -n "$PGDATABASE$PGSERVICE" ]; then
	command -v psql >/dev/null || fail "there is no psql: apt-get install postgresql-client"
	reader=
	work=$(mktemp -d) || exit 1
	# an interrupted psql has the server end its query, too
	trap 'if [ -n "$reader" ]; then kill -INT "$reader" 2>/dev/null; wait "$reader"; fi; rm -rf "$work" "$part"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# a database may be given as an address, too
	PGAPPNAME="${PGAPPNAME:-recsys report}" psql -X -q -w ${PGDATABASE:+-d "$PGDATABASE"} "${variables[@]}" -f "$queries" \
		>"$work/data.json" 2>"$work/errors" </dev/null &
	reader=$!
	wait "$reader" || { reader=; cat "$work/errors" >&2; fail "the database could not be read"; }
	reader=
	finish "$work"
	exit 0
fi

. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"

provision_server
sandbox_begin report 840
trap 'status=$?; rm -f "$part"; sandbox_end $status' EXIT
server_copy "$root" || exit 1
echo "recsys: a marketplace in a private server on $("$PG_CONFIG" --version); PGDATABASE=shop make report is about yours"
if ! server_build; then
	grep -v '^gcc ' "$SERVER_LOG" | tail -n 60 >&2
	fail "recsys does not build"
fi
server_start "jit = off" || fail "the private server does not start"
sandbox_run 300 bash -c 'cd "$1" && createdb market && psql -X -q -v ON_ERROR_STOP=1 -d market -o /dev/null \
		-c "CREATE EXTENSION recsys" -f generate.sql -f declare.sql -f live.sql 2>&1' - "$SERVER_TREE/test/market" ||
	fail "the marketplace could not be made"
sandbox_run 300 bash -c 'work=$1 && shift && psql -X -q -w -d market "$@" >"$work/data.json" 2>"$work/errors"' - "$SANDBOX/tmp" \
	"${variables[@]}" -f "$SERVER_TREE/sql/dashboards/report/collect.sql" || { cat "$SANDBOX/tmp/errors" >&2; fail "the marketplace could not be read"; }
server_stop
REPORT_CURRENCY=${REPORT_CURRENCY:-EUR}
finish "$SANDBOX/tmp"
