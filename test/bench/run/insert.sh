# Inserting, one by one and in bulk; how fresh lists are meanwhile.  Sourced by run.sh.

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
