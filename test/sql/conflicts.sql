-- Arguments and options that would do nothing, or could never give a row, are errors.
CREATE TABLE lines (basket int, item int, quantity int, at timestamptz);
INSERT INTO lines SELECT b, i, 1, timestamptz '2024-01-01' + b * interval '1 day' FROM generate_series(1, 30) b, generate_series(1, 6) i WHERE (b + i) % 3 > 0;
CREATE INDEX lines_recsys ON lines USING recsys (basket, item, quantity, at);

-- lengths
SELECT * FROM frequent_itemsets('lines_recsys', 1, min_length => 4, max_length => 2);
SELECT * FROM query_frequent_itemsets('SELECT basket, item FROM lines', 1, min_length => 4, max_basket => 3);
SELECT * FROM association_rules('lines_recsys', 1, min_length => 6);
SELECT * FROM association_rules('lines_recsys', 1, max_length => 1);
SELECT * FROM association_rules_to_sets('lines_recsys', 1, max_length => 1);
SELECT * FROM query_association_rules('SELECT basket, item FROM lines', 1, max_basket => 1);
SELECT count(*) > 0 FROM association_rules('lines_recsys', 1, min_length => 3, max_length => 3);
SELECT count(*) FROM association_rules('lines_recsys', 1, min_length => 100, max_length => NULL);
SELECT count(*) > 0 FROM frequent_itemsets('lines_recsys', 1, min_length => 1, max_length => 1);
-- items
SELECT * FROM frequent_itemsets('lines_recsys', 1, must_contain => '{3,1,3}', must_not_contain => '{2,3}');
SELECT * FROM association_rules('lines_recsys', 1, must_contain => '{1,2,3}', max_length => 2);
SELECT * FROM association_rules('lines_recsys', 1, must_contain => '{1,2,3}', max_basket => 2);
SELECT * FROM association_rules('lines_recsys', 1, consequents => '{1,2,2}', must_not_contain => '{2,1,9}');
SELECT * FROM association_rules('lines_recsys', item_type => NULL::int, min_support => 1, must_contain => '{1}', must_not_contain => '{1}');
SELECT count(*) > 0 FROM association_rules('lines_recsys', 1, must_contain => '{1,1,1,1,1,1,2}', max_length => 2);
SELECT count(*) > 0 FROM association_rules('lines_recsys', 1, consequents => '{1,2}', must_not_contain => '{2}');
SELECT count(*) FROM association_rules('lines_recsys', 1, consequents => '{}');
-- conditions
SELECT * FROM association_rules('lines_recsys', 1, filter => 'lift < 1', min_lift => 1);
SELECT * FROM association_rules('lines_recsys', 1, filter => 'lift > 2 and lift <= 2');
SELECT * FROM association_rules('lines_recsys', 1, filter => 'confidence < 0.3');
SELECT * FROM association_rules('lines_recsys', 1, filter => 'confidence >= 20');
SELECT * FROM association_rules('lines_recsys', 1, filter => 'fisher_p < 0');
SELECT * FROM association_rules('lines_recsys', 1, filter => 'leverage > 0.3');
SELECT count(*) >= 0 FROM association_rules('lines_recsys', 1, min_confidence => 1, filter => 'confidence <= 1 and lift >= 1 and lift <= 1 and fisher_p <= 0 and conviction >= 2 and support > 1');
-- k = 0 is no row, as with LIMIT; less is a mistake
SELECT count(*) FROM association_rules('lines_recsys', 1, k => 0);
SELECT * FROM association_rules('lines_recsys', 1, k => -1);
SELECT * FROM frequent_itemsets('lines_recsys', 1, k => -1);
SELECT count(*) FROM recommend(1, 0, 'lines_recsys');
SELECT * FROM recommend(1, -1, 'lines_recsys');

-- half-lives without a time
CREATE INDEX lines_timeless ON lines USING recsys (basket, item, quantity) WITH (half_life = '30 days');
CREATE INDEX lines_timeless ON lines USING recsys (basket, item) WITH (similarity = ease, training_half_life = '30 days');
CREATE INDEX CONCURRENTLY lines_timeless ON lines USING recsys (basket, item) WITH (half_life = '30 days');
DROP INDEX lines_timeless;
CREATE UNLOGGED TABLE few (a int, b int);
CREATE INDEX ON few USING recsys (a, b) WITH (half_life = '1 day');
DROP TABLE few;
CREATE INDEX lines_timeless ON lines USING recsys (basket, item, quantity) WITH (half_life = '', min_support = 1);
ALTER INDEX lines_timeless SET (half_life = '30 days');
ALTER INDEX lines_timeless SET (training_half_life = '30 days', neighbors = 10);
SELECT reloptions FROM pg_class WHERE relname = 'lines_timeless';
ALTER INDEX lines_timeless SET (neighbors = 10);
ALTER INDEX lines_timeless RESET (half_life);
ALTER INDEX lines_timeless RENAME TO lines_untimed;
SELECT reloptions FROM pg_class WHERE relname = 'lines_untimed';
ALTER INDEX lines_recsys SET (half_life = '30 days', training_half_life = '90 days');
-- an index that has it from before can be built anew all the same
UPDATE pg_class SET reloptions = '{half_life=30 days}' WHERE relname = 'lines_untimed';
REINDEX INDEX lines_untimed;
TRUNCATE lines;
ALTER INDEX lines_untimed SET (neighbors = 20);
ALTER INDEX lines_untimed RESET (half_life);
REINDEX INDEX lines_untimed;
INSERT INTO lines SELECT b, i, 1, timestamptz '2024-01-01' + b * interval '1 day' FROM generate_series(1, 30) b, generate_series(1, 6) i WHERE (b * i) % 7 > 2;
-- arguments and models
SELECT * FROM recommend(1, 5, 'lines_untimed', half_life => '1 day');
SELECT * FROM popular_items(5, 'lines_untimed', half_life => '1 day');
SELECT * FROM explain_recommendation(1, 2, 'lines_untimed', half_life => '1 day');
SELECT * FROM query_item_similarity('SELECT basket, item FROM lines', options => 'training_half_life = ''1 day''');
SELECT * FROM recsys.evaluate('SELECT basket, item FROM lines', 'half_life = ''1 day''');
SELECT * FROM recsys.evaluate('SELECT basket, item, quantity FROM lines', 'training_half_life = ''1 day''');
SELECT * FROM recsys.compare('SELECT basket, item, quantity FROM lines', '', 'half_life = ''1 day''');
SELECT * FROM recsys.tune('SELECT basket, item FROM lines', models => '{"similarity = cosine, half_life = ''1 day''"}');
SELECT * FROM recsys.tune('lines_untimed'::regclass, models => '{"similarity = cosine, half_life = ''1 day''"}');
-- an evaluation trains with the decay that an index would be built with
SELECT count(DISTINCT value) FROM unnest('{0.5,20,1000}'::float8[]) days,
	LATERAL (SELECT (array_agg(value ORDER BY metric, k))::text AS value FROM recsys.evaluate('SELECT * FROM lines',
		format('similarity = ease, lambda = 1, min_support = 1, training_half_life = ''%s days''', days), holdout_share => 0.3, metrics => '{auc,ndcg}', k => '{1,2}', resamples => 0)) e;
DROP TABLE lines;
