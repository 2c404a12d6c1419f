#!/bin/bash
# Real marketplaces: declares recommenders over their tables as they are, and measures
# their lists in plain SQL.
#
#     test/bench/marketplaces.sh [limit=3600] [olist] [journey] [retail]
#
# Without a name, all that there is data for:
#     olist      3,095 sellers in Brazil, people who buy once: three ways from a normalised
#                schema to an index; what goes into a cart next; newcomers by state
#     journey    the Complete Journey: a grocery chain, demographics, prices, leaflets
#     retail     Online Retail: variants among similar items, with and without groups
#
# Each prints hit rate and NDCG at 10 of what was bought in the last fifth of the time against
# popular items, the share of different lists, and answers for you to judge.  The files are
# not part of the project: they are looked for in $RECSYS_DATA, else in ../shared/data beside
# this repository.  The SQL is in marketplaces/.  The server is private and gone
# afterwards, so is the data.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

BENCH_LIMIT=3600
cases=
for argument in "$@"; do
	case "$argument" in
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		olist | journey | retail) cases="$cases $argument" ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${cases:=olist journey retail}"
data=${RECSYS_DATA:-$root/../shared/data}

# marketplace NAME DIRECTORY FILE…: NAME.sql in a database of its own, with a variable for
# the path of each file
marketplace()
{
	local name=$1 directory=$2 file options=()

	shift 2
	for file in "$@"; do
		if [ ! -r "$data/$directory/$file.csv.gz" ]; then
			echo "$name: skipped: there is no $data/$directory/$file.csv.gz"
			return
		fi
		zcat "$data/$directory/$file.csv.gz" >"$SANDBOX/$file.csv" || stop "$file.csv.gz cannot be read"
		options+=(-v "$file=$SANDBOX/$file.csv")
	done
	sandbox_own "$SANDBOX"/*.csv
	database "CREATE DATABASE $name"
	sandbox_run "$BENCH_LIMIT" psql -X -q -v ON_ERROR_STOP=1 -P footer=off -d "$name" "${options[@]}" -c "CREATE EXTENSION recsys" \
		-f "$SERVER_TREE/test/bench/marketplaces/lists.sql" -f "$SERVER_TREE/test/bench/marketplaces/$name.sql" 2>&1 || stop "$name did not finish"
	database "DROP DATABASE $name"
	rm -f "$SANDBOX"/*.csv
}

provision_server
sandbox_begin marketplaces "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "autovacuum = off" "jit = off" "shared_buffers = 512MB" "maintenance_work_mem = 512MB" "work_mem = 64MB" \
	"max_wal_size = 8GB" || stop "the private server does not start"
SANDBOX_ENV+=(PGDATABASE=postgres PGOPTIONS='-c client_min_messages=warning')
for name in $cases; do
	case $name in
		olist) marketplace olist olist customers sellers products product_category_name_translation orders_first_10000 order_items ;;
		journey) marketplace journey completejourney transactions_sample products demographics promotions_sample ;;
		retail) marketplace retail online_retail online_retail ;;
	esac
done
server_stop
