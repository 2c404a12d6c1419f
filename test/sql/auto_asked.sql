/*
 * similarity = auto keeps what is asked for, and comes through data at the edges.
 */
SET client_min_messages = warning;
SET intervalstyle = postgres;
CREATE TABLE auto_sales (user_id int, item_id int, quantity real, at timestamptz);
INSERT INTO auto_sales SELECT u, (u * 7 + i * i * 13 + (u / 3) * i) % 64, 1 + (u + i) % 5,
	timestamptz '2024-01-01' + (u * 37 + i * 101) % 7200 * interval '1 hour'
FROM generate_series(1, 400) u, generate_series(1, 8) i;

-- values with more decimals than auto would try
CREATE INDEX auto_decimals ON auto_sales USING recsys (user_id, item_id)
	WITH (alpha = 0.333, beta = 0.777, user_damping = 0.123);
-- what is made of weights, where there are none, or none that the choice sees
CREATE INDEX auto_log ON auto_sales USING recsys (user_id, item_id) WITH (weight_transform = log);
CREATE INDEX auto_none ON auto_sales USING recsys (user_id, item_id) WITH (weight_transform = none);
CREATE INDEX auto_aged ON auto_sales USING recsys (user_id, item_id, quantity, at)
	WITH (weight_transform = log, training_half_life = '30 days');
-- a half-life of popularity with and without a size of it
CREATE INDEX auto_trend ON auto_sales USING recsys (user_id, item_id, at)
	WITH (popularity_half_life = '30 days');
CREATE INDEX auto_trend_size ON auto_sales USING recsys (user_id, item_id, at)
	WITH (popularity_half_life = '30 days', popularity = 5);
-- all at one time: nothing to look ahead to
CREATE INDEX auto_one_time ON auto_sales USING recsys (user_id, item_id, (timestamptz '2024-01-01'))
	WITH (popularity_half_life = '30 days', popularity = 5);
SELECT x.index_name, a.name, substring(x.model from a.name || ' = ([^,]*)') AS chosen
FROM recsys.index_stats x, (VALUES
	('auto_decimals', 'alpha'), ('auto_decimals', 'beta'), ('auto_decimals', 'user_damping'),
	('auto_log', 'weight_transform'), ('auto_none', 'similarity'), ('auto_aged', 'weight_transform'),
	('auto_trend_size', 'popularity_half_life'), ('auto_trend_size', 'popularity'),
	('auto_one_time', 'popularity_half_life'), ('auto_one_time', 'popularity')) a(index_name, name)
WHERE x.index_name = a.index_name ORDER BY x.index_name, a.name;
-- popularity may turn out not to count; then neither does its half-life
SELECT coalesce(model ~ $$popularity_half_life = '30 days'$$ OR model !~ 'popularity = ', false) AS kept
FROM recsys.index_stats WHERE index_name = 'auto_trend';

-- one item whose buyers have all of the others between them
CREATE TABLE auto_everybody (user_id int, item_id int, quantity real);
INSERT INTO auto_everybody SELECT u, (u * 61 + i * 997) % 4000, 1 + (u + i) % 5
FROM generate_series(1, 2000) u, generate_series(0, 19) i;
INSERT INTO auto_everybody SELECT u, 0, 1 FROM generate_series(1, 300) u;
INSERT INTO auto_everybody SELECT u, (u * 20 + i) % 4000, 1
FROM generate_series(1, 200) u, generate_series(1, 20) i;
CREATE INDEX auto_everybody_idx ON auto_everybody USING recsys (user_id, item_id, quantity);
SELECT items, model_quality IS NOT NULL AS measured
FROM recsys.index_stats WHERE index_name = 'auto_everybody_idx';
DROP TABLE auto_sales, auto_everybody;
