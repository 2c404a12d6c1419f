-- What the functions' labels promise to parallel queries, for each of them: in the
-- leader of a parallel query the answer is the same.  In a worker, where a function that
-- is labelled wrong takes them, they answer or say why not.
SET client_min_messages = warning;
CREATE SCHEMA labels;
SET search_path = labels, public;
CREATE TABLE purchases (user_id bigint, product_id bigint);
INSERT INTO purchases SELECT n / 4, (n * 7 + n / 4) % 23 FROM generate_series(1, 400) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE TABLE visits AS SELECT *, now() - n * interval '7 days' AS visited_at FROM purchases, generate_series(0, 3) n;
CREATE INDEX visits_recsys ON visits USING recsys (user_id, product_id, (1), visited_at);
CREATE INDEX factors_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = als, rank = 4);
CREATE TABLE products AS SELECT DISTINCT product_id, product_id % 3 AS seller_id FROM purchases;
CREATE UNIQUE INDEX ON products (product_id);
ALTER TABLE products ADD photo bytea, ADD title text, ADD price numeric DEFAULT 10;
UPDATE products SET photo = decode('iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAABlklEQVR42hXRURVEIQhFUSMYgQhGMAIRiGCEE8EIRiACEYhABCLMG7/ZrMt1jMEcyGAN9kAHNjgDBnfwBj6IQQ5q0IMxJnMikzXZE53Y5EyY3Mmb+CQmOalJzw8IUxBhCVtQwYQjIFzhCS6EkEIJLR9YzIUs1mIvdGGLs2BxF2/hi1jkoha9PrCZG9mszd7oxjZnw+Zu3sY3sclNbXp/QJmKKEvZiiqmHAXlKk9xJZRUSmn9gDENMZaxDTXMOAbGNZ7hRhhplNH2gcM8yGEd9kEPdjgHDvfwDn6IQx7q0OcD/wK/Sr4jv9hfkG/1N/x/Fx44BCQU9Pc94zIvclmXfdGLXc79j9/Lu/glLnmpS98PPOZDHuuxH/qwx3n/5ffxHv6IRz7q0e8DznTEWc521DHn+D/KdZ7jTjjplNP+gWAGEqxgBxpYcOIf/AYv8CCCDCro+EAyE0lWshNNLDn5P/MmL/Ekkkwq6fxAMQspVrELLaw49S/lFq/wIoosquj6QDMbaVazG22sOf2v8Dav8SaabKrp5geIAnAQC3NfwAAAAABJRU5ErkJggg==', 'base64'), title = 'lunch bag ' || product_id;
CREATE INDEX products_items ON products USING recsys_items (product_id, seller_id, title, recsys.image_descriptor(photo));
CREATE TABLE prices AS SELECT product_id, 20 AS price, now() - interval '60 days' AS since FROM products;
CREATE TABLE sudden AS SELECT u AS user_id, CASE WHEN u <= 20 THEN 99 ELSE u % 9 END AS product_id, now() - CASE WHEN u <= 20 THEN 0 ELSE u END * interval '1 day' AS taken_at FROM generate_series(1, 80) u;
CREATE INDEX sudden_recsys ON sudden USING recsys (user_id, product_id, taken_at) WITH (similarity = cosine);
SELECT recsys.create_recommender('shop', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', seller => 'seller_id', price => 'price',
	price_history => '{"table": "prices", "item": "product_id", "price": "price", "time": "since"}');
SELECT recsys.create_recommender('two_signals', '[{"events": "purchases_recsys"}, {"events": "purchases_recsys", "predicts": "purchases_recsys"}]');
SELECT recsys.create_experiment('trial', '{"control": {"recommender": "shop", "share": 0.5}, "other": {"recommender": "two_signals", "share": 0.5}}', metrics => '{ctr}');
SELECT recsys.create_experiment('mixed', '{"control": {"recommender": "shop", "share": 0.5}, "other": {"recommender": "two_signals", "share": 0.5}}', metrics => '{ctr}', interleave => true);
SELECT recsys.refresh_experiment('trial');
SELECT recsys.create_bandit('slot', '{shop, two_signals}');
SELECT recsys.create_stream('flow', 'broker:9092', 'flow', 'purchases', '{"user_id": "user", "product_id": "item"}');
CREATE TABLE monthly (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE SCHEMA labels_made;
CREATE TABLE graph AS SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM purchases', 0, 1);
CREATE INDEX graph_recsys ON graph USING recsys_graph (item_id, users, similar_ids, scores, supports);
CREATE TABLE product_rules AS SELECT * FROM association_rules('purchases_recsys', 0.02, 0.1);
ANALYZE;

CREATE TABLE calls (name text, call text);
INSERT INTO calls SELECT substring(call, '^[a-z_.]+'), call FROM unnest(ARRAY[
	'recommend(42, 5, ''purchases_recsys'')',
	'recommend_for_items(ARRAY[1, 2], 5, ''purchases_recsys'')',
	'recommend_all(''purchases_recsys'', 2)',
	'recommend_for_session(ARRAY[1, 2], 5, ''purchases_recsys'')',
	'recommend_with_reasons(42, 5, ''purchases_recsys'')',
	'buy_again(42, 5, ''visits_recsys'')',
	'next_basket(42, 5, ''visits_recsys'')',
	'recently_viewed(42, 5, ''visits_recsys'')',
	'trending_items(5, ''sudden_recsys'')',
	'on_sale_for(42, 5, ''shop'')',
	'similar_items(1, 5, ''purchases_recsys'')',
	'goes_with(1, 5, ''purchases_recsys'')',
	'items_like(''{"seller_id": 1}'', 5, ''products_items'')',
	'items_like_image((SELECT photo FROM products LIMIT 1), 5, ''products_items'')',
	'recsys.image_descriptor((SELECT photo FROM products LIMIT 1))',
	'recsys.try_image_descriptor(''no picture'')',
	'recsys.duplicate_items(''products_items'')',
	'recsys.suspicious_items(''products_items'', events => ''purchases_recsys'', seller => ''seller_id'', price => ''price'')',
	'popular_items(5, ''purchases_recsys'')',
	'explain_recommendation(42, 1, ''purchases_recsys'')',
	'frequently_bought_together(1, 5, ''purchases_recsys'')',
	'complete_basket(ARRAY[1, 2], 5, ''product_rules'')',
	'item_similarity(''purchases_recsys'')',
	'query_item_similarity(''SELECT user_id, product_id FROM purchases'')',
	'cross_similarity(''purchases_recsys'', ''factors_recsys'')',
	'query_cross_similarity(''SELECT user_id, product_id FROM purchases'', ''TABLE purchases'')',
	'association_rules(''purchases_recsys'', 0.02)',
	'query_association_rules(''SELECT user_id, product_id FROM purchases'', 0.02)',
	'association_rules_to_sets(''purchases_recsys'', 0.05)',
	'query_association_rules_to_sets(''SELECT user_id, product_id FROM purchases'', 0.05)',
	'frequent_itemsets(''purchases_recsys'', 0.02)',
	'query_frequent_itemsets(''SELECT user_id, product_id FROM purchases'', 0.02)',
	'recsys.item_factors(''factors_recsys'')',
	'recsys.item_rhythm(''visits_recsys'')',
	'recsys.learn_next_basket(''visits_recsys'')',
	'recsys.title_groups(''SELECT product_id, ''''lunch bag'''' FROM purchases'')',
	'recsys.index_info(''purchases_recsys'')',
	'recsys.index_statistics()',
	'recsys.holdout(''SELECT user_id, product_id FROM purchases'', holdout_share => 0.2)',
	'recsys.evaluate(''SELECT user_id, product_id FROM purchases'', holdout_share => 0.2, resamples => 100)',
	'recsys.evaluate_recommender(''purchases_recsys'', ''SELECT 42, 3'', resamples => 100)',
	'recsys.evaluate_sessions(''purchases_recsys'', ''SELECT 42, n % 20 FROM generate_series(1, 9) n'')',
	'recsys.compare(''SELECT user_id, product_id FROM purchases'', ''similarity = cosine'', ''similarity = jaccard'', holdout_share => 0.2, resamples => 100)',
	'recsys.tune(''SELECT user_id, product_id FROM purchases'', trials => 2, holdout_share => 0.2, resamples => 100)',
	'recsys.tune(''purchases_recsys''::regclass, trials => 2, holdout_share => 0.2, resamples => 100)',
	'recsys.tune_signals(''two_signals'', users => 5)',
	'recsys.persona(''2024-01-01'', ''2024-01-01'', 1, ''1 day'', ''2024-01-02'')',
	'recsys.customer_segments(''shop'')',
	'recsys.audience(''shop'', ''1'')',
	'recsys.seller_exposure(''shop'', users => 5)',
	'recsys.refresh_recommender(''shop'')',
	'recsys.create_recommender(''shop'', ''[{"events": "purchases_recsys"}]'')',
	'recsys.alter_recommender(''shop'', min_users => 3)',
	'recsys.drop_recommender(''no_shop'', if_exists => true)',
	'recsys.recommender_problem(''shop'')',
	'recsys.create_functions(''shop'', ''labels_made'')',
	'recsys.merge(''purchases_recsys'')',
	'recsys.forget_user(''purchases_recsys'', 99999)',
	'recsys.check_index(''purchases_recsys'')',
	'recsys.page_summary(''purchases_recsys'')',
	'recsys.page_info(''purchases_recsys'', 0)',
	'recsys.index_sections(''purchases_recsys'')',
	'recommend_request(42, 5, ''purchases_recsys'')',
	'recsys.compare_means(10, 30, 100, 12, 40, 160)',
	'recsys.compare_proportions(100, 10, 100, 12)',
	'recsys.compare_ratios(10, 30, 100, 20, 50, 65, 10, 30, 100, 20, 50, 65)',
	'recsys.compare_arms(NULL, NULL)',
	'recsys.arm_sums_add(''{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}'', 1)',
	'recsys.arm_sums_combine(''{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}'', ''{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}'')',
	'recsys.sample_ratio_test(''{10,20}'')',
	'recsys.adjust_p_values(''{.1,.2}'')',
	'recsys.normal_mixture_bound(1, 1)',
	'recsys.sample_size(.1, .2)',
	'recsys.detectable_effect(.1, 1000)',
	'recsys.test_power(.1, .2, 1000)',
	'recsys.chance_of_so_few(1, 2)',
	'recsys.configure_log(attribution => ''last'')',
	'recsys.maintain()',
	'recsys.log_is_used()',
	'recsys.new_request_id()',
	'recsys.log_request(recommend_request(42, 5, ''purchases_recsys''))',
	'recsys.log_impressions(''purchases_recsys'', ''{1,2}''::bigint[], 42)',
	'recsys.log_click(recsys.new_request_id(), 1)',
	'recsys.log_add_to_cart(recsys.new_request_id(), 1)',
	'recsys.log_event(recsys.new_request_id(), ''wish'', 1)',
	'recsys.create_experiment(''trial'', ''{}'')',
	'recsys.alter_experiment(''trial'', expected_users => 1000)',
	'recsys.start_experiment(''trial'')',
	'recsys.stop_experiment(''trial'')',
	'recsys.drop_experiment(''no_trial'', if_exists => true)',
	'recsys.experiment_problem(''trial'')',
	'recsys.assignment(''trial'', 42)',
	'recsys.interleaving_results(''mixed'')',
	'recsys.experiment_results(''trial'')',
	'recsys.experiment_history(''trial'')',
	'recsys.refresh_experiment(''trial'')',
	'recsys.experiment_power(''trial'', 0.1)',
	'recsys.find_experiment_alerts()',
	'recsys.create_bandit(''slot'')',
	'recsys.alter_bandit(''slot'', minimum_share => 0.1)',
	'recsys.reset_bandit(''slot'')',
	'recsys.drop_bandit(''no_slot'', if_exists => true)',
	'recsys.fold_bandits()',
	'recsys.bandit_problem(''slot'')',
	'recsys.bandit_choice(''slot'', 42)',
	'recsys.bandit_arm_rows(''slot'')',
	'recsys.off_policy_estimate(''SELECT 1 AS reward, 0.5 AS propensity, 0.5 AS target_probability'')',
	'recsys.off_policy_list(''42'', 5, ''shop'', true)',
	'recsys.off_policy_value(''shop'')',
	'recsys.refresh_metrics()',
	'recsys.create_views(''shop'', ''labels_made'')',
	'recsys.drop_views(''shop'', ''labels_made'')',
	'recsys.popular_lists(''shop'')',
	'recsys.item_titles(''{1,2}'', ''shop'')',
	'recsys.recommender_relations(''shop'')',
	'recsys.rebuilds_due(''shop'')',
	'recsys.merge_pending(''shop'')',
	'recsys.schedule(''shop'')',
	'recsys.unschedule(''shop'')',
	'recsys.scheduled_jobs()',
	'recsys.keep_partitions(''monthly'', ''1 year'')',
	'recsys.maintain_partitions(''monthly'')',
	'recsys.table_partitions(''monthly'')',
	'recsys.leave_partitions(''monthly'')',
	'recsys.create_stream(''flow'', ''broker:9092'', ''flow'', ''purchases'', ''{"user_id": "user"}'')',
	'recsys.alter_stream(''flow'', jobs => 1)',
	'recsys.pause_stream(''flow'')',
	'recsys.resume_stream(''flow'')',
	'recsys.seek_stream(''flow'', 0, next_offset => 7)',
	'recsys.drop_stream(''no_flow'', if_exists => true)',
	'recsys.purge_stream_errors(''flow'')',
	'recsys.stream_list()',
	'recsys.stream_settings(''flow'')',
	'recsys.stream_register(''flow'', ''{0}'')',
	'recsys.stream_claim(''flow'', ''{0}'', ''me'')',
	'recsys.stream_resolve(''flow'', 0, 1, 0)',
	'recsys.stream_advance(''flow'', ''{0}'', ''{1}'', ''{0}'', ''{1}'', ''{0}'', ''{0}'', ''{0}'', ''{1}'', ''{1}'', ''{0}'', 1)',
	'recsys.stream_reject(''flow'', ''{0}'', ''{0}'', ''{0}'', ''{NULL}'', ''{NULL}'', ''{why}'', ''{22P02}'')',
	'recsys.stream_heartbeat(''flow'', ''me'', ''{0}'', ''{1}'', ''{1}'', NULL)',
	'recsys.stream_stop(''flow'', 0, 1, ''released'', NULL)',
	'recsys.stream_group(''flow'', ''{}'')',
	'recsys.plot_neighbors(1, ''purchases_recsys'')',
	'recsys.plot_rules(''purchases_recsys'', 5, 0.02)',
	'recsys.plot_experiment(''trial'')',
	'recsys.plot_lift(''{a}'', ''{b}'', ''{2}'')',
	'recsys.plot_lines(''{2024-01-01,2024-01-02}'', ''{1,2}'', ''{a,a}'')',
	'recsys.plot_order(''{a,b}'', ''{a}'', ''{b}'', ''{1}'')',
	'recsys.recommend_from(42, 5, ''purchases_recsys'', ''graph_recsys'')',
	'recsys.similar_from(1, 5, ''graph_recsys'')',
	'recsys.popular_from(5, ''graph_recsys'')',
	'recsys.train_plan(''SELECT user_id, product_id FROM purchases'', 2)',
	'recsys.train_part(''SELECT user_id, product_id FROM purchases'', 1, 2)',
	'recsys.distribute(''purchases_recsys'')',
	'recsys.retrain(''purchases_recsys'')',
	'recsys.undistribute(''purchases_recsys'')',
	'recsys.distribute_log()',
	'recsys.on_shards(''purchases_recsys'', ''merge'')',
	'recsys.counts_for(''purchases_recsys'', 42, now())',
	'recsys.svg_text(''a'')',
	'recsys.svg_number(1)',
	'recsys.svg_steps(0, 1)',
	'recsys.svg_picture(1, 1, ''a'', ''b'', '''')']) call;
-- a function that is missing here is not tested
CREATE VIEW functions AS
SELECT DISTINCT CASE n.nspname WHEN 'recsys' THEN 'recsys.' ELSE '' END || proname AS name, proparallel AS label
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'recsys'
WHERE p.prokind = 'f' AND p.prorettype NOT IN ('internal'::regtype, 'index_am_handler'::regtype, 'trigger'::regtype) AND NOT 'internal'::regtype = ANY (p.proargtypes);
SELECT name AS untested FROM functions WHERE name NOT IN (SELECT name FROM calls);

-- in the leader while workers run: the table is read by workers, the functions are called above them
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION plan(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || call LOOP lines := lines || line; END LOOP;
	RETURN lines;
END
$$;
CREATE TABLE numbers AS SELECT n FROM generate_series(1, 20000) n;
ANALYZE numbers;
CREATE FUNCTION below_gather(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT string_agg(r::text, E''\n'' ORDER BY r::text) FROM (SELECT * FROM numbers WHERE n %% 20000 = 1 OFFSET 0) o, LATERAL %s r', call);
	got text;
	expected text;
	gathers bool := plan(query) ~ 'Gather';
BEGIN
	IF NOT gathers THEN
		RETURN 'no parallel plan';
	END IF;
	EXECUTE query INTO got;
	SET LOCAL max_parallel_workers_per_gather = 0;
	EXECUTE query INTO expected;
	SET LOCAL max_parallel_workers_per_gather = 2;
	RETURN CASE WHEN got IS DISTINCT FROM expected THEN 'different' ELSE 'same' END;
EXCEPTION WHEN others THEN
	RETURN sqlerrm;
END
$$;
\pset format unaligned
SELECT label, in_leader, string_agg(name, ' ' ORDER BY name) AS functions
FROM (SELECT name, label, below_gather(call) AS in_leader FROM calls JOIN functions USING (name)) s
GROUP BY 1, 2 ORDER BY 1, 2;

-- in a worker
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
CREATE FUNCTION mislabelled(call text) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s r', call) INTO n;
	RETURN n;
END
$$;
CREATE FUNCTION in_worker(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT mislabelled(%L)', call) INTO n;
	RETURN n > 0;
EXCEPTION WHEN others THEN
	RETURN sqlstate || ' ' || sqlerrm;
END
$$;
SELECT in_worker(call), string_agg(name, ' ' ORDER BY name) AS functions FROM calls GROUP BY 1 ORDER BY 1;
SELECT mislabelled('recsys.index_stats') AS indexes, mislabelled('recsys.merge_progress') AS merges;

SELECT recsys.drop_bandit('slot');
SELECT recsys.drop_stream('flow');
SELECT recsys.drop_experiment('trial');
SELECT recsys.drop_experiment('mixed');
DELETE FROM recsys.request_log;
DELETE FROM recsys.event_log;
DELETE FROM recsys.log_setting;
SELECT recsys.drop_recommender('shop');
SELECT recsys.drop_recommender('two_signals');
DROP SCHEMA labels, labels_made CASCADE;
