/*
 * What is passed where something else belongs: the message says what to write.
 */
CREATE TABLE lines (user_id bigint, item_id bigint);
INSERT INTO lines SELECT u, i FROM generate_series(1, 30) u, generate_series(1, 5) i WHERE (u * 7 + i * 3) % 4 < 3;
CREATE TABLE named (user_id bigint, item_id text);
INSERT INTO named SELECT user_id, 'i' || item_id FROM lines;
CREATE INDEX lines_recsys ON lines USING recsys (user_id, item_id);

-- a similarity is an option of a model, not its name
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'cosine');
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'Jaccard, neighbors = 20');
SELECT * FROM recsys.tune('SELECT * FROM lines', models => '{cosine}');
SELECT * FROM query_item_similarity('SELECT * FROM lines', options => 'cosine');
SELECT metric FROM recsys.evaluate('SELECT * FROM lines', 'similarity = cosine', metrics => '{ndcg}', k => '{2}');

-- a query where the name of a recommender belongs
SELECT * FROM association_rules('SELECT user_id, item_id FROM lines');
SELECT * FROM association_rules_to_sets(' with x AS (SELECT 1) SELECT * FROM x');
SELECT * FROM frequent_itemsets('(SELECT user_id, item_id FROM lines)', 2);
SELECT * FROM item_similarity('TABLE lines');
SELECT * FROM recommend(1, 5, 'select user_id, item_id from lines');
SELECT * FROM recsys.evaluate_recommender('SELECT * FROM lines', 'SELECT * FROM lines');
-- and names that begin like one
SELECT * FROM recommend(1, 5, 'select_recsys');
SELECT * FROM recommend(1, 5, 'with.recsys');

-- the name of a recommender where a query belongs
SELECT * FROM query_association_rules('lines_recsys');
SELECT * FROM query_frequent_itemsets('public.lines_recsys');
SELECT * FROM query_item_similarity('"lines_recsys"');
SELECT * FROM recsys.evaluate('lines_recsys', 'similarity = cosine');
SELECT * FROM recsys.holdout(' lines ');

-- tune takes both, as a literal without a type is text
SELECT count(*) AS trials, min(left(command, 59)) AS command
FROM recsys.tune('lines_recsys', models => '{similarity = cosine, similarity = jaccard}', k => 2);
SELECT count(*) AS trials FROM recsys.tune('public."lines_recsys"', models => '{similarity = cosine}', k => 2);
SELECT count(*) AS trials FROM recsys.tune('lines_recsys'::regclass, models => '{similarity = cosine}', k => 2);
SELECT * FROM recsys.tune('lines');
SELECT * FROM recsys.tune('nothing_recsys');

-- keys of a query
SELECT * FROM query_item_similarity('SELECT * FROM named');
SELECT count(*) > 0 AS found FROM query_item_similarity('SELECT * FROM named', item_type => NULL::text);
SELECT * FROM query_item_similarity('SELECT * FROM lines', item_type => NULL::text);
SELECT * FROM query_association_rules('SELECT * FROM named');
SELECT count(*) > 0 AS found FROM query_association_rules('SELECT * FROM named', item_type => NULL::text);
SELECT * FROM query_frequent_itemsets('SELECT * FROM named', weights => true, item_type => NULL::text);
SELECT * FROM frequent_itemsets('lines_recsys', weights => true);

-- labels
SELECT * FROM recsys.evaluate('SELECT * FROM named', 'similarity = cosine', segments => 'SELECT ''u1'', 1');
SELECT * FROM recsys.evaluate('SELECT * FROM named', 'similarity = cosine', categories => 'SELECT 1, 1');
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'similarity = cosine', sellers => 'SELECT 1');
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'similarity = cosine', metrics => '{seller_coverage}');
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'similarity = cosine', metrics => '{category_diversity}');
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'similarity = cosine', test => 'SELECT 999::bigint, 1::bigint WHERE false');
SELECT * FROM recsys.evaluate('SELECT * FROM lines', 'similarity = cosine', test => 'SELECT 999::bigint, 1::bigint WHERE false', exclude_seen => false);
SELECT * FROM recsys.evaluate_recommender('lines_recsys', 'SELECT 999::bigint, 1::bigint WHERE false');
DROP TABLE lines, named;
