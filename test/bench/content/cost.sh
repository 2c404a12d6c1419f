# What content costs: parts of content.sh with generated products.

products="item_id bigint, category text, brand text, tags text[], title text, price numeric, embedding real[]"
attributes="category text_label_ops, brand text_label_ops, tags, title, price, embedding"
content_index="CREATE INDEX products_recsys ON products USING recsys_items (item_id, $attributes);"
users=50000
purchases=1000000

# make_products TABLE ITEMS [FIRST]
make_products()
{
	program catalogue -lm
	made products "$SANDBOX/catalogue" products items="$2" first="${3:-1}"
	database "CREATE TABLE $1 ($products); COPY $1 FROM '$SANDBOX/products'"
	database "VACUUM ANALYZE $1"
	rm -f "$SANDBOX/products"
}

# Products and purchases with an index each, if they are not there; sets BUILD_MS, FIRST_MS
make_market()
{
	[ "$(database "SELECT to_regclass('products')")" = "" ] || return 0
	note "loading $CONTENT_ITEMS products and $purchases purchases"
	make_products products "$CONTENT_ITEMS"
	database "ALTER TABLE products ADD PRIMARY KEY (item_id)"
	made purchases "$SANDBOX/catalogue" purchases items="$CONTENT_ITEMS" users="$users" purchases="$purchases"
	database "CREATE TABLE purchases (user_id bigint, item_id bigint); COPY purchases FROM '$SANDBOX/purchases'"
	rm -f "$SANDBOX/purchases"
	database "VACUUM ANALYZE purchases, products"
	database CHECKPOINT
	timed "SET max_parallel_maintenance_workers = 2;
$content_index"
	BUILD_MS=$TIMED_MS
	timed "SET max_parallel_maintenance_workers = 2;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id) WITH ($CONTENT_MODEL);"
	FIRST_MS=$TIMED_MS
	database "VACUUM ANALYZE purchases, products"
	database CHECKPOINT
}

# latencies NAME SCRIPT RECOMMENDER: sets NAME_P50 and NAME_P99, medians of all rounds
latencies()
{
	local round p50=() p99=()

	LOAD_OPTIONS=(-D "recommender=$3")
	load "$SERVER_TREE/test/bench/content/$2.pgbench" 1 2
	for ((round = 0; round < CONTENT_ROUNDS; round++)); do
		load "$SERVER_TREE/test/bench/content/$2.pgbench" 1 "$CONTENT_SECONDS"
		p50+=("$LOAD_P50")
		p99+=("$LOAD_P99")
	done
	LOAD_OPTIONS=()
	printf -v "$1_P50" '%s' "$(median "${p50[@]}")"
	printf -v "$1_P99" '%s' "$(median "${p99[@]}")"
}

# both MEASURE A B: two rows of latencies
both()
{
	local a50=$2_P50 a99=$2_P99 b50=$3_P50 b99=$3_P99

	row "$1, p50" "${!a50} µs" "${!b50} µs" "$(ratio "${!a50}" "${!b50}")"
	row "$1, p99" "${!a99} µs" "${!b99} µs" "$(ratio "${!a99}" "${!b99}")"
}

# recall TABLE INDEX: how many of the ten that items_like finds, which compares with all, an item's row in the
# graph has; by their scores, as many are exactly as alike.  Sets RECALL and SEARCH_MS, milliseconds of a search.
recall()
{
	database "DROP TABLE IF EXISTS exact, asked;
		CREATE TABLE asked AS SELECT * FROM $1 ORDER BY md5(item_id::text) LIMIT $CONTENT_ASKED"
	# price as a string, or it would be rounded
	timed "CREATE TABLE exact AS SELECT a.item_id, s.item_id AS similar_item_id, s.score, row_number() OVER (PARTITION BY a.item_id ORDER BY s.rank) AS place
	FROM asked a, LATERAL items_like(to_jsonb(a) - 'item_id', 12, '$2') s WHERE s.item_id <> a.item_id;"
	SEARCH_MS=$(awk -v ms="$TIMED_MS" -v n="$CONTENT_ASKED" 'BEGIN { printf "%.2f", ms / n }')
	# the order among those that are exactly as alike is drawn: 1/4096 of a score at most
	RECALL=$(database "SELECT round(avg(least(found, 10) / 10.0), 4) FROM (
		SELECT e.item_id, count(s.item_id) AS found FROM exact e LEFT JOIN LATERAL similar_items(e.item_id, 10, '$2') s ON s.score >= e.score * (1 - 1 / 4096.0)
		WHERE e.place = 10 GROUP BY e.item_id) r")
}

run_scale()
{
	local pending=1000

	[ "$(database "SHOW shared_preload_libraries")" = "" ] || restart ''
	make_market
	row "$CONTENT_ITEMS items of 6 attributes, build, 2 workers each, against $purchases purchases" "$(milliseconds "$BUILD_MS")" \
		"$(milliseconds "$FIRST_MS")" "$(ratio "$BUILD_MS" "$FIRST_MS")"
	numbers "index size, MB, against that of the purchases" "$(database "SELECT pg_relation_size('products_recsys') / 1048576")" \
		"$(database "SELECT pg_relation_size('purchases_recsys') / 1048576")"
	pin
	latencies OURS similar products_recsys
	latencies FIRST similar purchases_recsys
	both "similar_items by content against by purchases" OURS FIRST
	recall products products_recsys
	row "neighbors in the graph against all compared, recall at 10 of $CONTENT_ASKED items" "$RECALL" 1 "$RECALL"
	row "search by content (items_like, all items compared), against similar_items, p50" "$SEARCH_MS ms" "$OURS_P50 µs" \
		"$(awk -v a="$SEARCH_MS" -v b="$OURS_P50" 'BEGIN { printf "%.0f", a * 1000 / b }')"
	make_products coming "$pending" "$((CONTENT_ITEMS + 1))"
	timed "INSERT INTO products SELECT * FROM coming;"
	row "$pending products inserted, an item" "$(awk -v ms="$TIMED_MS" -v n="$pending" 'BEGIN { printf "%.0f", ms * 1000 / n }') µs" "-" "-"
	pending=$(database "SELECT pending FROM recsys.index_stats WHERE index_name = 'products_recsys'")
	latencies LATE similar products_recsys
	both "similar_items with $pending items not merged against none" LATE OURS
	timed "SELECT count(*) FROM coming c, LATERAL similar_items(c.item_id, 10, 'products_recsys');"
	row "similar_items of items not merged yet, mean, against merged ones, p50" "$(awk -v ms="$TIMED_MS" 'BEGIN { printf "%.0f", ms }') µs" "$OURS_P50 µs" \
		"$(ratio "$TIMED_MS" "$OURS_P50")"
	timed "SELECT recsys.merge('products_recsys');"
	row "$pending changes merged, an item, against an item of the build" "$(awk -v ms="$TIMED_MS" -v n="$pending" 'BEGIN { printf "%.2f", (n > 0 ? ms / n : 0) }') ms" \
		"$(awk -v ms="$BUILD_MS" -v n="$CONTENT_ITEMS" 'BEGIN { printf "%.2f", ms / n }') ms" \
		"$(awk -v a="$TIMED_MS" -v n="$pending" -v b="$BUILD_MS" -v m="$CONTENT_ITEMS" 'BEGIN { printf "%.2f", (n > 0 ? a / n / (b / m) : 0) }')"
	recall products products_recsys
	row "after the merge, recall at 10" "$RECALL" 1 "$RECALL"
	unpin
	database "DROP TABLE coming, exact, asked"
}

# The server with the background worker, or without
restart()
{
	database "ALTER SYSTEM SET shared_preload_libraries = '$1'"
	# what is dirty is written now: shutting down would wait for it no longer than a minute
	database CHECKPOINT
	sandbox_run 300 pg_ctl -D "$SERVER_DATA" -l "$SANDBOX/server.log" -w -t 280 restart >/dev/null 2>&1 ||
		stop "the server does not start again"
}

run_large()
{
	local items built btree

	database "DROP TABLE IF EXISTS products, purchases"
	for items in ${CONTENT_LARGE//,/ }; do
		note "loading $items products"
		make_products products "$items"
		timed "SET max_parallel_maintenance_workers = 2;
$content_index"
		built=$TIMED_MS
		timed "SET max_parallel_maintenance_workers = 2;
CREATE INDEX products_btree ON products (title);"
		btree=$TIMED_MS
		recall products products_recsys
		row "$items items, build, 2 workers each, against a B-tree of their titles" "$(milliseconds "$built")" "$(milliseconds "$btree")" "$(ratio "$built" "$btree")"
		row "$items items, recall at 10 of $CONTENT_ASKED items against all compared" "$RECALL" "1" "$RECALL"
		numbers "$items items: index size, MB, against that of the table" "$(database "SELECT pg_relation_size('products_recsys') / 1048576")" \
			"$(database "SELECT pg_table_size('products') / 1048576")"
		database "DROP TABLE products, exact, asked"
	done
}

run_fresh()
{
	local inserts=$SANDBOX/inserts inserting probing idle rate

	make_market
	database "$(cat "$SERVER_TREE/test/bench/content/fresh.sql")"
	database "SELECT recsys.merge('products_recsys'), recsys.merge('purchases_recsys')" >/dev/null
	# numbers that no other part has taken
	make_products coming "$((CONTENT_RATE * (CONTENT_FRESH + 2)))" "$((CONTENT_ITEMS * 2))"
	database "ALTER TABLE coming ADD n bigserial PRIMARY KEY; CREATE SEQUENCE coming_n"
	database "SELECT recsys.create_recommender('home', signals => '[{\"events\": \"purchases_recsys\"}]', items => 'products', item_key => 'item_id', content => 'products_recsys')" >/dev/null
	restart recsys
	BENCH_USERS=$users
	LOAD_OPTIONS=(-D recommender=home -R 100)
	load "$SERVER_TREE/test/bench/content/recommend.pgbench" 1 2
	load "$SERVER_TREE/test/bench/content/recommend.pgbench" 1 "$CONTENT_SECONDS"
	idle=("$LOAD_P50" "$LOAD_P99")
	note "    $CONTENT_RATE products a second for $CONTENT_FRESH seconds"
	mkdir "$inserts"
	sandbox_own "$inserts"
	sandbox_run "$BENCH_LIMIT" bash -c 'cd "$1" && shift && exec pgbench "$@" >out 2>&1' - "$inserts" \
		-n -M prepared -c 8 -j 1 -T "$CONTENT_FRESH" -R "$CONTENT_RATE" -f "$SERVER_TREE/test/bench/content/insert.pgbench" &
	inserting=$!
	sandbox_run "$BENCH_LIMIT" bash -c 'cd "$1" && shift && exec pgbench "$@" >probes 2>&1' - "$inserts" \
		-n -c 4 -j 1 -T "$((CONTENT_FRESH - 2))" -f "$SERVER_TREE/test/bench/content/probe.pgbench" &
	probing=$!
	load "$SERVER_TREE/test/bench/content/recommend.pgbench" 1 "$((CONTENT_FRESH - 3))"
	wait "$inserting" || stop "the inserts failed: $(tail -n 3 "$inserts/out")"
	wait "$probing" || stop "the probes failed: $(tail -n 3 "$inserts/probes")"
	LOAD_OPTIONS=()
	rate=$(awk '/^tps = / { printf "%.0f", $3 }' "$inserts/out")
	database "SELECT format('    pending %s, inexact items %s of %s, last merge %s ms', pending, inexact_items, items, last_merge_ms)
		FROM recsys.index_stats WHERE index_name = 'products_recsys'" >&2
	row "products inserted a second, against those asked for" "$rate" "$CONTENT_RATE" "$(ratio "$rate" "$CONTENT_RATE")"
	for share in 0.5 0.99; do
		row "product inserted until in recommend, p$(awk -v q="$share" 'BEGIN { print 100 * q }') of $(database "SELECT count(*) FROM probes") probes, at $rate a second, against 5 s" \
			"$(database "SELECT round(1000 * percentile_disc($share) WITHIN GROUP (ORDER BY seconds)) FROM probes") ms" "5000 ms" \
			"$(database "SELECT round((percentile_disc($share) WITHIN GROUP (ORDER BY seconds) / 5)::numeric, 2) FROM probes")"
	done
	row "the first two calls of similar_items after it was listed, p99" \
		"$(database "SELECT round(1000 * percentile_disc(0.99) WITHIN GROUP (ORDER BY first_seconds)) FROM probes") ms" "-" "-"
	numbers "it had neighbors at once, probes" "$(database "SELECT count(*) FILTER (WHERE neighbors) FROM probes")" "$(database "SELECT count(*) FROM probes")"
	numbers "it was a neighbor of an old one at once, probes" "$(database "SELECT count(*) FILTER (WHERE neighbor) FROM probes")" "$(database "SELECT count(*) FROM probes")"
	row "recommend meanwhile against idle, p50" "$LOAD_P50 µs" "${idle[0]} µs" "$(ratio "$LOAD_P50" "${idle[0]}")"
	row "recommend meanwhile against idle, p99" "$LOAD_P99 µs" "${idle[1]} µs" "$(ratio "$LOAD_P99" "${idle[1]}")"
	rm -rf "$inserts"
	database "SELECT recsys.drop_recommender('home')" >/dev/null
	database "DROP TABLE products, purchases, coming, probes, niches CASCADE; DROP PROCEDURE probe; DROP SEQUENCE probe_n, coming_n"
}
