#!/bin/bash
# Real randomised experiments: by the functions over sums of units, and independently in Python.
#
#     test/bench/experiments.sh [limit=900] [hillstrom] [cookie_cats]
#
# Without a name, both:
#     hillstrom    64,000 customers, two e-mails against none: visits, conversions, spend, spend
#                  by visit, spend adjusted by that of the year before; all and by channel
#     cookie_cats  90,189 players, a gate at level 40 against 30: retention, rounds played,
#                  rounds winsorised
#
# Prints both results of each comparison, and the largest difference between them; fails if that is
# more than 1e-9.  The files are not part of the project: they are looked for in $RECSYS_DATA, else in
# ../shared/data beside this repository.  Python needs pandas, scipy, and statsmodels: $RECSYS_PYTHON, else a
# private environment that is made for the run.  The server is private and gone afterwards.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

BENCH_LIMIT=900
cases=
for argument in "$@"; do
	case "$argument" in
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		hillstrom | cookie_cats) cases="$cases $argument" ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${cases:=hillstrom cookie_cats}"
data=${RECSYS_DATA:-$root/../shared/data}

# python_ready: sets PYTHON
python_ready()
{
	PYTHON=${RECSYS_PYTHON:-}
	[ -z "$PYTHON" ] || return 0
	python3 -m venv "$SANDBOX/python" && "$SANDBOX/python/bin/pip" install -q pandas scipy statsmodels >&2 ||
		stop "there is no Python with pandas, scipy, and statsmodels: name one in RECSYS_PYTHON"
	PYTHON=$SANDBOX/python/bin/python
}

# compare NAME: NAME.sql on the data of that name, then the same in Python
compare()
{
	local name=$1 file="$data/ab_tests/$1.csv.gz"

	if [ ! -r "$file" ]; then
		echo "$name: skipped: there is no $file"
		return
	fi
	zcat "$file" >"$SANDBOX/$name.csv" || stop "$file cannot be read"
	sandbox_own "$SANDBOX/$name.csv"
	database "CREATE DATABASE $name"
	sandbox_run "$BENCH_LIMIT" psql -X -q -v ON_ERROR_STOP=1 -d "$name" -v "file=$SANDBOX/$name.csv" -c "CREATE EXTENSION recsys" \
		-f "$SERVER_TREE/test/bench/experiments/$name.sql" >"$SANDBOX/$name.ours" || stop "$name did not finish"
	database "DROP DATABASE $name"
	"$PYTHON" "$root/test/bench/experiments/independent.py" "$name" "$SANDBOX/$name.csv" "$SANDBOX/$name.ours" ||
		stop "$name: the results differ"
}

provision_server
sandbox_begin experiments "$BENCH_LIMIT"
measure_begin
python_ready
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "autovacuum = off" "jit = off" || stop "the private server does not start"
SANDBOX_ENV+=(PGDATABASE=postgres PGOPTIONS='-c client_min_messages=warning')
for name in $cases; do
	compare "$name"
done
server_stop
