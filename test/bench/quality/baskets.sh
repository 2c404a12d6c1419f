# Sourced by quality.sh.  Next baskets: each user's last basket held out, of users with three or more; what
# a user has had may be listed.  The mix is learned on the baskets before those.
#     online_retail/online_retail_II.csv.gz           UCI Online Retail II
#     completejourney/transactions_sample.csv.gz      84.51°, Complete Journey

# The data sets of the literature are not at hand.  TIFU-KNN: Hu, He, Gao, Zhang, Modeling personalized item
# frequency information for next-basket recommendation, SIGIR 2020, and a public reproduction's README.
published_baskets()
{
	cat <<-END
		TaFeng|TIFU-KNN (Hu et al. 2020)|.1301|.1011|.1810|.1206
		TaFeng|TIFU-KNN, reproduced|.1277|.1049|.1839|.1264
		Dunnhumby|TIFU-KNN (Hu et al. 2020)|.2087|.1983|.2692|.2302
		Dunnhumby|TIFU-KNN, reproduced|.2136|.2031|.2849|.2364
		Instacart|TIFU-KNN (Hu et al. 2020)|.3952|.3825|.4875|.4384
		Instacart|TIFU-KNN, reproduced|.3980|.3992|.5015|.4541
	END
}

# basket_line NAME MODEL TABLE TIMES: a row of the table
basket_line()
{
	local figures p

	note "    $1"
	figures=$(database "SET maintenance_work_mem = '$QUALITY_MEMORY';
		SELECT string_agg(to_char(value, 'FM0.0000'), ' | ' ORDER BY k, array_position('{recall,ndcg,recall_repeat,recall_explore,repeat_share}', metric))
		FROM recsys.evaluate('SELECT user_id, item_id, at FROM $3', \$q\$similarity = cosine, $2\$q\$, k => '{10,20}', resamples => 0, task => 'next_basket',
			metrics => '{recall,ndcg,recall_repeat,recall_explore,repeat_share}') WHERE k = 10 OR metric IN ('recall', 'ndcg')")
	p=$(database "SET maintenance_work_mem = '$QUALITY_MEMORY';
		SELECT string_agg(CASE WHEN value_a = value_b THEN '' ELSE trim(to_char(p_t, '9.9EEEE')) END, ' / ' ORDER BY metric DESC)
		FROM recsys.compare('SELECT user_id, item_id, at FROM $3', 'similarity = cosine, method = personal_frequency', \$q\$similarity = cosine, $2\$q\$,
			k => '{10}', metrics => '{recall,ndcg}', resamples => 0, task => 'next_basket')")
	printf '| %s | %s | %s | %s |\n' "$1" "$figures" "$p" "$4"
}

# measure_baskets TABLE: the table of purchases with user_id, item_id, at
measure_baskets()
{
	local learned training learning latency call="next_basket(user_id, 10, 'baskets_recsys', NULL::text)"

	printf '| list | recall@10 | NDCG@10 | recall@10 repeat | recall@10 explore | repeats of 10 | recall@20 | NDCG@20 | p (recall / NDCG@10) | training, learning, next_basket |\n'
	printf '|---|---|---|---|---|---|---|---|---|---|\n'

	# what was there before the last baskets: the mix is learned on that
	database "CREATE TABLE before_last AS
		WITH rows AS (SELECT *, (coalesce(at - lag(at) OVER (PARTITION BY user_id ORDER BY at), '1 hour') >= '1 hour')::int AS opens FROM $1),
			baskets AS (SELECT *, sum(opens) OVER (PARTITION BY user_id ORDER BY at) AS basket FROM rows),
			numbered AS (SELECT *, max(basket) OVER (PARTITION BY user_id) AS last FROM baskets)
		SELECT user_id, item_id, at FROM numbered WHERE basket < last OR last < 3"
	timed "SET maintenance_work_mem = '$QUALITY_MEMORY';
CREATE INDEX baskets_recsys ON before_last USING recsys (user_id, item_id, at) WITH (similarity = cosine);"
	training=$TIMED_MS
	database "VACUUM before_last"
	timed "SET maintenance_work_mem = '$QUALITY_MEMORY';
SELECT recsys.learn_next_basket('baskets_recsys');"
	learning=$TIMED_MS
	learned=$(database "SELECT format('basket_decay = %s, basket_half_life = ''%s'', due_weight = %s, neighbor_weight = %s, discover_weight = %s, popular_weight = %s',
		basket_decay, basket_half_life, due_weight, neighbor_weight, discover_weight, popular_weight) FROM recsys.basket_mix")
	database "CREATE TABLE sample AS SELECT user_id FROM (SELECT DISTINCT user_id FROM before_last) u ORDER BY hashint8(user_id) LIMIT 2000"
	timed "SELECT count(*) FROM sample, LATERAL $call;
SELECT count(*) FROM sample, LATERAL $call;"
	latency=$(awk -v ms="$TIMED_MS" 'BEGIN { printf "%.0f", ms / 2 }')

	basket_line "popular (G-TopFreq)" "method = popular" "$1" ""
	basket_line "personal frequency (P-TopFreq)" "method = personal_frequency" "$1" ""
	basket_line "personal frequency, then popular (GP-TopFreq)" "method = personal_then_popular" "$1" ""
	basket_line "next_basket, as it is" "method = mix" "$1" "$(milliseconds "$training"), none, $latency µs"
	basket_line "next_basket, learned" "$learned" "$1" "$(milliseconds "$training"), $(milliseconds "$learning"), $latency µs"
	printf '\nLearned: `%s`.\n' "$learned"
	database "DROP TABLE before_last, sample; DELETE FROM recsys.basket_mix"
}

baskets_heading()
{
	printf '\n### %s, last basket held out: %s\n\n' "$1" \
		"$(database "SELECT count(*) || ' purchases of ' || count(DISTINCT user_id) || ' customers with ' || count(DISTINCT item_id) || ' items' FROM $2")"
}

run_baskets()
{
	if [ -r "$data/online_retail/online_retail_II.csv.gz" ]; then
		note "Online Retail II"
		database "CREATE TABLE retail_rows (invoice text, item_id text, description text, quantity int, at timestamp, price numeric, customer text, country text)"
		zcat "$data/online_retail/online_retail_II.csv.gz" | read_into retail_rows "(FORMAT csv, HEADER)"
		database "CREATE TABLE baskets AS SELECT customer::bigint AS user_id, item_id, at FROM retail_rows WHERE customer <> '' AND quantity > 0"
		baskets_heading "Online Retail II" baskets
		measure_baskets baskets
		database "DROP TABLE retail_rows, baskets"
	else
		printf '\nOnline Retail II: no data in %s; set RECSYS_DATA.\n' "$data/online_retail"
	fi
	if [ -r "$data/completejourney/transactions_sample.csv.gz" ]; then
		note "Complete Journey"
		database "CREATE TABLE journey (user_id bigint, store int, basket text, item_id bigint, quantity int, a float8, b float8, c float8, d float8, week int, at timestamp)"
		zcat "$data/completejourney/transactions_sample.csv.gz" | read_into journey "(FORMAT csv, HEADER)"
		database "CREATE TABLE baskets AS SELECT user_id, item_id, at FROM journey WHERE quantity > 0"
		baskets_heading "Complete Journey, sample of transactions" baskets
		measure_baskets baskets
		database "DROP TABLE journey, baskets"
	else
		printf '\nComplete Journey: no data in %s; set RECSYS_DATA.\n' "$data/completejourney"
	fi
	printf '\n### Published, on data that are not here\n\n| data | method | recall@10 | NDCG@10 | recall@20 | NDCG@20 |\n|---|---|---|---|---|---|\n'
	published_baskets | while IFS='|' read -r set method recall10 ndcg10 recall20 ndcg20; do
		printf '| %s | %s | %s | %s | %s | %s |\n' "$set" "$method" "$recall10" "$ndcg10" "$recall20" "$ndcg20"
	done
}
