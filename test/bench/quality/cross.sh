# What events of one kind say about those of another: Taobao, carts and purchases.  Sourced by
# quality.sh.
#
# The data are taobao/{buy.train.txt,buy.test.txt,cart.csv}.gz, those of EHCF (Chen et al. 2020): a
# user's last purchase is the test, all items are ranked, what the user has bought before is left out.
# Of 48,749 users 8,326 have the item that they buy in their cart: whoever shows carts again finds it.  So
# the first figures are of the 40,423 others, the second ones of all.  All options and weights were chosen on a
# purchase of each user drawn from the training part, as NDCG@10 of those not in the user's cart.

# Users with a hit are counted: hit rate and NDCG at 10 of lists (user_id, item_id, place)
cross_figures()
{
	database "WITH hits AS (
			SELECT place, EXISTS (SELECT FROM taobao_carts c WHERE c.user_id = t.user_id AND c.item_id = t.item_id) AS in_cart
			FROM taobao_test t LEFT JOIN taobao_lists l USING (user_id, item_id))
		SELECT to_char(count(place) FILTER (WHERE NOT in_cart)::float8 / count(*) FILTER (WHERE NOT in_cart), 'FM0.0000') || ' | ' ||
			to_char(coalesce(sum(ln(2) / ln(place + 1)) FILTER (WHERE NOT in_cart), 0) / count(*) FILTER (WHERE NOT in_cart), 'FM0.0000') || ' | ' ||
			to_char(count(place)::float8 / count(*), 'FM0.0000') || ' | ' || to_char(sum(ln(2) / ln(place + 1)) / count(*), 'FM0.0000')
		FROM hits"
}

# cross_line NAME RECOMMENDER: a line of the table
cross_line()
{
	note "    $1"
	database "CREATE UNLOGGED TABLE taobao_lists AS
		SELECT t.user_id, l.item_id, l.place FROM taobao_test t, LATERAL (
			SELECT r.item_id, row_number() OVER (ORDER BY r.rank) AS place
			FROM recommend(t.user_id, 10 + (SELECT count(*) FROM taobao_purchases p WHERE p.user_id = t.user_id), '$2', exclude_seen => false) r
			WHERE NOT EXISTS (SELECT FROM taobao_purchases p WHERE p.user_id = t.user_id AND p.item_id = r.item_id)
			ORDER BY r.rank LIMIT 10) l"
	printf '| %s | %s |\n' "$1" "$(cross_figures)"
	database "DROP TABLE taobao_lists"
}

# cross_shop NAME SIGNALS: the same of a declared recommender
cross_shop()
{
	database "SELECT recsys.create_recommender('taobao', '$2')" >/dev/null
	cross_line "$1" taobao
	database "SELECT recsys.drop_recommender('taobao')" >/dev/null
}

cross_read()
{
	zcat "$data/taobao/$2" | tail -n +2 | cut -f 1,2 | read_into "$1"
}

run_cross()
{
	local purchases='{"events": "taobao_purchases_recsys"}' walk="similarity = rp3beta, neighbors = 500"

	if [ ! -r "$data/taobao/cart.csv.gz" ]; then
		printf '\nTaobao: no data in %s; set RECSYS_DATA.\n' "$data/taobao"
		return
	fi
	note "Taobao"
	database "CREATE TABLE taobao_purchases (user_id bigint, item_id bigint); CREATE TABLE taobao_carts (user_id bigint, item_id bigint); CREATE TABLE taobao_test (user_id bigint, item_id bigint)"
	cross_read taobao_purchases buy.train.txt.gz
	cross_read taobao_carts cart.csv.gz
	cross_read taobao_test buy.test.txt.gz
	database "CREATE TABLE taobao_both AS SELECT * FROM taobao_purchases UNION SELECT * FROM taobao_carts"
	database "CREATE INDEX ON taobao_purchases (user_id, item_id); CREATE INDEX ON taobao_carts (user_id, item_id)"
	database "CREATE INDEX taobao_given_recsys ON taobao_purchases USING recsys (user_id, item_id) WITH ($walk, alpha = 0.6, beta = 0.3, min_support = 1)"
	database "CREATE INDEX taobao_purchases_recsys ON taobao_purchases USING recsys (user_id, item_id) WITH ($walk, alpha = 0.2, beta = 0, min_support = 1)"
	database "CREATE INDEX taobao_carts_recsys ON taobao_carts USING recsys (user_id, item_id) WITH ($walk, alpha = 0.4, beta = 0, min_support = 2)"
	database "CREATE INDEX taobao_both_given_recsys ON taobao_both USING recsys (user_id, item_id) WITH ($walk, alpha = 0.6, beta = 0.3, min_support = 1)"
	database "CREATE INDEX taobao_both_recsys ON taobao_both USING recsys (user_id, item_id) WITH ($walk, alpha = 0.4, beta = 0, min_support = 2)"
	database "CREATE TABLE taobao_both_bought AS SELECT * FROM cross_similarity('taobao_both_recsys', 'taobao_purchases_recsys') WHERE item_id <> similar_item_id"
	database "CREATE INDEX ON taobao_both_bought (item_id)"
	database "VACUUM ANALYZE"

	printf '\n### Taobao, the last purchase of each user: %s\n\n' "$(database "SELECT (SELECT count(*) || ' purchases of ' || count(DISTINCT user_id) || ' users, ' FROM taobao_purchases) || (SELECT count(*) || ' carts' FROM taobao_carts)")"
	printf '| signals | HR@10, not in the cart | NDCG@10 | HR@10, all | NDCG@10 |\n|---|---|---|---|---|\n'
	cross_line 'purchases, rp3beta (0.6, 0.3)' taobao_given_recsys
	cross_line 'purchases and carts thrown together, rp3beta (0.6, 0.3)' taobao_both_given_recsys
	cross_line 'purchases, options chosen' taobao_purchases_recsys
	cross_line 'purchases and carts thrown together, options chosen' taobao_both_recsys
	cross_shop 'purchases; carts that predict purchases' "[$purchases, {\"events\": \"taobao_carts_recsys\", \"predicts\": \"taobao_purchases_recsys\", \"weight\": 0.25}]"
	cross_shop 'the same by log-likelihood ratio of at least 10.83' "[$purchases, {\"events\": \"taobao_carts_recsys\", \"predicts\": \"taobao_purchases_recsys\", \"similarity\": \"log_likelihood\", \"min_likelihood\": 10.83, \"weight\": 0.25}]"
	cross_shop 'purchases; carts and purchases that predict purchases' "[$purchases, {\"events\": \"taobao_both_recsys\", \"predicts\": \"taobao_purchases_recsys\"}]"
	cross_shop 'the same, but an item does not predict itself' "[$purchases, {\"events\": \"taobao_both_recsys\", \"graph\": \"taobao_both_bought\"}]"
	cross_shop 'purchases, and both by the graph of those thrown together' "[$purchases, {\"events\": \"taobao_purchases_recsys\", \"graph\": \"taobao_both_recsys\"}, {\"events\": \"taobao_carts_recsys\", \"graph\": \"taobao_both_recsys\", \"weight\": 0.25}]"
	database "DROP TABLE taobao_purchases, taobao_carts, taobao_test, taobao_both, taobao_both_bought"
}
