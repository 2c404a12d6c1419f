/*
 * The item graph against plain SQL, on random data.
 *
 * Tables pairs and graph hold the reference: folded interactions, counts and
 * dot products in double precision, and the formulas as in the literature.
 * differences() compares a graph with it and counts what differs; two results
 * may only differ in neighbors that tie within 1e-6 where the list is cut off.
 */
CREATE TABLE plain (user_id integer, item_id bigint);
CREATE TABLE rated (user_id bigint, item_id bigint, weight double precision, at timestamptz);

-- hashes of row numbers are random, and the same everywhere and always
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

INSERT INTO plain
SELECT nullif(floor(200 * chance(g, 'user') ^ 1.5), 7), nullif(floor(40 * chance(g, 'item') ^ 2) - 5, 0)
FROM generate_series(1, 3000) g;

INSERT INTO rated
SELECT nullif(floor(150 * chance(g, 'user2')), 7), nullif(floor(30 * chance(g, 'item2') ^ 2), 11),
	   CASE WHEN g % 10 = 0 THEN NULL
			WHEN g % 101 = 0 THEN 'NaN'
			WHEN g % 103 = 0 THEN 'Infinity'
			WHEN g % 107 = 0 THEN '-Infinity'
			WHEN g % 17 = 0 THEN 0
			ELSE round((5 * chance(g, 'weight') - 1)::numeric, 2) END,
	   CASE WHEN g % 19 <> 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '1 day' * floor(60 * chance(g, 'at')) END
FROM generate_series(1, 3000) g;
-- some rows move behind others in the heap
UPDATE plain SET item_id = item_id WHERE item_id % 7 = 3;
UPDATE rated SET weight = weight WHERE item_id % 7 = 3;
SELECT count(*), count(*) - count(DISTINCT (user_id, item_id)) AS duplicates FROM plain;
SELECT count(*), count(*) - count(DISTINCT (user_id, item_id)) AS duplicates,
	   count(*) FILTER (WHERE weight < 0) > 0 AS negative FROM rated;

-- interactions as the model counts them, and what follows from them
CREATE TABLE kept (user_id bigint, item_id bigint, weight double precision, recency bigint);
CREATE TABLE pairs (item_id bigint, similar_item_id bigint, c double precision, dot double precision,
					n_i double precision, n_j double precision, n double precision,
					norm_i double precision, norm_j double precision);

CREATE FUNCTION count_pairs(source regclass, has_weight boolean, has_time boolean, max_history integer)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE kept, pairs;
	EXECUTE format($sql$
		INSERT INTO kept
		WITH numbered AS (
			SELECT user_id, item_id,
				   CASE WHEN %1$s IS NULL THEN 1
						WHEN %1$s IN ('NaN', 'Infinity', '-Infinity') THEN 0
						ELSE %1$s::real END AS weight,
				   row_number() OVER (ORDER BY %2$s NULLS FIRST, item_id DESC) AS recency
			FROM %3$s WHERE user_id IS NOT NULL AND item_id IS NOT NULL),
		folded AS (
			SELECT user_id, item_id, sum(weight)::real AS weight, max(recency) AS recency
			FROM numbered GROUP BY user_id, item_id),
		ranked AS (
			SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY recency DESC) AS place
			FROM folded WHERE weight > 0)
		SELECT user_id, item_id, weight, recency FROM ranked WHERE place <= %4$s$sql$,
		CASE WHEN has_weight THEN 'weight' ELSE '1::double precision' END,
		CASE WHEN has_time THEN 'at' ELSE 'NULL::timestamptz' END, source, max_history);
	INSERT INTO pairs
	WITH items AS (
		SELECT item_id, count(*) AS users,
			   CASE WHEN has_weight THEN sum(weight ^ 2) ELSE count(*) END AS norm
		FROM kept GROUP BY item_id)
	SELECT p.*, i.users, j.users, (SELECT count(DISTINCT user_id) FROM kept), i.norm, j.norm
	FROM (SELECT a.item_id, b.item_id AS similar_item_id, count(*),
				 CASE WHEN has_weight THEN sum(a.weight * b.weight) ELSE count(*) END
		  FROM kept a JOIN kept b ON a.user_id = b.user_id AND a.item_id <> b.item_id
		  GROUP BY 1, 2) p
	JOIN items i ON i.item_id = p.item_id
	JOIN items j ON j.item_id = p.similar_item_id;
	RETURN (SELECT count(*) FROM pairs);
END $$;

-- one cell of the two-by-two table of G2
CREATE FUNCTION cell(k double precision, expected double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE RETURN CASE WHEN k > 0 THEN k * ln(k / expected) ELSE 0 END;

CREATE FUNCTION formula(name text, p pairs) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN
CASE name
	WHEN 'cosine' THEN p.dot / sqrt(p.norm_i * p.norm_j)
	WHEN 'jaccard' THEN p.c / (p.n_i + p.n_j - p.c)
	WHEN 'dice' THEN 2 * p.c / (p.n_i + p.n_j)
	WHEN 'confidence' THEN p.c / p.n_i
	WHEN 'lift' THEN p.c * p.n / (p.n_i * p.n_j)
	WHEN 'pmi' THEN ln(p.c * p.n / (p.n_i * p.n_j))
	WHEN 'log_likelihood' THEN
		CASE WHEN p.c * p.n > p.n_i * p.n_j THEN
			2 * (cell(p.c, p.n_i * p.n_j / p.n) +
				 cell(p.n_i - p.c, p.n_i * (p.n - p.n_j) / p.n) +
				 cell(p.n_j - p.c, (p.n - p.n_i) * p.n_j / p.n) +
				 cell(p.n - p.n_i - p.n_j + p.c, (p.n - p.n_i) * (p.n - p.n_j) / p.n))
			ELSE 0 END
END;

CREATE TABLE graph (item_id bigint, similar_item_id bigint, score double precision, support bigint, rank integer);
CREATE TABLE model (item_id bigint, similar_item_id bigint, score real, support bigint, rank integer);

CREATE FUNCTION differences(name text, neighbors integer, min_support integer,
							shrinkage double precision, alpha double precision)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	TRUNCATE graph;
	INSERT INTO graph
	SELECT item_id, similar_item_id, score, c,
		   row_number() OVER (PARTITION BY item_id ORDER BY score::real DESC, similar_item_id)
	FROM (SELECT p.*, formula(name, p) * p.n_j ^ -alpha * p.c / (p.c + shrinkage) AS score FROM pairs p) s
	WHERE c >= min_support AND score > 0;

	SELECT count(*) INTO result FROM (
		-- a pair that should not be there, or with another score or support
		SELECT 1 FROM model m LEFT JOIN graph g USING (item_id, similar_item_id)
		WHERE (abs(m.score - g.score) <= 1e-6 * greatest(1, g.score) AND m.support = g.support) IS NOT TRUE
		UNION ALL
		-- another number of neighbors
		SELECT 1 FROM (SELECT item_id, count(*) FROM model GROUP BY 1) m
		FULL JOIN (SELECT item_id, least(count(*), neighbors) AS count FROM graph GROUP BY 1) g USING (item_id)
		WHERE m.count IS DISTINCT FROM g.count
		UNION ALL
		-- a pair that is missing though it is better than the last one listed
		SELECT 1 FROM graph g
		LEFT JOIN model m USING (item_id, similar_item_id)
		JOIN (SELECT item_id, min(score) AS score FROM model GROUP BY 1) last USING (item_id)
		WHERE m.item_id IS NULL AND g.score > last.score + 1e-6 * greatest(1, g.score)
		UNION ALL
		-- ranks that are not 1, 2, 3, … by score and then key
		SELECT 1 FROM (SELECT rank, row_number() OVER (PARTITION BY item_id ORDER BY score DESC, similar_item_id)
					   FROM model) m
		WHERE rank <> row_number) d;
	RETURN result;
END $$;

/*
 * All measures and options over one index and the same query.  Returns the
 * number of graphs, of their pairs, of differences between index and reference,
 * and of differences, to the last bit, between index and query.
 */
CREATE FUNCTION compare(index regclass, query text, max_history integer,
						OUT graphs bigint, OUT pairs bigint, OUT differences bigint, OUT query_differences bigint)
LANGUAGE plpgsql AS $$
DECLARE
	o record;
	n bigint;
BEGIN
	graphs := 0;
	pairs := 0;
	differences := 0;
	query_differences := 0;
	FOR o IN SELECT * FROM unnest(ARRAY['cosine', 'jaccard', 'dice', 'confidence', 'lift', 'pmi', 'log_likelihood']) name,
						   unnest(ARRAY[1, 3]) support, unnest(ARRAY[0, 10]) shrinkage,
						   unnest(ARRAY[0, 0.5]) alpha, unnest(ARRAY[3, 100]) neighbors
	LOOP
		PERFORM set_config('client_min_messages', 'warning', false);	-- a REINDEX follows
		EXECUTE format('ALTER INDEX %s SET (similarity = %s, min_support = %s, shrinkage = %s, alpha = %s, neighbors = %s)',
					   index, o.name, o.support, o.shrinkage, o.alpha, o.neighbors);
		PERFORM set_config('client_min_messages', 'notice', false);
		EXECUTE format('REINDEX INDEX %s', index);
		TRUNCATE model;
		INSERT INTO model SELECT * FROM item_similarity(index::text);
		ANALYZE model;
		EXECUTE 'SELECT differences($1, $2, $3, $4, $5)' INTO n USING o.name, o.neighbors, o.support, o.shrinkage, o.alpha;
		IF n > 0 THEN
			RAISE NOTICE '% differences: %', n, o;
		END IF;
		graphs := graphs + 1;
		pairs := pairs + (SELECT count(*) FROM model);
		differences := differences + n;

		SELECT count(*) INTO n FROM model m
		FULL JOIN query_item_similarity(query, o.name, o.neighbors, o.support, o.shrinkage, o.alpha, max_history) q
			USING (item_id, similar_item_id, score, support, rank)
		WHERE m.item_id IS NULL OR q.item_id IS NULL;
		IF n > 0 THEN
			RAISE NOTICE '% differences between index and query: %', n, o;
		END IF;
		query_differences := query_differences + n;
	END LOOP;
	PERFORM recsys.check_index(index);
END $$;

-- unweighted
CREATE INDEX plain_recsys ON plain USING recsys (user_id, item_id);
SELECT count_pairs('plain', false, false, 2000) > 1000 AS enough;
SELECT graphs, pairs > 50000 AS enough, differences, query_differences
FROM compare('plain_recsys', 'SELECT user_id, item_id FROM plain', 2000);

-- unweighted, at most 6 items of each user, the last in the heap
ALTER INDEX plain_recsys SET (max_history = 6);
SELECT count_pairs('plain', false, false, 6) > 500 AS enough;
SELECT graphs, pairs > 20000 AS enough, differences, query_differences
FROM compare('plain_recsys', 'SELECT user_id, item_id FROM plain', 6);
SELECT i.users = (SELECT count(DISTINCT user_id) FROM kept) AS users,
	   i.items = (SELECT count(DISTINCT item_id) FROM kept) AS items,
	   i.interactions = (SELECT count(*) FROM kept) AS interactions,
	   i.pairs = (SELECT count(*) FROM model) AS pairs,
	   capped_users = (SELECT count(*) FROM (SELECT FROM plain WHERE user_id IS NOT NULL AND item_id IS NOT NULL
					   GROUP BY user_id HAVING count(DISTINCT item_id) > 6) c) AS capped_users,
	   capped_interactions = (SELECT sum(greatest(n - 6, 0)) FROM (SELECT count(DISTINCT item_id) AS n FROM plain
							  WHERE user_id IS NOT NULL AND item_id IS NOT NULL GROUP BY user_id) c) AS capped_interactions
FROM recsys.index_info('plain_recsys') i;
DROP INDEX plain_recsys;

-- weighted
CREATE INDEX rated_recsys ON rated USING recsys (user_id, item_id, weight);
SELECT count_pairs('rated', true, false, 2000) > 600 AS enough;
SELECT graphs, pairs > 30000 AS enough, differences, query_differences
FROM compare('rated_recsys', 'SELECT user_id, item_id, weight FROM rated', 2000);
DROP INDEX rated_recsys;

-- weighted and timed, at most the 5 latest items of each user
CREATE INDEX rated_recsys ON rated USING recsys (user_id, item_id, weight, at) WITH (max_history = 5);
SELECT count_pairs('rated', true, true, 5) > 500 AS enough;
SELECT graphs, pairs > 15000 AS enough, differences, query_differences
FROM compare('rated_recsys', 'SELECT user_id, item_id, weight, at FROM rated', 5);
DROP INDEX rated_recsys;

-- timed without a weight
CREATE INDEX rated_recsys ON rated USING recsys (user_id, item_id, at) WITH (max_history = 5);
SELECT count_pairs('rated', false, true, 5) > 500 AS enough;
SELECT graphs, pairs > 15000 AS enough, differences, query_differences
FROM compare('rated_recsys', 'SELECT user_id, item_id, at FROM rated', 5);
DROP INDEX rated_recsys;

-- the types of weight and time: numbers and dates of any kind give the same graph
CREATE TABLE typed AS
SELECT user_id, item_id, g % 4 AS i4, (g % 4)::smallint AS i2, (g % 4)::bigint AS i8, (g % 4)::real AS f4,
	   (g % 4)::double precision AS f8, (g % 4)::numeric AS n,
	   date '2024-01-01' + g % 50 AS d, timestamp '2024-01-01' + interval '1 day' * (g % 50) AS t,
	   timestamptz '2024-01-01 00:00+00' + interval '1 day' * (g % 50) AS tz
FROM (SELECT *, row_number() OVER ()::integer AS g FROM plain) p;
CREATE INDEX typed_recsys ON typed USING recsys (user_id, item_id, i4, d) WITH (max_history = 5, min_support = 1);
TRUNCATE model;
INSERT INTO model SELECT * FROM item_similarity();
DROP INDEX typed_recsys;
SELECT count(*) > 500 AS enough FROM model;
SELECT w AS weight, t AS time,
	   (SELECT count(*) FROM model m
		FULL JOIN query_item_similarity(format('SELECT user_id, item_id, %s, %s FROM typed', w, t), max_history => 5, min_support => 1) q
			USING (item_id, similar_item_id, score, support, rank)
		WHERE m.item_id IS NULL OR q.item_id IS NULL) AS differences
FROM unnest(ARRAY['i2', 'i4', 'i8', 'f4', 'f8', 'n']) w, unnest(ARRAY['d', 't', 'tz']) t
ORDER BY 1, 2;

-- weights that no float can hold count as 0, as NaN does
SELECT * FROM query_item_similarity($$
	SELECT * FROM (VALUES (1, 1, 1::numeric), (1, 2, 1), (1, 3, 1e300), (2, 1, 2), (2, 2, 2), (2, 3, '-Infinity'), (2, 3, 'NaN')) v$$);

DROP FUNCTION compare, differences, formula, cell, count_pairs, chance;
DROP TABLE plain, rated, typed, kept, pairs, graph, model;
