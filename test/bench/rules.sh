#!/bin/bash
# Frequent item sets, association rules and basket completion, measured.
#
#     test/bench/rules.sh [option=value…] [case…]
#
# Cases: retail t10i4 mushroom kosarak shop; without any, all that there is data
# for.  The first three are files of the FIMI repository, kosarak is generated in
# the shape of that file (990,000 baskets of 41,270 items), shop is the UCI data set
# Online Retail.  Files are looked for in $RECSYS_DATA, else in ../shared/data beside
# this repository; a case without its file is passed over.  Options, with defaults:
#     rounds=3      repetitions, whose median counts
#     limit=3600    seconds after which everything is given up
#
# RECSYS_MINER names another miner to compare with, as a command in which {file} is
# the file of baskets and {percent} the least support:
#     RECSYS_MINER='fpgrowth -ts -s{percent} {file} -' test/bench/rules.sh
# Without it the comparison is with apriori.c beside this script, if that comes to an
# end within two minutes.
#
# What the figures mean: README.md.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

BENCH_ROUNDS=3
BENCH_LIMIT=3600
BENCH_USERS=1
BENCH_ITEMS=1
cases=
for argument in "$@"; do
	case "$argument" in
		rounds=[1-9]*) BENCH_ROUNDS=${argument#*=} ;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		retail | t10i4 | mushroom | kosarak | shop) cases="$cases $argument " ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${cases:= retail t10i4 mushroom kosarak shop }"
data=${RECSYS_DATA:-$root/../shared/data}

# wanted CASE [FILE]: is it asked for, and is its file there?
wanted()
{
	case "$cases" in
		*" $1 "*) ;;
		*) return 1 ;;
	esac
	[ -z "$2" ] || [ -r "$data/$2" ] || { note "no $data/$2: case $1 is passed over"; return 1; }
}

# Baskets from a file with a line each, and the index over them
load_baskets()
{
	database "DROP TABLE IF EXISTS baskets; CREATE TABLE baskets (basket integer NOT NULL, item integer NOT NULL)"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		awk "{ for (i = 1; i <= NF; i++) print NR \"\t\" \$i }" "$1" |
			psql -X -q -v ON_ERROR_STOP=1 -c "COPY baskets FROM STDIN"' - "$1" 2>"$SANDBOX/error" ||
		stop "$1 could not be loaded"
	database "CREATE INDEX baskets_recsys ON baskets USING recsys (basket, item) WITH (max_history = 100000)"
	database "VACUUM ANALYZE baskets"
}

# other FILE PERCENT: milliseconds of the other miner in OTHER_MS, a dash if it takes too long
other()
{
	local command begin round times=()

	if [ -n "$RECSYS_MINER" ]; then
		command=${RECSYS_MINER//'{file}'/$1}
		command=${command//'{percent}'/$2}
	else
		command="$SANDBOX/apriori $1 $2"
	fi
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		begin=$(date +%s%N)
		if ! sandbox_run 120 bash -c "$command" >/dev/null 2>"$SANDBOX/error"; then
			OTHER_MS=-
			return
		fi
		times+=($((($(date +%s%N) - begin) / 1000000)))
	done
	OTHER_MS=$(median "${times[@]}")
}

# statement WORKERS SQL: median of its milliseconds in STATEMENT_MS
statement()
{
	local round times=()

	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		timed "SET max_parallel_workers_per_gather = $1;
$2"
		times+=("$TIMED_MS")
	done
	STATEMENT_MS=$(median "${times[@]}")
}

# compare WHAT MS: a row beside the other miner
compare()
{
	if [ "$OTHER_MS" = - ]; then
		row "$1" "$(milliseconds "$2")" "more than 120 s" "-"
	else
		row "$1" "$(milliseconds "$2")" "$(milliseconds "$OTHER_MS")" "$(ratio "$2" "$OTHER_MS")"
	fi
}

# mine NAME FILE PERCENT [WORK_MEM…]
mine()
{
	local sets mining memory

	note "$1: loading"
	load_baskets "$2"
	sets=$(database "SELECT count(*) FROM frequent_itemsets('baskets_recsys', $3 / 100.0)")
	mining=$(sandbox_run 600 "$SANDBOX/bench_itemset" "$2" "$3" all "$BENCH_ROUNDS" 2>&1 | tail -n 1)
	note "$1: mining alone: $mining"
	other "$2" "$3"
	for memory in 4MB "${@:4}"; do
		for workers in 0 2; do
			statement "$workers" "SET work_mem = '$memory';
SELECT count(*) FROM frequent_itemsets('baskets_recsys', $3 / 100.0);"
			compare "$1, $3 %, $sets item sets, $workers workers$([ "$memory" = 4MB ] || echo ", work_mem $memory")" "$STATEMENT_MS"
		done
	done
}

# The count that is known for this file: antecedents in 0.1 % of the baskets, 60 % confidence
check_t10i4()
{
	local rules

	rules=$(database "SELECT count(*) FROM association_rules('baskets_recsys', 60, 0.6, max_length => NULL)
		WHERE antecedent_support >= 100")
	row "t10i4: rules at 60 % confidence from antecedents in 0.1 %" "$rules" "75767" "-"
}

run_shop()
{
	local rules

	note "shop: loading"
	database "CREATE TABLE sales (invoice text, stock_code text, description text, quantity integer,
		sold_at timestamptz, price numeric, customer text, country text)"
	sandbox_run "$BENCH_LIMIT" bash -c 'zcat "$1" | psql -X -q -v ON_ERROR_STOP=1 -c "COPY sales FROM STDIN CSV HEADER"' - \
		"$data/online_retail/online_retail.csv.gz" 2>"$SANDBOX/error" || stop "the sales could not be loaded"
	database "CREATE INDEX sales_recsys ON sales USING recsys (invoice, stock_code, quantity)"
	database "VACUUM ANALYZE sales"
	statement 0 "SELECT count(*) FROM association_rules('sales_recsys', NULL::text, min_support => 0.005, min_confidence => 0.3);"
	rules=$(database "SELECT count(*) FROM association_rules('sales_recsys', NULL::text, min_support => 0.005, min_confidence => 0.3)")
	row "shop, 0.5 %, 30 % confidence, $rules rules, 0 workers" "$(milliseconds "$STATEMENT_MS")" "2 s asked for" "-"
	database "CREATE MATERIALIZED VIEW product_rules AS
		SELECT * FROM association_rules('sales_recsys', NULL::text, min_support => 0.01, min_confidence => 0.2)"
	database "CREATE INDEX ON product_rules USING gin (antecedent)"
	database "ANALYZE product_rules"
	rules=$(database "SELECT count(*) FROM product_rules")
	database "CREATE TABLE carts AS SELECT row_number() OVER () AS cart, items FROM (
		SELECT (array_agg(DISTINCT stock_code))[1:6] AS items FROM sales WHERE quantity > 0 GROUP BY invoice) i"
	database "CREATE UNIQUE INDEX ON carts (cart)"
	database "VACUUM ANALYZE carts"
	cat >"$SANDBOX/complete.pgbench" <<-'END'
		\set cart random(1, 15000)
		SELECT * FROM complete_basket((SELECT items FROM carts WHERE cart = :cart), 5, 'product_rules');
	END
	chmod a+r "$SANDBOX/complete.pgbench"
	load "$SANDBOX/complete.pgbench" 1 3
	load "$SANDBOX/complete.pgbench" 1 10
	row "complete_basket on $rules rules, p50" "$LOAD_P50 µs" "1000 µs asked for" "-"
	row "complete_basket on $rules rules, p99" "$LOAD_P99 µs" "-" "-"
	cat >"$SANDBOX/together.pgbench" <<-'END'
		\set cart random(1, 15000)
		SELECT * FROM frequently_bought_together((SELECT items[1] FROM carts WHERE cart = :cart), 5, 'sales_recsys');
	END
	chmod a+r "$SANDBOX/together.pgbench"
	load "$SANDBOX/together.pgbench" 1 10
	row "frequently_bought_together, p50" "$LOAD_P50 µs" "-" "-"
}

provision_server
sandbox_begin rules "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
if ! server_build; then
	grep -A 5 -E 'error|warning:' "$SERVER_LOG" | head -n 40 >&2
	stop "recsys does not build"
fi
for program in apriori generate; do
	sandbox_run 60 gcc -std=gnu11 -O2 -Wall -o "$SANDBOX/$program" "$SERVER_TREE/test/bench/$program.c" -lm ||
		stop "$program does not compile"
done
sandbox_run 120 make -s -C "$SERVER_TREE/test/core" build/plain/bench_itemset >"$SANDBOX/core.log" 2>&1 &&
	cp "$SERVER_TREE/test/core/build/plain/bench_itemset" "$SANDBOX/bench_itemset"
server_start "fsync = on" "shared_buffers = 1GB" "maintenance_work_mem = 1GB" "max_wal_size = 32GB" \
	"checkpoint_timeout = 1d" "autovacuum = off" "jit = off" || stop "the private server does not start"
SANDBOX_ENV+=(PGOPTIONS='-c client_min_messages=warning')
database "CREATE EXTENSION recsys"

for file in retail:0.05 T10I4D100K:0.05 mushroom:10; do
	percent=${file#*:}
	file=${file%:*}
	name=$(printf '%s' "$file" | tr A-Z a-z)
	name=${name%d100k}
	if wanted "$name" "fimi/$file.dat.gz"; then
		zcat "$data/fimi/$file.dat.gz" >"$SANDBOX/$name.dat"
		sandbox_own "$SANDBOX/$name.dat"
		mine "$name" "$SANDBOX/$name.dat" "$percent" $([ "$name" != mushroom ] || echo 256MB)
		[ "$name" != t10i4 ] || check_t10i4
	fi
done
if wanted kosarak; then
	sandbox_run 600 bash -c '"$1" users=990000 items=41270 interactions=8019015 sigma=1.3 2>/dev/null |
		sort -n -S 1G -k 1,1 | awk "\$1 != user { if (NR > 1) print line; user = \$1; line = \$2; next }
			{ line = line \" \" \$2 } END { print line }" >"$2"' - "$SANDBOX/generate" "$SANDBOX/tmp/kosarak.dat" ||
		stop "the baskets could not be generated"
	mine kosarak "$SANDBOX/tmp/kosarak.dat" 0.2
fi
if wanted shop online_retail/online_retail.csv.gz; then
	run_shop
fi

cat <<END

Item sets and rules on $("$PG_CONFIG" --version), $(nproc) CPUs, compared with ${RECSYS_MINER:-apriori.c}

| case | recsys | compared with | ratio |
|---|---|---|---|
$(cat "$MEASURE_TABLE")
END
server_stop
