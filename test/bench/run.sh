#!/bin/bash
# make bench: measures recsys against plain PostgreSQL on the same data, in the
# same run, and prints a Markdown table of ratios.
#
#     test/bench/run.sh [option=value…] [part…]
#
# Parts: build auto memory size selfjoin serve shop factors parts insert fresh; without any, all
# but selfjoin, which takes minutes.  Options, with their defaults:
#     interactions=10000000  users=interactions/72.5  items=27000  seed=1
#     clients=8    clients of the concurrent measurements
#     seconds=10   length of one pgbench run
#     rounds=3     repetitions, whose median counts
#     rate=1000    inserts a second of the part fresh
#     memory=1GB,64MB,16MB   settings of maintenance_work_mem to build with
#     limit=7200   seconds after which everything is given up
#
# The default size needs some 6 GB of disk in TMPDIR (/tmp) and half an hour.  The
# server is private and gone afterwards, so is the data; missing packages are
# installed first (test/lib).  What the figures mean: README.md beside this.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

usage()
{
	sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

BENCH_INTERACTIONS=10000000
BENCH_USERS=
BENCH_ITEMS=27000
BENCH_SEED=1
BENCH_CLIENTS=8
BENCH_SECONDS=10
BENCH_ROUNDS=3
BENCH_RATE=1000
BENCH_MEMORY=1GB,64MB,16MB
BENCH_LIMIT=7200
parts=
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | users=[1-9]* | items=[1-9]* | seed=[0-9]* | clients=[1-9]* | \
			seconds=[1-9]* | rounds=[1-9]* | rate=[1-9]* | memory=[1-9]* | limit=[1-9]*)
			name=BENCH_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		build | auto | selfjoin | serve | shop | factors | parts | insert | size | memory | fresh) parts="$parts $argument " ;;
		*) usage ;;
	esac
done
: "${parts:= build auto serve shop factors parts insert size memory fresh }"
: "${BENCH_USERS:=$((BENCH_INTERACTIONS * 69 / 5000))}"

wanted()
{
	case "$parts" in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

# one model, so that figures of one day compare with those of another; part auto has the default
recsys_index="CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id) WITH (similarity = cosine);"
btree_index="CREATE INDEX pairs_btree ON pairs USING btree (user_id, item_id);"

# generate TABLE USERS INTERACTIONS: a table of two bigint columns, no index
generate()
{
	note "loading $3 interactions of $2 users"
	database "CREATE TABLE $1 (user_id bigint NOT NULL, item_id bigint NOT NULL)"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		"$1" users="$3" items="$4" interactions="$5" seed="$6" |
			psql -X -q -v ON_ERROR_STOP=1 -c "COPY $2 FROM STDIN"' - \
		"$SANDBOX/generate" "$1" "$2" "$BENCH_ITEMS" "$3" "$BENCH_SEED" 2>"$SANDBOX/error" ||
		stop "the data could not be loaded"
	sed 's/^/    /' "$SANDBOX/error" >&2
	# hint bits, so that no measurement writes them; the visibility map stays empty
	database "SELECT count(*) FROM $1" >/dev/null
	database "ANALYZE $1"
}

# build_once MEMORY WORKERS STATEMENT: sets TIMED_MS, WATCHED_KB and, of a recsys
# index, GRAPH_MS and PASSES
build_once()
{
	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database CHECKPOINT
	watched "SET maintenance_work_mem = '$1';
SET max_parallel_maintenance_workers = $2;
SET client_min_messages = debug1;
$3"
	GRAPH_MS=$(sed -n 's/.*recsys: computing item graph took \([0-9.]*\) s.*/\1/p' "$SANDBOX/error" | awk '{ print $1 * 1000 }')
	PASSES=$(sed -n 's/.*computed.* in \([0-9]*\) \(passes\|ranges, each a pass\).*/\1/p' "$SANDBOX/error")
}

kilobytes_of()
{
	case "$1" in
		*GB) echo $((${1%GB} * 1048576)) ;;
		*) echo $((${1%MB} * 1024)) ;;
	esac
}

# Rounds of all builds in turn; leaves no index behind.
run_build()
{
	local memory workers round limit peak btree_peak
	local -A ours theirs graph passes

	for memory in ${BENCH_MEMORY//,/ }; do
		peak=0 btree_peak=0 ours=() theirs=() graph=() passes=()
		for ((round = 0; round < build_rounds; round++)); do
			for workers in 0 2; do
				build_once "$memory" "$workers" "$recsys_index"
				ours[$workers]+=" $TIMED_MS"
				graph[$workers]+=" $GRAPH_MS"
				passes[$workers]=$PASSES
				[ "$WATCHED_KB" -le "$peak" ] || peak=$WATCHED_KB
				note "    build at $memory, $workers workers: recsys $TIMED_MS ms, of which the item graph $GRAPH_MS ms"
				build_once "$memory" "$workers" "$btree_index"
				theirs[$workers]+=" $TIMED_MS"
				[ "$WATCHED_KB" -le "$btree_peak" ] || btree_peak=$WATCHED_KB
				note "    build at $memory, $workers workers: btree $TIMED_MS ms"
			done
		done
		# unquoted lists on purpose: one number a word
		if wanted build; then
			for workers in 0 2; do
				row "build, $memory, $workers workers each${passes[$workers]:+, ${passes[$workers]} passes}" \
					"$(milliseconds "$(median ${ours[$workers]})")" "$(milliseconds "$(median ${theirs[$workers]})")" \
					"$(ratio "$(median ${ours[$workers]})" "$(median ${theirs[$workers]})")"
			done
			row "item graph, $memory, 2 workers against none" "$(milliseconds "$(median ${graph[2]})")" \
				"$(milliseconds "$(median ${graph[0]})")" \
				"1/$(ratio "$(median ${graph[0]})" "$(median ${graph[2]})")"
		fi
		if wanted memory; then
			limit=$(kilobytes_of "$memory")
			row "build memory, $memory, peak against the setting" "$(megabytes $((peak * 1024)))" "$(megabytes $((limit * 1024)))" \
				"$(ratio "$peak" "$limit"), $(awk -v kb=$((peak - limit)) 'BEGIN { printf "%+.0f MB", kb / 1024 }')"
			row "build memory, $memory, peak against the B-tree's" "$(megabytes $((peak * 1024)))" \
				"$(megabytes $((btree_peak * 1024)))" "$(ratio "$peak" "$btree_peak")"
		fi
	done
	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
}

run_size()
{
	local ours theirs

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database "$recsys_index"
	database "$btree_index"
	ours=$(database "SELECT pg_relation_size('pairs_recsys')")
	theirs=$(database "SELECT pg_relation_size('pairs_btree')")
	row "index size" "$(megabytes "$ours")" "$(megabytes "$theirs")" "$(ratio "$ours" "$theirs")"
}

# serve WHAT CLIENTS: both sides in turn; the medians stay in results[SIDE.METRIC]
declare -A results
serve()
{
	local round side metric value

	results=()
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for side in recommend lookup; do
			[ "$round" -gt 0 ] || load "$SERVER_TREE/test/bench/$side.pgbench" "$2" 3
			load "$SERVER_TREE/test/bench/$side.pgbench" "$2" "$BENCH_SECONDS"
			results[$side.p50]+=" $LOAD_P50"
			results[$side.p95]+=" $LOAD_P95"
			results[$side.p99]+=" $LOAD_P99"
			results[$side.tps]+=" $LOAD_TPS"
		done
	done
	for metric in p50 p95 p99 tps; do
		for side in recommend lookup; do
			# an unquoted list on purpose: one number a word
			value=$(median ${results[$side.$metric]})
			[ "$metric" != tps ] || value=$(printf '%.0f' "$value")
			results[$side]=$value
			results[$side.$metric]=$value
		done
		if [ "$metric" = tps ]; then
			row "$1, throughput" "${results[recommend]}/s" "${results[lookup]}/s" \
				"$(ratio "${results[recommend]}" "${results[lookup]}")"
		else
			row "$1, $metric" "${results[recommend]} µs" "${results[lookup]} µs" \
				"$(ratio "${results[recommend]}" "${results[lookup]}")"
		fi
	done
}

# What choosing a model adds to the build of the one that is chosen
run_auto()
{
	local memory=${BENCH_MEMORY%%,*} workers round model
	local -A chosen fixed

	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for workers in 0 2; do
			build_once "$memory" "$workers" "CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id);"
			chosen[$workers]+=" $TIMED_MS"
			model=$(database "SELECT model FROM recsys.index_stats WHERE index_name = 'pairs_recsys'")
			build_once "$memory" "$workers" "CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id) WITH ($model);"
			fixed[$workers]+=" $TIMED_MS"
			note "    build with $workers workers: auto${chosen[$workers]##* } ms, fixed${fixed[$workers]##* } ms ($model)"
		done
	done
	for workers in 0 2; do
		row "build with similarity = auto, $memory, $workers workers, against the model it chose" \
			"$(milliseconds "$(median ${chosen[$workers]})")" "$(milliseconds "$(median ${fixed[$workers]})")" \
			"$(ratio "$(median ${chosen[$workers]})" "$(median ${fixed[$workers]})")"
	done
	database "DROP INDEX IF EXISTS pairs_recsys"
}

run_serve()
{
	local before

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database "$recsys_index"
	note "writing the 10 best items of every user"
	database "CREATE TABLE lists (user_id bigint, rank integer, item_id bigint NOT NULL, score real NOT NULL,
		PRIMARY KEY (user_id, rank))"
	database "INSERT INTO lists SELECT u, r.rank, r.item_id, r.score
		FROM generate_series(1, $BENCH_USERS) u,
			 recommend(u::bigint, 10) r"
	database "VACUUM ANALYZE lists"
	database CHECKPOINT
	pin
	serve "recommend, 1 client, pinned, table never vacuumed" 1
	unpin
	before=("${results[recommend.p50]}" "${results[recommend.p99]}")
	database "VACUUM ANALYZE pairs"
	database CHECKPOINT
	pin
	serve "recommend, 1 client, pinned, table vacuumed" 1
	unpin
	row "recommend, never vacuumed against vacuumed, p50" "${before[0]} µs" "${results[recommend.p50]} µs" \
		"$(ratio "${before[0]}" "${results[recommend.p50]}")"
	row "recommend, never vacuumed against vacuumed, p99" "${before[1]} µs" "${results[recommend.p99]} µs" \
		"$(ratio "${before[1]}" "${results[recommend.p99]}")"
	serve "recommend, $BENCH_CLIENTS clients, table vacuumed" "$BENCH_CLIENTS"
	database "DROP TABLE lists"
}

# shop_load WHAT SCRIPT RECOMMENDER OTHER: two recommenders in turn, one client
shop_load()
{
	local round side metric

	local -A results=()
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for side in "$3" "$4"; do
			LOAD_OPTIONS=(-D "recommender=$side" -D "typical=$typical")
			[ "$round" -gt 0 ] || load "$SERVER_TREE/test/bench/$2.pgbench" 1 3
			load "$SERVER_TREE/test/bench/$2.pgbench" 1 "$BENCH_SECONDS"
			results[$side.p50]+=" $LOAD_P50"
			results[$side.p99]+=" $LOAD_P99"
		done
	done
	LOAD_OPTIONS=()
	for metric in p50 p99; do
		for side in "$3" "$4"; do
			# an unquoted list on purpose: one number a word
			results[$side]=$(median ${results[$side.$metric]})
		done
		row "$1, $metric" "${results[$3]} µs" "${results[$4]} µs" "$(ratio "${results[$3]}" "${results[$4]}")"
	done
}

# A declared recommender against the index that its first signal is.
run_shop()
{
	local typical=1

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database "$recsys_index"
	database "VACUUM ANALYZE pairs"
	BENCH_SEED=$((BENCH_SEED + 1)) generate viewed "$BENCH_USERS" "$BENCH_INTERACTIONS"
	sandbox_run "$BENCH_LIMIT" psql -X -q -A -t -v ON_ERROR_STOP=1 -v items="$BENCH_ITEMS" -f "$SERVER_TREE/test/bench/shop.sql" \
		>/dev/null 2>"$SANDBOX/error" || stop "the shop cannot be made"
	typical=$(database "SELECT count(*) FROM typical")
	database CHECKPOINT
	pin
	shop_load "declared, no rules, against the index" shop nothing pairs_recsys
	shop_load "a filter that nine of ten pass, against the index" shop filtered pairs_recsys
	shop_load "two signals, against the index" shop signals pairs_recsys
	shop_load "two signals, filter, seller cap, diversity, against the index" shop shop pairs_recsys
	shop_load "a filter that 1 of 10,000 passes, against the index" shop rare pairs_recsys
	shop_load "the same, unknown to the planner, against the index" shop unknown pairs_recsys
	shop_load "graph from a table, histories of 70, against the index" shop_typical tabled pairs_recsys
	unpin
	database "SELECT recsys.drop_recommender(name) FROM recsys.recommender" >/dev/null
	database "DROP MATERIALIZED VIEW similarity; DROP TABLE viewed, views, items, typical"
}

# A model of factors against an item graph, over 41,000 items, on a table of its own
run_factors()
{
	local count=$((BENCH_INTERACTIONS < 3000000 ? BENCH_INTERACTIONS : 3000000)) BENCH_ITEMS=41000
	local BENCH_USERS=$((count * 69 / 5000)) typical=1

	generate visits "$BENCH_USERS" "$count"
	database "CREATE INDEX visits_graph ON visits USING recsys (user_id, item_id) WITH (similarity = cosine)"
	note "computing factors"
	database "CREATE INDEX visits_factors ON visits USING recsys (user_id, item_id) WITH (similarity = als)"
	database "VACUUM ANALYZE visits"
	database CHECKPOINT
	pin
	shop_load "factors of 41,000 items against the item graph" shop visits_factors visits_graph
	unpin
	database "DROP TABLE visits"
}

# partition NUMBER: the rows of pairs in so many partitions, over which everybody's are spread, as they are by month
partition()
{
	note "copying the table into $1 partitions"
	database "CREATE TABLE parted_$1 (user_id bigint NOT NULL, item_id bigint NOT NULL, month integer NOT NULL) PARTITION BY LIST (month)"
	database "DO \$\$ BEGIN
		FOR m IN 0 .. $1 - 1 LOOP
			EXECUTE format('CREATE TABLE parted_${1}_%s PARTITION OF parted_$1 FOR VALUES IN (%1\$s)', m);
		END LOOP;
	END \$\$"
	database "INSERT INTO parted_$1 SELECT user_id, item_id, floor(random() * $1) FROM pairs"
	database "SELECT count(*) FROM parted_$1" >/dev/null
}

# A partitioned table against a plain one: building, answers, what recommend takes
run_parts()
{
	local index="USING recsys (user_id, item_id) WITH (similarity = cosine)" number workers round differences typical=1
	local -A ours=() theirs=()

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	partition 12
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for workers in 0 2; do
			database "DROP INDEX IF EXISTS parted_12_recsys, pairs_recsys"
			database CHECKPOINT
			timed "SET max_parallel_maintenance_workers = $workers;
CREATE INDEX parted_12_recsys ON parted_12 $index;"
			ours[$workers]+=" $TIMED_MS"
			database CHECKPOINT
			timed "SET max_parallel_maintenance_workers = $workers;
CREATE INDEX pairs_recsys ON pairs $index;"
			theirs[$workers]+=" $TIMED_MS"
			note "    build with $workers workers: 12 partitions ${ours[$workers]##* } ms, one table ${theirs[$workers]##* } ms"
		done
	done
	for workers in 0 2; do
		row "build over 12 partitions against one table, $workers workers" \
			"$(milliseconds "$(median ${ours[$workers]})")" "$(milliseconds "$(median ${theirs[$workers]})")" \
			"$(ratio "$(median ${ours[$workers]})" "$(median ${theirs[$workers]})")"
	done
	database "VACUUM ANALYZE pairs"
	for number in 12 1 24; do
		[ "$number" = 12 ] || partition "$number"
		[ "$number" = 12 ] || database "CREATE INDEX parted_${number}_recsys ON parted_$number $index"
		database "VACUUM ANALYZE parted_$number"
		database CHECKPOINT
		differences=$(database "SELECT count(*) FROM item_similarity('parted_${number}_recsys') p
			FULL JOIN item_similarity('pairs_recsys') i USING (item_id, similar_item_id)
			WHERE p.rank IS DISTINCT FROM i.rank OR p.support IS DISTINCT FROM i.support OR p.score IS DISTINCT FROM i.score")
		row "item pairs that differ, $number partitions" "$differences" "-" "-"
		differences=$(database "SELECT count(*) FROM generate_series(1, least(10000, $BENCH_USERS)) u, LATERAL (
			SELECT count(*) FILTER (WHERE p.item_id IS DISTINCT FROM i.item_id OR p.score IS DISTINCT FROM i.score) > 0 AS differs
			FROM recommend(u::bigint, 10, 'parted_${number}_recsys') WITH ORDINALITY p
			FULL JOIN recommend(u::bigint, 10, 'pairs_recsys') WITH ORDINALITY i USING (ordinality)) d WHERE differs")
		row "users whose lists differ, of the first 10,000, $number partitions" "$differences" "-" "-"
		pin
		shop_load "recommend over $number partitions against one table" shop "parted_${number}_recsys" pairs_recsys
		unpin
		database "DROP TABLE parted_$number"
	done
}

# insert_rounds WHAT CLIENTS SETTING [checkpoint]: both tables in turn
insert_rounds()
{
	local round side

	local -A results=()
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for side in pairs control; do
			[ -z "$4" ] || database CHECKPOINT
			load "$SERVER_TREE/test/bench/insert_$side.pgbench" "$2" "$BENCH_SECONDS" "synchronous_commit=$3"
			results[$side]+=" $LOAD_TPS"
		done
	done
	# unquoted lists on purpose: one number a word
	results[ours]=$(median ${results[pairs]})
	results[theirs]=$(median ${results[control]})
	row "$1" "$(printf '%.0f' "${results[ours]}")/s" "$(printf '%.0f' "${results[theirs]}")/s" \
		"$(ratio "${results[ours]}" "${results[theirs]}")"
}

# The rows of fresh by COPY; each round gives them to other users
bulk_copy()
{
	local round statement ours=() theirs=()

	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		database "COPY (SELECT 1 + (user_id + 104729 + $round * 7919) % $BENCH_USERS, item_id
			FROM fresh) TO '$SERVER_DATA/fresh.copy'"
		for statement in pairs control; do
			timed "COPY $statement FROM '$SERVER_DATA/fresh.copy';"
			[ "$statement" = pairs ] && ours+=("$TIMED_MS") || theirs+=("$TIMED_MS")
		done
	done
	row "COPY of $count rows" "$(milliseconds "$(median "${ours[@]}")")" "$(milliseconds "$(median "${theirs[@]}")")" \
		"$(ratio "$(median "${theirs[@]}")" "$(median "${ours[@]}")")"
}

# UPDATE of a column that neither index has, of all rows of a table of its own with full pages
bulk_update()
{
	local round table size_before size_after rows ours=() theirs=() bare=()

	database "CREATE TABLE noted AS SELECT user_id, item_id, 0 AS note FROM pairs LIMIT $((BENCH_INTERACTIONS / 25));
		CREATE TABLE noted_control AS SELECT * FROM noted;
		CREATE TABLE noted_bare AS SELECT * FROM noted;
		CREATE INDEX noted_recsys ON noted USING recsys (user_id, item_id) WITH (similarity = cosine);
		CREATE INDEX noted_btree ON noted_control (user_id, item_id)"
	database "VACUUM noted, noted_control, noted_bare"
	rows=$(database "SELECT count(*) FROM noted")
	size_before=$(database "SELECT pg_relation_size('noted_recsys')")
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for table in noted noted_control noted_bare; do
			timed "UPDATE $table SET note = note + 1;"
			case "$table" in
				noted) ours+=("$TIMED_MS") ;;
				noted_control) theirs+=("$TIMED_MS") ;;
				*) bare+=("$TIMED_MS") ;;
			esac
		done
		[ "$round" -gt 0 ] || size_after=$(database "SELECT pg_relation_size('noted_recsys')")
		database "VACUUM noted, noted_control, noted_bare"
	done
	row "UPDATE of another column of $rows rows" "$(milliseconds "$(median "${ours[@]}")")" \
		"$(milliseconds "$(median "${theirs[@]}")")" "$(ratio "$(median "${theirs[@]}")" "$(median "${ours[@]}")")"
	row "the same without an index" "$(milliseconds "$(median "${ours[@]}")")" \
		"$(milliseconds "$(median "${bare[@]}")")" "$(ratio "$(median "${bare[@]}")" "$(median "${ours[@]}")")"
	row "index size after it against before" "$(megabytes "$size_after")" "$(megabytes "$size_before")" \
		"$(ratio "$size_after" "$size_before")"
	database "DROP TABLE noted, noted_control, noted_bare"
}

run_insert()
{
	local count round ours=() theirs=() statement

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database "$recsys_index"
	note "copying the table for the B-tree"
	database "CREATE TABLE control AS SELECT * FROM pairs"
	database "ALTER TABLE control ALTER user_id SET NOT NULL, ALTER item_id SET NOT NULL"
	database "CREATE INDEX control_btree ON control USING btree (user_id, item_id)"
	database "SELECT count(*) FROM control" >/dev/null
	database "CREATE TABLE fresh AS
		SELECT floor(random() * $BENCH_USERS)::bigint AS user_id, item_id
		FROM pairs TABLESAMPLE BERNOULLI (2)"
	count=$(database "SELECT count(*) FROM fresh")
	database CHECKPOINT
	# round 0 follows a checkpoint and logs whole pages; it is a row of its own
	for ((round = 0; round <= BENCH_ROUNDS; round++)); do
		for statement in pairs control; do
			timed "INSERT INTO $statement
SELECT 1 + (user_id + $round * 7919) % $BENCH_USERS, item_id FROM fresh;"
			if [ "$statement" = pairs ]; then
				ours+=("$TIMED_MS")
			else
				theirs+=("$TIMED_MS")
			fi
		done
	done
	row "bulk insert of $count rows, just after a checkpoint" "$(milliseconds "${ours[0]}")" "$(milliseconds "${theirs[0]}")" \
		"$(ratio "${theirs[0]}" "${ours[0]}")"
	row "bulk insert of $count rows" "$(milliseconds "$(median "${ours[@]:1}")")" \
		"$(milliseconds "$(median "${theirs[@]:1}")")" \
		"$(ratio "$(median "${theirs[@]:1}")" "$(median "${ours[@]:1}")")"

	bulk_copy
	bulk_update
	insert_rounds "insert, 1 client, synchronous_commit on" 1 on
	insert_rounds "insert, $BENCH_CLIENTS clients, synchronous_commit on" "$BENCH_CLIENTS" on
	insert_rounds "insert, 1 client, synchronous_commit off" 1 off
	insert_rounds "insert, $BENCH_CLIENTS clients, synchronous_commit off" "$BENCH_CLIENTS" off
	insert_rounds "insert, 1 client, synchronous_commit off, just after a checkpoint" 1 off checkpoint
	database "DROP TABLE control, fresh"
}

# How long until a committed insert shows in everybody's similar_items, at a steady
# rate of inserts, and what that does to recommend.  The background worker merges.
run_fresh()
{
	local seconds=$((BENCH_SECONDS * 9)) inserts=$SANDBOX/inserts idle kind

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database "$recsys_index"
	database "VACUUM ANALYZE pairs"
	database "$(cat "$root/test/bench/fresh.sql")"
	database "ALTER SYSTEM SET shared_preload_libraries = 'recsys'"
	sandbox_run 120 pg_ctl -D "$SERVER_DATA" -l "$SANDBOX/server.log" -w restart >/dev/null 2>&1 ||
		stop "the server does not start with recsys preloaded"
	LOAD_OPTIONS=(-R 200)
	load "$SERVER_TREE/test/bench/recommend.pgbench" 2 "$BENCH_SECONDS"
	load "$SERVER_TREE/test/bench/recommend.pgbench" 2 "$((BENCH_SECONDS * 2))"
	idle=("$LOAD_P50" "$LOAD_P99")

	note "    $BENCH_RATE inserts a second for $seconds seconds"
	mkdir "$inserts"
	sandbox_own "$inserts"
	sandbox_run "$BENCH_LIMIT" bash -c 'cd "$1" && shift && exec pgbench "$@" >out 2>&1' - "$inserts" \
		-n -M prepared -c 2 -j 1 -T "$seconds" -R "$BENCH_RATE" -D users="$BENCH_USERS" -D items="$BENCH_ITEMS" \
		-f "$SERVER_TREE/test/bench/insert_pairs.pgbench" &
	inserting=$!
	sandbox_run "$BENCH_LIMIT" bash -c 'cd "$1" && shift && exec pgbench "$@" >probes 2>&1' - "$inserts" \
		-n -c 10 -j 1 -T "$((seconds - 15))" -D users="$BENCH_USERS" -D items="$BENCH_ITEMS" \
		-f "$SERVER_TREE/test/bench/fresh.pgbench" &
	probing=$!
	load "$SERVER_TREE/test/bench/recommend.pgbench" 2 "$((seconds - 10))"
	wait "$inserting" || stop "the inserts failed"
	wait "$probing" || stop "the probes failed"
	LOAD_OPTIONS=()
	database "SELECT format('    %s: %s probes, p50 %s s, p90 %s s, p99 %s s, longest %s s', kind, count(*),
			round(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 1),
			round(percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds)::numeric, 1),
			round(percentile_disc(0.99) WITHIN GROUP (ORDER BY seconds)::numeric, 1), round(max(seconds)::numeric, 1))
		FROM probes GROUP BY kind ORDER BY kind" >&2
	database "SELECT format('    pending %s, inexact items %s of %s, last merge %s ms', pending, inexact_items, items, last_merge_ms)
		FROM recsys.index_stats" >&2
	for kind in "new item" "known pair"; do
		row "$kind inserted until in similar_items, p99, at $(awk '/^tps = / { printf "%.0f", $3 }' "$inserts/out") inserts/s" \
			"$(database "SELECT round(percentile_disc(0.99) WITHIN GROUP (ORDER BY seconds)::numeric, 1) FROM probes WHERE kind = '$kind'") s" \
			"-" "-"
	done
	row "recommend meanwhile against idle, 200 a second, p50" "$LOAD_P50 µs" "${idle[0]} µs" "$(ratio "$LOAD_P50" "${idle[0]}")"
	row "recommend meanwhile against idle, 200 a second, p99" "$LOAD_P99 µs" "${idle[1]} µs" "$(ratio "$LOAD_P99" "${idle[1]}")"
	database "DROP TABLE probes; DROP PROCEDURE probe"
}

# On a table of its own, a tenth of the size.
run_selfjoin()
{
	local users=$((BENCH_USERS / 10)) count=$((BENCH_INTERACTIONS / 10)) differences ours=() round theirs
	# the self-join does not cap anybody's history
	local uncapped="${recsys_index%;} WITH (max_history = 100000);"

	if wanted_other_than_selfjoin; then
		database "ALTER TABLE pairs RENAME TO all_pairs"
	fi
	generate pairs "$users" "$count"
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		build_once 1GB 0 "$uncapped"
		ours+=("$TIMED_MS")
	done
	note "the self-join"
	timed "SET work_mem = '1GB';
SET max_parallel_workers_per_gather = 0;
$(cat "$root/test/bench/selfjoin.sql")"
	theirs=$TIMED_MS
	row "build at $count rows against a self-join" "$(milliseconds "$(median "${ours[@]}")")" "$(milliseconds "$theirs")" \
		"1/$(ratio "$theirs" "$(median "${ours[@]}")")"
	differences=$(database "SELECT count(*) FROM selfjoin s
		FULL JOIN item_similarity('pairs_recsys') i USING (item_id, similar_item_id)
		WHERE s.rank IS DISTINCT FROM i.rank OR s.support IS DISTINCT FROM i.support
		   OR abs(s.score - i.score) > 1e-6")
	row "item pairs that differ from the self-join's" "$differences" "$(database "SELECT count(*) FROM selfjoin") pairs" "-"
	database "DROP TABLE selfjoin, pairs"
	if wanted_other_than_selfjoin; then
		database "ALTER TABLE all_pairs RENAME TO pairs"
	fi
}

wanted_other_than_selfjoin()
{
	wanted build || wanted auto || wanted serve || wanted shop || wanted parts || wanted insert || wanted size || wanted memory || wanted fresh
}

provision_server
sandbox_begin bench "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
if ! server_build; then
	grep -A 5 -E 'error|warning:' "$SERVER_LOG" | head -n 40 >&2
	stop "recsys does not build"
fi
sandbox_run 60 gcc -std=gnu11 -O2 -Wall -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm ||
	stop "the generator does not compile"
# the later setting of a name wins: fsync is on
server_start "fsync = on" "shared_buffers = 1GB" "maintenance_work_mem = 1GB" "work_mem = 64MB" \
	"max_wal_size = 32GB" "checkpoint_timeout = 1d" "autovacuum = off" "jit = off" \
	"max_connections = $((BENCH_CLIENTS + 20))" || stop "the private server does not start"
SANDBOX_ENV+=(PGOPTIONS='-c client_min_messages=warning')
database "CREATE EXTENSION recsys"

if wanted_other_than_selfjoin; then
	generate pairs "$BENCH_USERS" "$BENCH_INTERACTIONS"
fi
if wanted build; then
	build_rounds=$BENCH_ROUNDS
	run_build
elif wanted memory; then
	build_rounds=1
	run_build
fi
! wanted size || run_size
! wanted selfjoin || run_selfjoin
! wanted auto || run_auto
! wanted serve || run_serve
! wanted shop || run_shop
! wanted factors || run_factors
! wanted parts || run_parts
! wanted insert || run_insert
! wanted fresh || run_fresh

cat <<END

recsys on $("$PG_CONFIG" --version), $(nproc) CPUs, $BENCH_INTERACTIONS interactions of $BENCH_USERS users with $BENCH_ITEMS items, seed $BENCH_SEED

| measure | recsys | compared with | ratio |
|---|---|---|---|
$(cat "$MEASURE_TABLE")
END
server_stop
