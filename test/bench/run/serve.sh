# Lists of one user: by item graph and factors, of an index and of a declared recommender.  Sourced by
# run.sh.

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
