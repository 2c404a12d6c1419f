# The constants of scale/simulate.py.  Sourced by scale.sh.

# section INDEX NAME: bytes
section()
{
	database "SELECT $2 FROM recsys.index_sections('$1')"
}

# divide A B [DIGITS]
divide()
{
	awk -v a="$1" -v b="$2" -v digits="${3:-1}" 'BEGIN { printf "%.*f", digits, a / b }'
}

# lists FROM TO: microseconds of a list of a user who has that many items, with the rows in memory
lists()
{
	processor "CREATE TEMP TABLE chosen AS SELECT user_id FROM (
	SELECT user_id FROM pairs GROUP BY user_id HAVING count(*) BETWEEN $1 AND $2 ORDER BY hashint8(user_id) LIMIT 1000) u, generate_series(1, 10) n
	ORDER BY n, hashint8(user_id);
SET enable_memoize = off;
SELECT count(*) FROM chosen, LATERAL recommend(chosen.user_id, 10, 'scale_recsys');
SELECT count(*) FROM chosen, LATERAL recommend(chosen.user_id, 10, 'scale_recsys');"
	awk -v s="$CPU_S" -v rows="$(grep -v Time "$SANDBOX/timed.out" | grep . | tail -n 1)" 'BEGIN { print s * 1e6 / (rows / 10) }'
}

run_constants()
{
	local n=1000000 user_entry user_owner item_entry item_owner heap_row long short build rate slow large
	local rows arrays packed sent inserted merged

	database "CREATE TABLE single (user_id bigint, item_id bigint); INSERT INTO single SELECT u, u % 1000 FROM generate_series(1, $n) u;
		CREATE INDEX single_recsys ON single USING recsys (user_id, item_id) WITH (similarity = popular);
		CREATE TABLE many (user_id bigint, item_id bigint); INSERT INTO many SELECT i % 1000, i FROM generate_series(1, $n) i;
		CREATE INDEX many_recsys ON many USING recsys (user_id, item_id) WITH (similarity = popular)"
	user_entry=$(divide "$(section many_recsys user_bytes)" $n)
	item_entry=$(divide "$(section single_recsys item_bytes)" $n)
	user_owner=$(awk -v all="$(section single_recsys user_bytes)" -v n=$n -v entry="$user_entry" 'BEGIN { printf "%.1f", all / n - entry }')
	item_owner=$(awk -v all="$(section many_recsys item_bytes)" -v n=$n -v entry="$item_entry" 'BEGIN { printf "%.1f", all / n - entry }')
	heap_row=$(divide "$(database "SELECT pg_relation_size('single')")" $n)
	database "DROP TABLE single, many"

	generate $((SCALE_INTERACTIONS * 69 / 5000)) $((SCALE_INTERACTIONS / 10)) "$SCALE_INTERACTIONS"
	both pairs
	slow=$(database "SELECT round(sum(n::float8 * n) / $GRAPH_S / 1e6) FROM (SELECT least(count(*), 2000) AS n FROM pairs GROUP BY user_id) u")
	long=$(lists 900 1100)
	short=$(lists 9 11)
	large=$(awk -v long="$long" -v short="$short" 'BEGIN { printf "%.2f", (long - short) / 990 }')
	database "DROP INDEX scale_recsys"

	generate $((SCALE_INTERACTIONS * 69 / 5000)) $((SCALE_INTERACTIONS * 27 / 10000)) "$SCALE_INTERACTIONS"
	both pairs
	build=$(awk -v s="$BUILD_S" -v n="$SCALE_INTERACTIONS" 'BEGIN { printf "%.2f", s * 1e6 / n }')
	rate=$(database "SELECT round(sum(n::float8 * n) / $GRAPH_S / 1e6) FROM (SELECT least(count(*), 2000) AS n FROM pairs GROUP BY user_id) u")
	long=$(lists 900 1100)
	short=$(lists 9 11)

	# the histories of a tenth of the users: rows and arrays as the server sends them in binary, arrays by gzip -1
	rows=$(sandbox_run "$BENCH_LIMIT" psql -X -q -c "COPY (SELECT user_id, item_id FROM pairs WHERE user_id % 10 = 0) TO STDOUT (FORMAT binary)" | wc -c)
	arrays=$(sandbox_run "$BENCH_LIMIT" psql -X -q -c "COPY (SELECT user_id, array_agg(item_id) FROM pairs WHERE user_id % 10 = 0 GROUP BY 1) TO STDOUT (FORMAT binary)" | wc -c)
	packed=$(sandbox_run "$BENCH_LIMIT" psql -X -q -c "COPY (SELECT user_id, array_agg(item_id ORDER BY item_id) FROM pairs WHERE user_id % 10 = 0 GROUP BY 1) TO STDOUT (FORMAT binary)" | gzip -1 | wc -c)
	sent=$(database "SELECT count(*) FROM pairs WHERE user_id % 10 = 0")

	# events of users and items as they occur, none of which is there
	processor "CREATE TABLE more AS SELECT a.user_id, b.item_id FROM
		(SELECT user_id, row_number() OVER (ORDER BY hashint8(user_id * 31 + item_id)) AS n FROM pairs WHERE item_id % 50 = 0) a JOIN
		(SELECT item_id, row_number() OVER (ORDER BY hashint8(user_id * 37 + item_id)) AS n FROM pairs WHERE user_id % 50 = 0) b USING (n) LIMIT 100000;
ANALYZE more;
INSERT INTO pairs SELECT * FROM more;"
	inserted=$(divide 100000 "$CPU_S" 0)
	processor "SELECT recsys.merge('scale_recsys');"
	merged=$(divide 100000 "$CPU_S" 0)
	processor "SELECT recsys.merge('scale_recsys', exact => true);"

	{
		echo "user_entry=$user_entry user_owner=$user_owner item_entry=$item_entry item_owner=$item_owner heap_row=$heap_row"
		echo "fast_updates=$rate slow_updates=$slow build_us=$build"
		awk -v long="$long" -v short="$short" -v large="$large" 'BEGIN { slope = (long - short) / 990; printf "list_us=%.1f item_us=%.2f large_item_us=%s\n", short - 10 * slope, slope, large }'
		echo "row_sent=$(divide "$rows" "$sent") array_sent=$(divide "$arrays" "$sent") array_packed=$(divide "$packed" "$sent")"
		echo "bulk_inserts=$inserted merged_events=$merged exact_merge_s=$CPU_S"
	} | tee "$SANDBOX/constants"
	database "DROP TABLE pairs, more"
	echo
	python3 "$root/test/bench/scale/simulate.py" $(cat "$SANDBOX/constants")
}
