/*
 * Models beside the counted measures, on random data: weightings and rp3beta
 * against plain SQL, slim against the conditions that its minimum fulfils, ease, spectral
 * and als against textbook linear algebra; all of them through builds of every
 * kind, merges and REINDEX.
 */
SET client_min_messages = warning;
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- one row of a user and an item, so that folding is no matter here
CREATE TABLE rated (user_id bigint, item_id bigint, weight real, at timestamptz);
INSERT INTO rated
SELECT DISTINCT ON (u, i) u, i, w, t
FROM (SELECT floor(120 * chance(g, 'user') ^ 1.5) AS u, floor(40 * chance(g, 'item') ^ 2) AS i,
			 round((0.5 + 5 * chance(g, 'weight'))::numeric, 2) AS w,
			 CASE WHEN g % 19 <> 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '1 day' * floor(60 * chance(g, 'at')) END AS t
	  FROM generate_series(1, 1500) g) r
ORDER BY u, i, w;

/*
 * The formulas of core/pairs/weighting.c and core/pairs/similarity.c: weight, then tfidf or
 * bm25, then the products of two items' weights.
 */
CREATE FUNCTION reference(similarity text, weighted boolean, days double precision, weighting text, k1 double precision,
						  b double precision, user_damping double precision, alpha double precision, beta double precision)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score double precision, support bigint)
LANGUAGE sql AS $$
	WITH given AS (
		SELECT r.user_id, r.item_id,
			   CASE WHEN weighted THEN r.weight ELSE 1 END *
			   CASE WHEN days > 0 AND r.at IS NOT NULL
					THEN 2 ^ (-extract(epoch FROM (SELECT max(at) FROM rated) - r.at)::double precision / 86400 / days)
					ELSE 1 END AS w
		FROM rated r),
	users AS (SELECT user_id, count(*) AS d FROM given GROUP BY 1),
	items AS (SELECT item_id, count(*) AS n, sum(w) AS mass FROM given GROUP BY 1),
	weighed AS (
		SELECT user_id, item_id, d, n,
			   CASE weighting
				WHEN 'tfidf' THEN w * ln(1 + (SELECT count(*) FROM items)::double precision / d)
				WHEN 'bm25' THEN w * (k1 + 1) / (w + k1 * (1 - b + b * mass / (SELECT avg(mass) FROM items))) *
								 ln(1 + (SELECT count(*) FROM items)::double precision / d)
				ELSE w END AS w
		FROM given JOIN users USING (user_id) JOIN items USING (item_id)),
	sums AS (
		SELECT *, sum(w) OVER (PARTITION BY item_id) AS item_mass, sum(w) OVER (PARTITION BY user_id) AS user_mass
		FROM weighed),
	pairs AS (
		SELECT x.item_id AS i, y.item_id AS j, count(*) AS c,
			   sum(x.w * y.w * x.d ^ -user_damping) AS dot,
			   sum((x.w / x.item_mass) ^ alpha * (y.w / y.user_mass) ^ alpha * x.d ^ -user_damping) AS walk
		FROM sums x JOIN sums y USING (user_id) GROUP BY 1, 2)
	SELECT p.i, p.j,
		   CASE similarity WHEN 'rp3beta' THEN p.walk * items.n ^ -beta
			ELSE p.dot / sqrt(a.dot * z.dot) * items.n ^ -alpha END, p.c
	FROM pairs p JOIN items ON item_id = p.j
	JOIN pairs a ON a.i = p.i AND a.j = p.i JOIN pairs z ON z.i = p.j AND z.j = p.j
	WHERE p.i <> p.j AND p.c >= 2
$$;

-- what differs by more than a ten thousandth
CREATE FUNCTION compare(similarity text, weighted boolean, days double precision DEFAULT 0, weighting text DEFAULT 'none',
						k1 double precision DEFAULT 1.2, b double precision DEFAULT 0.75, user_damping double precision DEFAULT 0,
						alpha double precision DEFAULT 0, beta double precision DEFAULT 0.6,
						OUT pairs bigint, OUT differences bigint)
LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE (abs(q.score - r.score) <= 1e-4 * r.score AND q.support = r.support) IS NOT TRUE)
	FROM reference(similarity, weighted, days, weighting, k1, b, user_damping, alpha, beta) r
	FULL JOIN query_item_similarity('SELECT user_id, item_id, ' || CASE WHEN weighted THEN 'weight, ' ELSE '' END || 'at FROM rated',
									similarity, 100, options => format('training_half_life=%s, weighting=%s, k1=%s, b=%s, user_damping=%s, alpha=%s, beta=%s',
																	   CASE WHEN days > 0 THEN days || ' days' END, weighting, k1, b, user_damping, alpha, beta)) q
	USING (item_id, similar_item_id)
$$;
SELECT s AS similarity, w AS weighted, x AS weighting, d AS user_damping, sum(pairs) > 800 AS enough, sum(differences) AS differences
FROM unnest(ARRAY['cosine', 'rp3beta']) s, unnest(ARRAY[false, true]) w, unnest(ARRAY['none', 'tfidf', 'bm25']) x,
	 unnest(ARRAY[0, 0.7]) d, compare(s, w, weighting => x, user_damping => d, alpha => CASE s WHEN 'rp3beta' THEN 1 ELSE 0 END)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT * FROM compare('rp3beta', true, alpha => 0.4, beta => 0.9);
SELECT * FROM compare('rp3beta', false, alpha => 1.6, beta => 0);
SELECT * FROM compare('rp3beta', true, 10, 'bm25', 3, 0.3, 0.5, 0.8, 0.3);
SELECT * FROM compare('cosine', true, 10, 'bm25', 100, 0.8, 0.5, 0.5);
SELECT * FROM compare('cosine', false, 5);
-- rp3beta's exponent is 1, the damping of the others 0, unless told
SELECT count(*) AS differences FROM
	(SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM rated', 'rp3beta')
	 EXCEPT ALL SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM rated', 'rp3beta', alpha => 1)) d;
SELECT count(*) > 0 AS differences FROM
	(SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM rated')
	 EXCEPT ALL SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM rated', alpha => 1)) d;

/*
 * slim: w >= 0 solves its problem if and only if the gradient g of the smooth part
 * is -l1 where w > 0 and no less than that elsewhere.  With every item a candidate
 * and every weight kept.
 */
CREATE FUNCTION violations(weighted boolean, l1 double precision, l2 double precision, user_damping double precision DEFAULT 0,
						   OUT weights bigint, OUT violations bigint, OUT worst double precision)
LANGUAGE sql AS $$
	WITH w AS MATERIALIZED (
		SELECT item_id AS i, similar_item_id AS j, score::double precision AS w
		FROM query_item_similarity('SELECT user_id, item_id' || CASE WHEN weighted THEN ', weight' ELSE '' END || ' FROM rated',
								   'slim', 100, min_support => 1,
								   options => format('l1=%s, l2=%s, candidates=1000, user_damping=%s', l1, l2, user_damping))),
	x AS (SELECT user_id AS u, item_id AS i, (CASE WHEN weighted THEN weight ELSE 1 END *
				 count(*) OVER (PARTITION BY user_id) ^ (-user_damping / 2)) AS x FROM rated),
	gram AS MATERIALIZED (SELECT a.i, b.i AS k, sum(a.x * b.x) AS g FROM x a JOIN x b USING (u) GROUP BY 1, 2),
	product AS (SELECT g.i, w.j, sum(g.g * w.w) AS p FROM gram g JOIN w ON w.i = g.k GROUP BY 1, 2),
	gradient AS (
		SELECT g.i, g.k AS j, coalesce(w.w, 0) AS w, coalesce(p.p, 0) - g.g + l2 * coalesce(w.w, 0) AS slope, z.g AS scale
		FROM gram g JOIN gram z ON z.i = g.i AND z.k = g.i
		LEFT JOIN product p ON p.i = g.i AND p.j = g.k LEFT JOIN w ON w.i = g.i AND w.j = g.k
		WHERE g.i <> g.k)
	SELECT count(*) FILTER (WHERE w > 0),
		   count(*) FILTER (WHERE greatest(CASE WHEN w > 0 THEN abs(slope + l1) ELSE -l1 - slope END, 0) > 1e-4 * (scale + l2)),
		   max(greatest(CASE WHEN w > 0 THEN abs(slope + l1) ELSE -l1 - slope END, 0) / (scale + l2)) FILTER (WHERE scale > 0)
	FROM gradient
$$;
SELECT w AS weighted, l1, l2, weights > 100 AS enough, violations
FROM unnest(ARRAY[false, true]) w, (VALUES (1, 5), (0, 1), (3, 0.5)) l (l1, l2), violations(w, l1, l2);
SELECT weights > 100 AS enough, violations FROM violations(true, 0.1, 0.5, 1);
-- fewer candidates: never more of them than asked for, and only those with enough users
SELECT max(count) AS most FROM (SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM rated', 'slim',
	options => 'candidates=7') GROUP BY similar_item_id) c;
SELECT min(support) AS least FROM query_item_similarity('SELECT user_id, item_id FROM rated', 'slim', min_support => 4);

/*
 * itemknn: of each item the most similar ones, with their share of the similarity.
 */
CREATE FUNCTION itemknn_differences(weighted boolean, candidates integer, OUT pairs bigint, OUT differences bigint) LANGUAGE sql AS $$
	WITH w AS (SELECT user_id, item_id, CASE WHEN weighted THEN weight ELSE 1 END::double precision AS w FROM rated),
	norms AS (SELECT item_id, sum(w * w) AS norm2 FROM w GROUP BY 1),
	cosines AS (
		SELECT a.item_id AS i, b.item_id AS j, (sum(a.w * b.w) / sqrt(x.norm2 * y.norm2))::real AS score, count(*) AS support
		FROM w a JOIN w b USING (user_id) JOIN norms x ON x.item_id = a.item_id JOIN norms y ON y.item_id = b.item_id
		WHERE a.item_id <> b.item_id GROUP BY 1, 2, x.norm2, y.norm2 HAVING count(*) >= 2),
	nearest AS (SELECT *, row_number() OVER (PARTITION BY j ORDER BY score DESC, i) AS place FROM cosines),
	shares AS (SELECT i AS item_id, j AS similar_item_id, score / sum(score::double precision) OVER (PARTITION BY j) AS score, support
			   FROM nearest WHERE place <= candidates)
	SELECT count(*), count(*) FILTER (WHERE (abs(q.score - s.score) <= 1e-5 * s.score AND q.support = s.support) IS NOT TRUE)
	FROM shares s FULL JOIN query_item_similarity('SELECT user_id, item_id' || CASE WHEN weighted THEN ', weight' ELSE '' END || ' FROM rated',
												  options => format('similarity = itemknn, candidates = %s', candidates)) q USING (item_id, similar_item_id)
$$;
SELECT w AS weighted, c AS candidates, pairs > 200 AS enough, differences
FROM unnest(ARRAY[false, true]) w, unnest(ARRAY[7, 1000]) c, itemknn_differences(w, c);

/*
 * ease: -P_ij / P_jj, P the inverse of the Gram matrix plus lambda, by Gauss-Jordan.
 * With fewer users than items the kernel inverts the other Gram matrix.
 */
CREATE FUNCTION ease_reference(weighted boolean, lambda double precision, most_users bigint)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	items bigint[] := ARRAY(SELECT DISTINCT item_id FROM rated WHERE user_id < most_users ORDER BY 1);
	n integer := cardinality(items);
	p double precision[] := array_fill(0::double precision, ARRAY[n, n]);
	pivot double precision;
	factor double precision;
	pair record;
BEGIN
	FOR pair IN
		SELECT array_position(items, a.item_id) AS i, array_position(items, b.item_id) AS j,
			   sum(CASE WHEN weighted THEN a.weight::double precision * b.weight ELSE 1 END) AS g
		FROM rated a JOIN rated b USING (user_id) WHERE user_id < most_users GROUP BY 1, 2
	LOOP
		p[pair.i][pair.j] := pair.g;
	END LOOP;
	FOR i IN 1 .. n LOOP
		p[i][i] := p[i][i] + lambda;
	END LOOP;
	-- in place; a positive definite matrix needs no other pivots
	FOR k IN 1 .. n LOOP
		pivot := p[k][k];
		p[k][k] := 1;
		FOR j IN 1 .. n LOOP
			p[k][j] := p[k][j] / pivot;
		END LOOP;
		FOR i IN 1 .. n LOOP
			CONTINUE WHEN i = k;
			factor := p[i][k];
			p[i][k] := 0;
			FOR j IN 1 .. n LOOP
				p[i][j] := p[i][j] - factor * p[k][j];
			END LOOP;
		END LOOP;
	END LOOP;
	RETURN QUERY SELECT items[i], items[j], -p[i][j] / p[j][j]
		FROM generate_series(1, n) i, generate_series(1, n) j WHERE i <> j;
END $$;

/*
 * spectral: the formula in core/dense/spectral.c with all eigenvalues and eigenvectors, by
 * Jacobi's rotations.
 */
CREATE FUNCTION spectral_reference(weighted boolean, rank integer, power double precision, tail double precision, most_items bigint)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	items bigint[] := ARRAY(SELECT DISTINCT item_id FROM rated WHERE item_id < most_items ORDER BY 1);
	n integer := cardinality(items);
	mass double precision[] := ARRAY(SELECT sum(CASE WHEN weighted THEN weight::double precision ELSE 1 END)
									 FROM rated WHERE item_id < most_items GROUP BY item_id ORDER BY item_id);
	p double precision[] := array_fill(0::double precision, ARRAY[n, n]);
	a double precision[];
	v double precision[] := array_fill(0::double precision, ARRAY[n, n]);
	strongest integer[];
	largest double precision;
	linear double precision;
	s double precision;
	theta double precision;
	sine double precision;
	cosine double precision;
	x double precision;
	pair record;
BEGIN
	FOR pair IN
		WITH normal AS (
			SELECT user_id, array_position(items, item_id) AS i,
				   w * sum(w) OVER (PARTITION BY user_id) ^ -0.3 * sum(w) OVER (PARTITION BY item_id) ^ -0.4 AS r
			FROM (SELECT user_id, item_id, CASE WHEN weighted THEN weight::double precision ELSE 1 END AS w
				  FROM rated WHERE item_id < most_items) g)
		SELECT a.i, b.i AS j, sum(a.r * b.r) AS g FROM normal a JOIN normal b USING (user_id) GROUP BY 1, 2
	LOOP
		p[pair.i][pair.j] := pair.g;
	END LOOP;
	a := p;
	FOR i IN 1 .. n LOOP
		v[i][i] := 1;
	END LOOP;
	FOR round IN 1 .. 8 LOOP
		FOR i IN 1 .. n - 1 LOOP
			FOR j IN i + 1 .. n LOOP
				CONTINUE WHEN abs(a[i][j]) < 1e-13;
				theta := atan2(2 * a[i][j], a[j][j] - a[i][i]) / 2;
				sine := sin(theta);
				cosine := cos(theta);
				FOR k IN 1 .. n LOOP
					x := a[k][i];
					a[k][i] := cosine * x - sine * a[k][j];
					a[k][j] := sine * x + cosine * a[k][j];
					x := v[k][i];
					v[k][i] := cosine * x - sine * v[k][j];
					v[k][j] := sine * x + cosine * v[k][j];
				END LOOP;
				FOR k IN 1 .. n LOOP
					x := a[i][k];
					a[i][k] := cosine * x - sine * a[j][k];
					a[j][k] := sine * x + cosine * a[j][k];
				END LOOP;
			END LOOP;
		END LOOP;
	END LOOP;
	strongest := ARRAY(SELECT k FROM generate_series(1, n) k ORDER BY a[k][k] DESC LIMIT rank);
	largest := a[strongest[1]][strongest[1]];
	linear := CASE WHEN rank < n THEN tail * (a[strongest[rank]][strongest[rank]] / largest) ^ (power - 1) ELSE 0 END;
	FOR i IN 1 .. n LOOP
		FOR j IN 1 .. n LOOP
			CONTINUE WHEN i = j;
			x := linear * p[i][j] / largest;
			FOR k IN 1 .. least(rank, n) LOOP
				s := a[strongest[k]][strongest[k]] / largest;
				x := x + (s ^ power - linear * s) * v[i][strongest[k]] * v[j][strongest[k]];
			END LOOP;
			item_id := items[i];
			similar_item_id := items[j];
			score := x * mass[i] ^ (-0.4 + 0.1) * mass[j] ^ 0.3;
			RETURN NEXT;
		END LOOP;
	END LOOP;
END $$;

-- pairs with two users and a positive score are all there, with that score
CREATE FUNCTION dense_differences(query text, options text, reference text, OUT pairs bigint, OUT differences bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('WITH support AS (SELECT a.item_id, b.item_id AS similar_item_id, count(*) AS support
									 FROM (%1$s) a JOIN (%1$s) b USING (user_id) GROUP BY 1, 2)
		SELECT count(q.score), count(*) FILTER (WHERE abs(coalesce(q.score, 0) - CASE WHEN s.support >= 2 THEN greatest(r.score, 0) ELSE 0 END) > 1e-4 * greatest(abs(r.score), 0.1)
												   OR q.support <> s.support OR r.score IS NULL)
		FROM %3$s r JOIN support s USING (item_id, similar_item_id)
		FULL JOIN query_item_similarity(%4$L, options => %2$L) q USING (item_id, similar_item_id)',
		query, options, reference, query) INTO pairs, differences;
END $$;
SELECT w AS weighted, lambda, users, pairs > 200 AS enough, differences
FROM unnest(ARRAY[false, true]) w, (VALUES (80, 1000), (5, 1000), (10, 12)) o (lambda, users),
	 dense_differences(format('SELECT user_id, item_id%s FROM rated WHERE user_id < %s', CASE WHEN w THEN ', weight' END, users),
					   format('similarity = ease, lambda = %s', lambda), format('ease_reference(%L, %s, %s)', w, lambda, users));
SELECT w AS weighted, rank, power, tail, pairs > 100 AS enough, differences
FROM unnest(ARRAY[false, true]) w, (VALUES (5, 0.4, 0.7), (9, 1, 0.2), (512, 0.3, 0.5)) o (rank, power, tail),
	 dense_differences(format('SELECT user_id, item_id%s FROM rated WHERE item_id < 16', CASE WHEN w THEN ', weight' END),
					   format('similarity = spectral, rank = %s, power = %s, tail = %s', rank, power, tail),
					   format('spectral_reference(%L, %s, %s, %s, 16)', w, rank, power, tail));

/*
 * als: with as many dimensions as there are items the objective has one minimum (in terms of
 * scores), so that of this plain alternation, from any start, is that of the kernel.  Compared are
 * cosines, and figures of lists by users folded in.
 */
CREATE TABLE taste (user_id bigint, item_id bigint, weight real, later boolean);
INSERT INTO taste
SELECT DISTINCT ON (u, i) u, i, 1 + 2 * chance(g, 'tw'), chance(g, 'tl') < 0.2 AND u > 1
FROM (SELECT g, floor(9 * chance(g, 'tu')) AS u, floor(5 * chance(g, 'ti') ^ 1.5) AS i FROM generate_series(1, 60) g) r ORDER BY u, i, g;

-- x of A x = sum of w y, from rows of y and w; whole is a G + the regularization but for W
CREATE FUNCTION fit(ys double precision[], ws double precision[], gram double precision[], unobserved double precision,
					ridge double precision) RETURNS double precision[] LANGUAGE plpgsql AS $$
DECLARE
	r integer := array_length(gram, 1);
	a double precision[] := array_fill(0::double precision, ARRAY[r, r]);
	x double precision[] := array_fill(0::double precision, ARRAY[r]);
	factor double precision;
	value double precision;
BEGIN
	-- through value: an array that is read where it is changed would be copied
	FOR i IN 1 .. r LOOP
		FOR j IN 1 .. r LOOP
			value := unobserved * gram[i][j] + CASE WHEN i = j THEN ridge ELSE 0 END;
			FOR e IN 1 .. cardinality(ws) LOOP
				value := value + ws[e] * ys[e][i] * ys[e][j];
			END LOOP;
			a[i][j] := value;
		END LOOP;
		value := 0;
		FOR e IN 1 .. cardinality(ws) LOOP
			value := value + ws[e] * ys[e][i];
		END LOOP;
		x[i] := value;
	END LOOP;
	FOR k IN 1 .. r LOOP
		FOR i IN 1 .. r LOOP
			CONTINUE WHEN i = k;
			factor := a[i][k] / a[k][k];
			FOR j IN k .. r LOOP
				value := a[i][j] - factor * a[k][j];
				a[i][j] := value;
			END LOOP;
			value := x[i] - factor * x[k];
			x[i] := value;
		END LOOP;
	END LOOP;
	FOR k IN 1 .. r LOOP
		x[k] := x[k] / a[k][k];
	END LOOP;
	RETURN x;
END $$;
CREATE FUNCTION gram_of(factors double precision[]) RETURNS double precision[] LANGUAGE plpgsql AS $$
DECLARE
	r integer := array_length(factors, 2);
	gram double precision[] := array_fill(0::double precision, ARRAY[r, r]);
	value double precision;
BEGIN
	FOR i IN 1 .. r LOOP
		FOR j IN 1 .. r LOOP
			value := 0;
			FOR e IN 1 .. array_length(factors, 1) LOOP
				value := value + factors[e][i] * factors[e][j];
			END LOOP;
			gram[i][j] := value;
		END LOOP;
	END LOOP;
	RETURN gram;
END $$;
-- factors of the items, in their order
CREATE FUNCTION als_factors(weighted boolean, unobserved double precision, lambda double precision, rounds integer)
RETURNS double precision[] LANGUAGE plpgsql AS $$
DECLARE
	items bigint[] := ARRAY(SELECT DISTINCT item_id FROM taste WHERE NOT later ORDER BY 1);
	users bigint[] := ARRAY(SELECT DISTINCT user_id FROM taste WHERE NOT later ORDER BY 1);
	n integer := cardinality(items);
	m integer := cardinality(users);
	y double precision[];
	x double precision[] := array_fill(0::double precision, ARRAY[m, n]);
	ratings double precision[] := array_fill(0::double precision, ARRAY[m, n]);
	others double precision[];
	ws double precision[];
	gram double precision[];
	fitted double precision[];
	r record;
BEGIN
	y := (SELECT array_agg(l ORDER BY i) FROM (SELECT i, array_agg(chance(i * 100 + j, 'start') - 0.5 ORDER BY j) AS l
											   FROM generate_series(1, n) i, generate_series(1, n) j GROUP BY 1) s);
	FOR r IN SELECT array_position(users, user_id) AS u, array_position(items, item_id) AS i, weight FROM taste WHERE NOT later LOOP
		ratings[r.u][r.i] := CASE WHEN weighted THEN r.weight ELSE 1 END;
	END LOOP;
	FOR round IN 1 .. rounds LOOP
		gram := gram_of(y);
		FOR u IN 1 .. m LOOP
			others := '{}';
			ws := '{}';
			FOR i IN 1 .. n LOOP
				CONTINUE WHEN ratings[u][i] = 0;
				others := others || y[i:i];
				ws := ws || ratings[u][i];
			END LOOP;
			fitted := fit(others, ws, gram, unobserved, lambda * ((SELECT sum(w) FROM unnest(ws) w) + unobserved * n));
			FOR k IN 1 .. n LOOP
				x[u][k] := fitted[k];
			END LOOP;
		END LOOP;
		gram := gram_of(x);
		FOR i IN 1 .. n LOOP
			others := '{}';
			ws := '{}';
			FOR u IN 1 .. m LOOP
				CONTINUE WHEN ratings[u][i] = 0;
				others := others || x[u:u];
				ws := ws || ratings[u][i];
			END LOOP;
			fitted := fit(others, ws, gram, unobserved, lambda * ((SELECT sum(w) FROM unnest(ws) w) + unobserved * m));
			FOR k IN 1 .. n LOOP
				y[i][k] := fitted[k];
			END LOOP;
		END LOOP;
	END LOOP;
	RETURN y;
END $$;
CREATE FUNCTION dot(a double precision[], i bigint, b double precision[], j bigint) RETURNS double precision LANGUAGE sql
RETURN (SELECT sum(a[i][k] * b[j][k]) FROM generate_subscripts(a, 2) k);
CREATE FUNCTION als_differences(weighted boolean, unobserved double precision, lambda double precision,
								OUT pairs bigint, OUT wrong_cosines bigint, OUT figures bigint, OUT wrong_figures bigint) LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT user_id, item_id%s FROM taste WHERE ', CASE WHEN weighted THEN ', weight' END);
	model text := format('similarity = als, rank = 5, unobserved = %s, lambda = %s, iterations = 1000', unobserved, lambda);
	items bigint[] := ARRAY(SELECT DISTINCT item_id FROM taste WHERE NOT later ORDER BY 1);
	y double precision[] := als_factors(weighted, unobserved, lambda, 60);
	gram double precision[] := gram_of(y);
BEGIN
	SELECT count(q.score), count(*) FILTER (WHERE abs(coalesce(q.score, 0) - CASE WHEN c.support >= 2 THEN greatest(c.score, 0) ELSE 0 END) > 2e-3)
	INTO pairs, wrong_cosines
	FROM (SELECT a.item_id, b.item_id AS similar_item_id, dot(y, i, y, j) / sqrt(dot(y, i, y, i) * dot(y, j, y, j)) AS score, count(*) AS support
		  FROM taste a JOIN taste b USING (user_id), LATERAL (SELECT array_position(items, a.item_id), array_position(items, b.item_id)) p(i, j)
		  WHERE NOT a.later AND NOT b.later AND i <> j GROUP BY 1, 2, i, j) c
	FULL JOIN query_item_similarity(query || 'NOT later', options => model) q USING (item_id, similar_item_id);

	WITH known AS (
		SELECT user_id, array_agg(i) AS seen,
			   fit(array_agg(ARRAY(SELECT y[i][k] FROM generate_subscripts(y, 2) k) ORDER BY i), array_agg(w ORDER BY i), gram, unobserved, lambda * (sum(w) + unobserved * cardinality(items))) AS x
		FROM (SELECT user_id, array_position(items, item_id) AS i, CASE WHEN weighted THEN weight ELSE 1 END::double precision AS w
			  FROM taste WHERE NOT later) t GROUP BY 1),
	listed AS (
		SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY score DESC) AS place
		FROM (SELECT user_id, items[i] AS item_id, (SELECT sum(x[k] * y[i][k]) FROM generate_subscripts(x, 1) k) AS score
			  FROM known, generate_subscripts(y, 1) i WHERE NOT i = ANY (seen)) s),
	hits AS (
		SELECT user_id, count(*) AS relevant, count(*) FILTER (WHERE place <= 2) AS hits, coalesce(max(1.0 / place) FILTER (WHERE place <= 2), 0) AS rr
		FROM taste LEFT JOIN listed USING (user_id, item_id) WHERE later GROUP BY 1),
	expected AS (SELECT avg(hits::double precision / relevant) AS recall, avg(rr) AS mrr FROM hits)
	SELECT count(*), count(*) FILTER (WHERE abs(value - CASE metric WHEN 'recall' THEN recall ELSE mrr END) > 1e-9 OR value = 0)
	INTO figures, wrong_figures
	FROM expected, recsys.evaluate(query || 'NOT later', model, test => query || 'later', k => ARRAY[2], metrics => ARRAY['recall', 'mrr'], resamples => 0);
END $$;
SELECT w AS weighted, unobserved, lambda, pairs > 10 AS enough, wrong_cosines, figures, wrong_figures
FROM (VALUES (false, 0.2, 0.05), (true, 0.5, 0.1)) o (w, unobserved, lambda), als_differences(w, unobserved, lambda);
-- the start is random but always the same (users come in another order, hence some rounding); the default rank is
-- more than there are items
CREATE FUNCTION als_changes(a text, b text, OUT pairs bigint, OUT changed boolean) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE (abs(x.score - y.score) < 1e-3 AND x.support = y.support) IS NOT TRUE) > count(*) / 100
	FROM query_item_similarity('SELECT user_id, item_id, weight FROM rated', 'als', options => a) x
	FULL JOIN query_item_similarity('SELECT user_id, item_id, weight FROM rated', 'als', options => b) y USING (item_id, similar_item_id)
$$;
SELECT a, b, pairs > 400 AS enough, changed
FROM (VALUES ('', ''), ('', 'iterations = 1'), ('', 'rank = 2'), ('', 'unobserved = 1'), ('', 'lambda = 0.1'), ('', 'weighting = bm25')) o (a, b), als_changes(a, b);
DROP TABLE taste;
DROP FUNCTION fit, gram_of, als_factors, dot, als_differences, als_changes;

/*
 * Indexes: the graph of a build is that of the query, also in little memory, and
 * after a REINDEX.
 */
CREATE FUNCTION unlike_query(index text, query text, options text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM item_similarity(index) i
	FULL JOIN query_item_similarity(query, options => options) q USING (item_id, similar_item_id, score, support, rank)
	WHERE i.item_id IS NULL OR q.item_id IS NULL
$$;
CREATE TABLE large AS
SELECT floor(9000 * chance(g, 'l') ^ 1.2)::bigint AS user_id, floor(300 * chance(g, 'm') ^ 2)::bigint AS item_id,
	   floor(3 * chance(g, 'n')) AS weight
FROM generate_series(1, 80000) g;
CREATE FUNCTION builds(options text, little_memory text DEFAULT '2MB', OUT ample bigint, OUT little bigint) LANGUAGE plpgsql AS $$
DECLARE
	query text := 'SELECT user_id, item_id, weight FROM large';
	index_options text := 'neighbors=20, ' || options;
BEGIN
	EXECUTE format('CREATE INDEX large_recsys ON large USING recsys (user_id, item_id, weight) WITH (%s)', index_options);
	ample := unlike_query('large_recsys', query, index_options);
	PERFORM set_config('maintenance_work_mem', little_memory, true);
	REINDEX INDEX large_recsys;
	SET LOCAL maintenance_work_mem = '64MB';
	little := unlike_query('large_recsys', query, index_options);
	PERFORM recsys.check_index('large_recsys');
	DROP INDEX large_recsys;
END $$;
SELECT o AS options, (builds(o)).*
FROM unnest(ARRAY['similarity=cosine, weighting=bm25', 'similarity=rp3beta', 'similarity=rp3beta, alpha=0.5, user_damping=0.3',
				   'similarity=itemknn, candidates=15']) o;
-- users come in another order, so these differ by rounding: compared by rank, and all but few
CREATE OR REPLACE FUNCTION unlike_query(index text, query text, options text) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE WHEN count(*) FILTER (WHERE (abs(i.score - q.score) <= 1e-3 * i.score) IS NOT TRUE) > 0.01 * count(*) THEN count(*) ELSE 0 END
	FROM item_similarity(index) i FULL JOIN query_item_similarity(query, options => options) q USING (item_id, rank)
$$;
SELECT o AS options, (builds(o, '16MB')).*
FROM unnest(ARRAY['similarity=ease', 'similarity=ease, lambda=20, weighting=tfidf', 'similarity=spectral', 'similarity=als, rank=16']) o;
-- lists by factors: again and again the same, whoever makes them
CREATE TABLE evaluated (workers integer, metric text, k integer, value double precision, users bigint);
DO $$
DECLARE
	workers text;
BEGIN
	-- the data are random: bestsellers are better
	SET LOCAL client_min_messages = error;
	FOREACH workers IN ARRAY '{0,2,2}'::text[] LOOP
		PERFORM set_config('max_parallel_maintenance_workers', workers, true);
		INSERT INTO evaluated SELECT workers::integer, metric, k, value, users
		FROM recsys.evaluate('SELECT user_id, item_id, weight FROM large', 'similarity = als, rank = 16', resamples => 0);
	END LOOP;
END $$;
SELECT count(*) AS metrics, bool_and(same = 1) AS same, min(users) > 2000 AS enough
FROM (SELECT count(DISTINCT coalesce(value, -1)) AS same, min(users) AS users FROM evaluated GROUP BY metric, k) m;
DROP TABLE evaluated;
-- some need the histories in memory, and say how much that is
SET maintenance_work_mem = '1MB';
\set VERBOSITY terse
CREATE INDEX ON large USING recsys (user_id, item_id, weight) WITH (similarity = slim);
CREATE INDEX ON large USING recsys (user_id, item_id, weight) WITH (similarity = spectral);
CREATE INDEX ON large USING recsys (user_id, item_id, weight) WITH (similarity = als);
CREATE INDEX ON large USING recsys (user_id, item_id, weight) WITH (similarity = ease);
-- ease makes do with what there is: some items predict each other, the others are predicted by them
CREATE TABLE wide AS
SELECT floor(2500 * chance(g, 'w'))::bigint AS user_id, floor(2500 * chance(g, 'x') ^ 2)::bigint AS item_id FROM generate_series(1, 12000) g;
SET maintenance_work_mem = '8MB';
SET client_min_messages = notice;
CREATE INDEX wide_recsys ON wide USING recsys (user_id, item_id) WITH (similarity = ease);
SET client_min_messages = warning;
\set VERBOSITY default
SELECT count(*) > 1000 AS pairs, count(DISTINCT item_id) > 300 AS items, min(score) > 0 AS positive FROM item_similarity('wide_recsys');
SELECT recsys.check_index('wide_recsys');
RESET maintenance_work_mem;
DROP TABLE large, wide;

/*
 * Merges of models that are learned: users, totals and supports are exact, what
 * pairs there are and their scores stay, but for those without support.
 */
CREATE TABLE shop (user_id bigint, item_id bigint, weight integer, at timestamptz);
CREATE TABLE outcome (options text, step text, stale boolean, unlike_counts bigint, unlike_scores bigint, unlike_totals bigint);
CREATE TABLE built (item_id bigint, similar_item_id bigint, score real, support bigint, rank integer);
-- after a merge of everything: how do index and table agree, and index and graph of the last build?
CREATE FUNCTION note(options text, step text, floor_support integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO outcome
	SELECT options, step, (SELECT inexact_items > 0 FROM recsys.index_stats WHERE index_name = 'shop_recsys'),
		   (SELECT count(*) FROM item_similarity('shop_recsys') i
			LEFT JOIN query_item_similarity('SELECT user_id, item_id FROM shop', 'confidence', 1000, floor_support) q USING (item_id, similar_item_id)
			WHERE q.support IS DISTINCT FROM i.support),
		   (SELECT count(*) FROM item_similarity('shop_recsys') i LEFT JOIN built b USING (item_id, similar_item_id)
			WHERE (abs(b.score - i.score) <= CASE WHEN options LIKE '%spectral%' THEN 1e-3 * b.score WHEN options LIKE '%als%' THEN 1e-3 ELSE 0 END) IS NOT TRUE) +
		   -- a pair that was there before is gone only if it lacks support
		   (SELECT count(*) FROM built b
			JOIN query_item_similarity('SELECT user_id, item_id FROM shop', 'confidence', 1000, floor_support) q USING (item_id, similar_item_id)
			LEFT JOIN item_similarity('shop_recsys') i USING (item_id, similar_item_id) WHERE i.item_id IS NULL),
		   (SELECT count(*) FROM popular_items(NULL, 'shop_recsys') p
			FULL JOIN (SELECT item_id, count(DISTINCT user_id) AS users FROM shop GROUP BY 1) s USING (item_id)
			WHERE p.users IS DISTINCT FROM s.users) +
		   (SELECT count(*) FROM recsys.index_stats WHERE index_name = 'shop_recsys' AND
			ROW(users, items, interactions) IS DISTINCT FROM
			(SELECT ROW(count(DISTINCT user_id), count(DISTINCT item_id), count(DISTINCT (user_id, item_id))) FROM shop))
$$;
-- VACUUM cannot run in a function: psql runs what this makes up
CREATE FUNCTION history(options text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	floor_support integer := CASE WHEN options LIKE '%min_support=3%' THEN 3 ELSE 2 END;
	more text := 'INSERT INTO shop SELECT floor(%s * chance(g, %L) ^ 1.3), floor(%s * chance(g, %L) ^ 2), 1 + g %% 3,
		''2024-01-01 00:00+00''::timestamptz + interval ''1 hour'' * g FROM generate_series(1, %s) g';
BEGIN
	RETURN NEXT 'TRUNCATE shop, built';
	RETURN NEXT format(more, 150, 'a', 40, 'b', 1200);
	RETURN NEXT format('CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id, weight, at) WITH (neighbors = 60, %s)', options);
	RETURN NEXT 'INSERT INTO built SELECT * FROM item_similarity(''shop_recsys'')';
	RETURN NEXT format('SELECT note(%L, %L, %s)', options, '1 built', floor_support);
	FOR round IN 1 .. 2 LOOP
		-- first by adjustment, later exactly
		RETURN NEXT format('SET recsys.merge_budget = %s', CASE round WHEN 1 THEN 0 ELSE 20000 END);
		RETURN NEXT format(more, 170, 'c' || round, 50, 'd', 200);
		RETURN NEXT 'SELECT merged FROM recsys.merge(''shop_recsys'')';
		RETURN NEXT 'SELECT recsys.check_index(''shop_recsys'')';
		RETURN NEXT format('DELETE FROM shop WHERE chance(user_id::integer, ''e%s'') < 0.2', round);
		RETURN NEXT format('DELETE FROM shop WHERE chance((1000 * user_id + item_id)::integer, ''f%s'') < 0.1', round);
		RETURN NEXT 'VACUUM shop';
		RETURN NEXT 'SELECT merged FROM recsys.merge(''shop_recsys'', exact => true)';
		RETURN NEXT 'SELECT recsys.check_index(''shop_recsys'')';
		RETURN NEXT format('SELECT note(%L, %L, %s)', options, round + 1 || ' merged', floor_support);
		-- what has gone stays away until the next training
		RETURN NEXT 'DELETE FROM built b WHERE NOT EXISTS (SELECT FROM item_similarity(''shop_recsys'') i WHERE (i.item_id, i.similar_item_id) = (b.item_id, b.similar_item_id))';
	END LOOP;
	RETURN NEXT 'REINDEX INDEX shop_recsys';
	RETURN NEXT 'TRUNCATE built';
	RETURN NEXT format('INSERT INTO built SELECT * FROM query_item_similarity(''SELECT user_id, item_id, weight, at FROM shop'', options => %L)',
					   'neighbors=60, ' || options);
	RETURN NEXT format('SELECT note(%L, %L, %s)', options, '4 rebuilt', floor_support);
	RETURN NEXT 'SELECT recsys.check_index(''shop_recsys'')';
	RETURN NEXT 'DROP INDEX shop_recsys';
END $$;
\set ECHO none
\pset format unaligned
\pset tuples_only on
\o /dev/null
SELECT history(o) FROM unnest(ARRAY['similarity=rp3beta, weighting=bm25', 'similarity=slim', 'similarity=itemknn', 'similarity=ease', 'similarity=spectral, rank=8', 'similarity=als, rank=8', 'similarity=cosine, weighting=bm25', 'similarity=session, training_half_life=''10 days'', min_support=3',
									'similarity=cosine, training_half_life=''10 days'', min_support=3']) o
\gexec
\o
\pset tuples_only off
\pset format aligned
\set ECHO all
RESET recsys.merge_budget;
SELECT * FROM outcome ORDER BY options, step;

-- a user is forgotten: pairs that lack support without him go, scores are said to stay
RESET client_min_messages;
TRUNCATE shop;
INSERT INTO shop VALUES (1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3), (4, 4);
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id) WITH (similarity = rp3beta, beta = 0, weighting = bm25);
SELECT item_id, similar_item_id, support FROM item_similarity('shop_recsys') ORDER BY 1, 2;
SELECT recsys.forget_user('shop_recsys', 3);
SELECT item_id, similar_item_id, support FROM item_similarity('shop_recsys') ORDER BY 1, 2;
SELECT DISTINCT source FROM recommend(3, 10, 'shop_recsys');
SELECT recsys.check_index('shop_recsys');
-- a new item, a new user: served at once, in the graph after a build; an exact merge says so and ends
INSERT INTO shop VALUES (5, 1), (5, 9), (6, 1), (6, 9);
SELECT merged, recomputed, inexact FROM recsys.merge('shop_recsys', exact => true);
SELECT merged, recomputed, inexact FROM recsys.merge('shop_recsys', exact => true);
SELECT item_id, users FROM popular_items(2, 'shop_recsys');
SELECT item_id, source FROM recommend(5, 1, 'shop_recsys');
SELECT count(*) FROM similar_items(9, 10, 'shop_recsys');
REINDEX INDEX shop_recsys;
SELECT count(*) FROM similar_items(9, 10, 'shop_recsys');
SELECT inexact_items FROM recsys.index_stats WHERE index_name = 'shop_recsys';
SELECT recsys.check_index('shop_recsys');
DROP INDEX shop_recsys;

-- options that are none, or cannot have that value
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (similarity = rp3beta, beta = 3);
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (weighting = idf);
CREATE INDEX ON shop USING recsys (user_id, item_id, at) WITH (training_half_life = '-1 day');
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (similarity = slim, l1 = -1);
SELECT query_item_similarity('SELECT user_id, item_id FROM shop', options => 'l3=1');
SELECT query_item_similarity('SELECT user_id, item_id FROM shop', options => 'l2=nan');
SELECT query_item_similarity('SELECT user_id, item_id FROM shop', options => 'candidates=many');
SELECT query_item_similarity('SELECT user_id, item_id FROM shop', options => 'weighting=idf');
SELECT query_item_similarity('SELECT user_id, item_id FROM shop', options => 'l2');
SELECT query_item_similarity('SELECT user_id, item_id FROM shop', options => 'training_half_life=0 days');
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM shop', options => ' Similarity = ''slim'' , l1=0.1,l2 = 1e0 ');
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM shop', options => '');
-- an option of another model is accepted, and does nothing
SELECT count(*) FROM (SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', 'jaccard')
	EXCEPT ALL SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', 'jaccard', options => 'beta=1, weighting=bm25, l1=7')) d;
-- nothing to learn from
SELECT s, (SELECT count(*) FROM query_item_similarity('SELECT 1, 1 WHERE false', s)),
	   (SELECT count(*) FROM query_item_similarity('SELECT 1, 1', s)) FROM unnest(ARRAY['rp3beta', 'slim', 'itemknn', 'ease', 'spectral', 'als']) s;
-- what single precision cannot hold
SELECT query_item_similarity('SELECT u, i, 1e30 FROM generate_series(1, 3) u, generate_series(1, 3) i', 'ease');
SELECT count(*) FROM query_item_similarity('SELECT u, i, 1e30 FROM generate_series(1, 3) u, generate_series(1, 3) i', 'als');
SELECT count(*) FROM query_item_similarity('SELECT u, i, 1e-30 FROM generate_series(1, 3) u, generate_series(1, 3) i', 'als');
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (similarity = als, rank = 0);
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (similarity = als, lambda = -1);
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (similarity = als, unobserved = -0.1);
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (similarity = als, iterations = 0);
-- defaults that depend on the model are not shown
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id) WITH (similarity = als);
SELECT pg_get_indexdef('shop_recsys'::regclass);
DROP INDEX shop_recsys;
TRUNCATE shop;
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id) WITH (similarity = slim);
INSERT INTO shop VALUES (1, 1), (1, 2);
SELECT merged, inexact FROM recsys.merge('shop_recsys');
SELECT recsys.check_index('shop_recsys');
DROP TABLE rated, shop, built, outcome;
DROP FUNCTION compare, reference, violations, itemknn_differences, ease_reference, spectral_reference, dense_differences,
	unlike_query, builds, note, history, chance;
