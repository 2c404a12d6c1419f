/*
 * Pictures
 *
 * SVG as text, in SQL alone: for psql (\o file), notebooks and mail.  What a picture shows is asked
 * with the caller's rights by the functions that answer it as rows.  Shapes get classes, whose colors
 * the style sheet of recsys.svg_picture has for light and for dark pages.  The same data make the same
 * picture: coordinates are rounded, and nothing depends on settings of the session.
 */
CREATE FUNCTION recsys.item_titles(items text[], recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, title text)
	AS 'MODULE_PATHNAME', 'recsys_item_titles' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.item_titles(text[], text) IS 'what a declared recommender calls items: those of the given keys that it has; no rows where it declares no title';

/*
 * What all pictures are made of
 */
-- not only <, > and &: XML has no signs for control characters and the last two of Unicode's first plane
CREATE FUNCTION recsys.svg_text(label text, most integer DEFAULT 100)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT replace(replace(replace(replace(CASE WHEN length(l.label) > most THEN left(l.label, greatest(most - 1, 0)) ELSE l.label END,
				   '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;') || CASE WHEN length(l.label) > most THEN '&#8230;' ELSE '' END
	FROM (SELECT btrim(regexp_replace(left(svg_text.label, 10000), E'[\\u0001-\\u0020\\u007F\\uFFFE\\uFFFF]+', ' ', 'g')) AS label) AS l;
END;
COMMENT ON FUNCTION recsys.svg_text(text, integer) IS 'a text as XML may have it, cut to so many characters';

CREATE FUNCTION recsys.svg_number(value double precision)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN value::text
				WHEN abs(value) < 1e-4 AND value <> 0 OR abs(value) >= 1e7 THEN btrim(to_char(value, '9.99EEEE'))
				ELSE trim_scale(round(value::numeric, greatest(0, 2 - floor(log(greatest(abs(value), 1e-4)))::integer)))::text END;
END;
COMMENT ON FUNCTION recsys.svg_number(double precision) IS 'a number with three digits that count, for people';

CREATE FUNCTION recsys.svg_picture(width integer, height integer, title text, description text, body text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT format('<svg xmlns="http://www.w3.org/2000/svg" class="recsys-plot" role="img" viewBox="0 0 %1$s %2$s" width="%1$s" height="%2$s">'
				  '<title>%3$s</title><desc>%4$s</desc>'
				  '<style>.recsys-plot{font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;max-width:100%%;height:auto}'
				  '.recsys-plot text{fill:#1f2933}.recsys-plot .page{fill:#fff}.recsys-plot .head{font-size:17px;font-weight:600}'
				  '.recsys-plot .dim{fill:#5f6b7a;font-size:12px}.recsys-plot .warn{fill:#c92a2a}.recsys-plot .strong{font-weight:600}'
				  '.recsys-plot .halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}'
				  '.recsys-plot .grid{stroke:#e1e5ea}.recsys-plot .zero{stroke:#8b95a1}.recsys-plot .link{stroke:#8b95a1;fill:none}.recsys-plot .empty{fill:#f3f5f7}'
				  '.recsys-plot .hot{fill:#e8590c}.recsys-plot .cold{fill:#2f6fde}'
				  '%5$s'
				  '@media (prefers-color-scheme:dark){.recsys-plot text{fill:#e6e9ed}.recsys-plot .page{fill:#15191e}.recsys-plot .dim{fill:#9aa5b1}.recsys-plot .warn{fill:#ff8787}'
				  '.recsys-plot .halo{stroke:#15191e}.recsys-plot .grid{stroke:#2c333b}.recsys-plot .zero{stroke:#7b8794}.recsys-plot .link{stroke:#7b8794}.recsys-plot .empty{fill:#1d232a}'
				  '.recsys-plot .hot{fill:#ff922b}.recsys-plot .cold{fill:#5c9dff}'
				  '%6$s}</style>'
				  '<rect class="page" width="%1$s" height="%2$s"/><text class="head" x="20" y="32">%3$s</text><text class="dim" x="20" y="52">%4$s</text>%7$s</svg>',
				  width, height, recsys.svg_text(title, 90), recsys.svg_text(description, 140),
				  (SELECT string_agg(format('.recsys-plot .l%1$s{stroke:%2$s}.recsys-plot .f%1$s{fill:%2$s}', n, light), '' ORDER BY n)
				   FROM unnest(ARRAY['#2f6fde', '#e8590c', '#2b8a3e', '#9c36b5', '#c2255c', '#0b7285', '#a07800', '#5f6b7a']) WITH ORDINALITY AS c (light, n)),
				  (SELECT string_agg(format('.recsys-plot .l%1$s{stroke:%2$s}.recsys-plot .f%1$s{fill:%2$s}', n, dark), '' ORDER BY n)
				   FROM unnest(ARRAY['#74a5ff', '#ff9f5a', '#69db7c', '#da77f2', '#f783ac', '#66d9e8', '#ffd43b', '#adb5bd']) WITH ORDINALITY AS c (dark, n)),
				  body);
END;
COMMENT ON FUNCTION recsys.svg_picture(integer, integer, text, text, text) IS 'an SVG picture of that size with a heading, and what stands below it, in pixels from the upper left corner';

/*
 * An order in which what belongs together stands together: each is followed by what the last one is
 * tied to most, of those that are left; where there is nothing, by the first one left.
 */
CREATE FUNCTION recsys.plot_order(items text[], firsts text[], seconds text[], weights double precision[])
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE ties AS MATERIALIZED (
		SELECT a, b, max(w) AS w
		FROM (SELECT a, b, w FROM unnest(firsts, seconds, weights) AS t (a, b, w)
			  UNION ALL SELECT b, a, w FROM unnest(firsts, seconds, weights) AS t (a, b, w)) AS both_ways
		GROUP BY a, b),
	chain (placed, last) AS (
		SELECT ARRAY[items[1]], items[1] WHERE items[1] IS NOT NULL
		UNION ALL
		SELECT c.placed || n.item, n.item
		FROM chain AS c, LATERAL (SELECT i.item
								  FROM unnest(items) WITH ORDINALITY AS i (item, place) LEFT JOIN ties AS t ON t.a = c.last AND t.b = i.item
								  WHERE i.item <> ALL (c.placed) ORDER BY t.w DESC NULLS LAST, i.place LIMIT 1) AS n)
	SELECT c.placed FROM chain AS c ORDER BY cardinality(c.placed) DESC LIMIT 1;
END;
COMMENT ON FUNCTION recsys.plot_order(text[], text[], text[], double precision[]) IS 'the items in such an order that those tied to each other, by pairs with weights, stand side by side';

/*
 * plot_neighbors: an item, what is like it, and what of that is like each other.
 *
 * Neighbors stand on an ellipse, right half from the top, left half from the bottom, at equal steps
 * of y, so that their labels never meet.
 */
CREATE FUNCTION recsys.plot_neighbors(item_id text, recommender text DEFAULT NULL, k integer DEFAULT 12)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 20000
BEGIN ATOMIC
	WITH near AS MATERIALIZED (
		SELECT s.item_id AS item, s.score, s.support, s.rank
		FROM @extschema@.similar_items(plot_neighbors.item_id, least(greatest(coalesce(k, 12), 1), 40), plot_neighbors.recommender) AS s),
	-- each neighbor's own neighbors, as far as they are in the picture
	pairs AS MATERIALIZED (
		SELECT n.item AS a, o.item AS b, max(s.score) AS score
		FROM near AS n, LATERAL @extschema@.similar_items(n.item, 100, plot_neighbors.recommender) AS s, near AS o
		WHERE o.item = s.item_id AND o.item <> n.item
		GROUP BY 1, 2),
	edges AS (
		SELECT least(a, b) AS a, greatest(a, b) AS b, max(score) AS score FROM pairs GROUP BY 1, 2),
	titles AS MATERIALIZED (
		SELECT t.item_id AS item, nullif(btrim(t.title), '') AS title FROM recsys.item_titles(ARRAY(SELECT item FROM near), plot_neighbors.recommender) AS t),
	-- by itself: the key may be written in another way than the items' keys are
	center AS MATERIALIZED (
		SELECT coalesce((SELECT nullif(btrim(t.title), '') FROM recsys.item_titles(ARRAY[plot_neighbors.item_id], plot_neighbors.recommender) AS t LIMIT 1), plot_neighbors.item_id) AS label),
	total AS (
		SELECT count(*)::integer AS n, max(abs(score)) AS score, max(support) AS support,
			   CASE count(*) WHEN 0 THEN 20 ELSE greatest(150, (count(*)::integer + 1) / 2 * 18) END AS ry, (count(*)::integer + 1) / 2 AS n_right FROM near),
	placed AS (
		SELECT o.item, o.place - 1 AS place, t.ry, CASE WHEN o.place <= t.n_right THEN 1 ELSE -1 END AS side,
			   CASE WHEN o.place <= t.n_right THEN 2 * t.ry * (o.place - 0.5) / t.n_right - t.ry
					ELSE t.ry - 2 * t.ry * (o.place - t.n_right - 0.5) / (t.n - t.n_right) END AS y
		FROM total AS t, unnest(recsys.plot_order(ARRAY(SELECT n.item FROM near AS n ORDER BY n.rank), ARRAY(SELECT e.a FROM edges AS e ORDER BY e.a, e.b),
								ARRAY(SELECT e.b FROM edges AS e ORDER BY e.a, e.b), ARRAY(SELECT e.score FROM edges AS e ORDER BY e.a, e.b)::double precision[]))
								WITH ORDINALITY AS o (item, place)),
	nodes AS MATERIALIZED (
		SELECT p.item, p.place, p.side, round(450 + p.side * 200 * sqrt(1 - power(p.y / p.ry, 2))::numeric, 1) AS x, round(p.ry + 80 + p.y::numeric, 1) AS y,
			   n.score, n.support, coalesce(i.title, p.item) AS label
		FROM placed AS p JOIN near AS n USING (item) LEFT JOIN titles AS i USING (item)),
	shapes (layer, place, shape) AS (
		SELECT 1, row_number() OVER (ORDER BY e.score, e.a, e.b),
			   format('<path class="link" stroke-width="%s" stroke-opacity=".45" d="M%s %sQ%s %s %s %s"><title>%s &#8211; %s: %s</title></path>',
					  round(0.5 + 3 * (greatest(e.score, 0) / greatest(t.score, 1e-30))::numeric, 1), a.x, a.y,
					  round((a.x + b.x) * 0.3 + 180, 1), round((a.y + b.y) * 0.3 + (t.ry + 80) * 0.4, 1), b.x, b.y,
					  recsys.svg_text(a.label), recsys.svg_text(b.label), recsys.svg_number(e.score))
		FROM edges AS e JOIN nodes AS a ON a.item = e.a JOIN nodes AS b ON b.item = e.b, total AS t
		UNION ALL
		SELECT 2, place, format('<line class="l1" stroke-width="%s" stroke-opacity=".75" x1="450" y1="%s" x2="%s" y2="%s"/>',
								round(1 + 5 * (greatest(n.score, 0) / greatest(t.score, 1e-30))::numeric, 1), t.ry + 80, n.x, n.y)
		FROM nodes AS n, total AS t
		UNION ALL
		SELECT 3, place, format('<circle class="f1" cx="%s" cy="%s" r="%s"/><text class="halo" x="%s" y="%s" text-anchor="%s">%s<title>%s</title></text>'
								'<text class="dim halo" x="%s" y="%s" text-anchor="%s">%s%s</text>',
								n.x, n.y, round(4 + 5 * sqrt(coalesce(n.support, 0)::numeric / greatest(t.support, 1)), 1), n.x + n.side * 14, n.y, CASE n.side WHEN 1 THEN 'start' ELSE 'end' END,
								recsys.svg_text(n.label, 32), recsys.svg_text(n.label, 1000), n.x + n.side * 14, n.y + 14, CASE n.side WHEN 1 THEN 'start' ELSE 'end' END,
								recsys.svg_number(n.score), ' &#183; ' || n.support || CASE n.support WHEN 1 THEN ' user' ELSE ' users' END)
		FROM nodes AS n, total AS t
		UNION ALL
		SELECT 4, 0, format('<circle class="f2" cx="450" cy="%s" r="10"/><text class="strong halo" x="450" y="%s" text-anchor="middle">%s</text>',
							t.ry + 80, t.ry + 106, recsys.svg_text(c.label, 32))
		FROM total AS t, center AS c)
	SELECT recsys.svg_picture(900, (2 * t.ry + 100)::integer, 'Neighbors of ' || c.label,
							  CASE t.n WHEN 0 THEN 'It has no neighbors.' ELSE t.n || ' most similar items; the wider a line, the more similar' END,
							  (SELECT string_agg(s.shape, '' ORDER BY s.layer, s.place) FROM shapes AS s))
	FROM total AS t, center AS c WHERE plot_neighbors.item_id IS NOT NULL;
END;
COMMENT ON FUNCTION recsys.plot_neighbors(text, text, integer) IS 'SVG picture of an item''s k most similar items, at most 40, and of how similar they are to each other';

CREATE FUNCTION recsys.plot_neighbors(item_id bigint, recommender text DEFAULT NULL, k integer DEFAULT 12)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 20000
	RETURN recsys.plot_neighbors(item_id::text, recommender, k);
COMMENT ON FUNCTION recsys.plot_neighbors(bigint, text, integer) IS 'the same of an item with a bigint key';

CREATE FUNCTION recsys.plot_neighbors(item_id uuid, recommender text DEFAULT NULL, k integer DEFAULT 12)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 20000
	RETURN recsys.plot_neighbors(item_id::text, recommender, k);
COMMENT ON FUNCTION recsys.plot_neighbors(uuid, text, integer) IS 'the same of an item with a uuid key';

/*
 * plot_lift: a heat map.  Color is the logarithm of the lift: 1, as by chance, is colorless.
 */
CREATE FUNCTION recsys.plot_lift(antecedents text[], consequents text[], lifts double precision[], k integer DEFAULT 12, title text DEFAULT 'Lift of rules')
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE COST 10000
BEGIN ATOMIC
	WITH rules AS MATERIALIZED (
		SELECT r.a, r.b, max(r.lift) AS lift, min(r.place) AS place
		FROM unnest(antecedents, consequents, lifts) WITH ORDINALITY AS r (a, b, lift, place)
		WHERE r.a IS NOT NULL AND r.b IS NOT NULL AND r.lift >= 0 AND r.lift < 'Infinity'
		GROUP BY r.a, r.b),
	-- the first k of each, in the order given
	chosen_rows AS (SELECT b AS label FROM rules GROUP BY b ORDER BY min(place), b LIMIT least(greatest(coalesce(k, 12), 1), 40)),
	chosen_columns AS (SELECT a AS label FROM rules GROUP BY a ORDER BY min(place), a LIMIT least(greatest(coalesce(k, 12), 1), 40)),
	shown AS MATERIALIZED (
		SELECT r.a, r.b, r.lift, r.place FROM rules AS r
		WHERE r.a IN (SELECT label FROM chosen_columns) AND r.b IN (SELECT label FROM chosen_rows)),
	ordered AS MATERIALIZED (
		SELECT o.label, o.place
		FROM unnest(recsys.plot_order(ARRAY(SELECT x.label FROM (SELECT s.a AS label, s.place FROM shown AS s UNION ALL SELECT s.b, s.place FROM shown AS s) AS x
											GROUP BY x.label ORDER BY min(x.place), x.label),
									  ARRAY(SELECT s.a FROM shown AS s ORDER BY s.place), ARRAY(SELECT s.b FROM shown AS s ORDER BY s.place),
									  ARRAY(SELECT s.lift FROM shown AS s ORDER BY s.place))) WITH ORDINALITY AS o (label, place)),
	-- room for labels: 7 pixels a sign, those of columns at an angle of 40 degrees
	margin AS MATERIALIZED (
		SELECT 36 + 7 * least(28, coalesce(max(length(s.b)), 0)) AS x, 90 + 5 * least(22, coalesce(max(length(s.a)), 0)) AS y FROM shown AS s),
	ys AS MATERIALIZED (
		SELECT o.label, (SELECT m.y FROM margin AS m) - 36 + 36 * (row_number() OVER (ORDER BY o.place))::integer AS y FROM ordered AS o WHERE o.label IN (SELECT s.b FROM shown AS s)),
	xs AS MATERIALIZED (
		SELECT o.label, (SELECT m.x FROM margin AS m) - 52 + 52 * (row_number() OVER (ORDER BY o.place))::integer AS x FROM ordered AS o WHERE o.label IN (SELECT s.a FROM shown AS s)),
	size AS (
		SELECT (SELECT count(*) FROM xs)::integer AS nx, (SELECT count(*) FROM ys)::integer AS ny,
			   (SELECT max(CASE WHEN s.lift > 0 THEN abs(ln(s.lift)) END) FROM shown AS s) AS most),
	shapes (layer, place, shape) AS (
		SELECT 1, 0::bigint, format('<rect class="empty" x="%s" y="%s" width="%s" height="%s"/>', m.x, m.y, 52 * z.nx, 36 * z.ny) FROM size AS z, margin AS m WHERE z.nx > 0
		UNION ALL
		SELECT 2, row_number() OVER (ORDER BY y.y, x.x),
			   format('<g><title>%s &#8594; %s: lift %s</title><rect class="%s" fill-opacity="%s" x="%s" y="%s" width="50" height="34" rx="3"/><text x="%s" y="%s" text-anchor="middle">%s</text></g>',
					  recsys.svg_text(s.a), recsys.svg_text(s.b), recsys.svg_number(s.lift), CASE WHEN s.lift >= 1 THEN 'hot' ELSE 'cold' END,
					  CASE WHEN s.lift = 0 THEN 0.8 ELSE round((0.8 * abs(ln(s.lift)) / greatest(z.most, 0.1))::numeric, 2) END,
					  x.x + 1, y.y + 1, x.x + 26, y.y + 23, recsys.svg_number(s.lift))
		FROM shown AS s JOIN xs AS x ON x.label = s.a JOIN ys AS y ON y.label = s.b, size AS z
		UNION ALL
		SELECT 3, row_number() OVER (ORDER BY y.y), format('<text x="%s" y="%s" text-anchor="end">%s<title>%s</title></text>', m.x - 8, y.y + 23, recsys.svg_text(y.label, 28), recsys.svg_text(y.label, 1000)) FROM ys AS y, margin AS m
		UNION ALL
		SELECT 4, row_number() OVER (ORDER BY x.x), format('<text x="%1$s" y="%2$s" transform="rotate(-40 %1$s %2$s)">%3$s<title>%4$s</title></text>', x.x + 26, m.y - 8, recsys.svg_text(x.label, 22), recsys.svg_text(x.label, 1000)) FROM xs AS x, margin AS m)
	SELECT recsys.svg_picture(greatest(680, m.x + 140 + 52 * z.nx), greatest(120, m.y + 24 + 36 * z.ny), plot_lift.title,
							  CASE WHEN z.nx = 0 THEN 'There are no rules: ask for less support or confidence.'
								   ELSE 'How many times more often than by chance; columns: what is bought, rows: what goes with it' END,
							  coalesce((SELECT string_agg(s.shape, '' ORDER BY s.layer, s.place) FROM shapes AS s), ''))
	FROM size AS z, margin AS m;
END;
COMMENT ON FUNCTION recsys.plot_lift(text[], text[], double precision[], integer, text) IS 'SVG heat map of rules, antecedent by consequent, colored by lift: of the first k of each in the order given, at most 40';

CREATE FUNCTION recsys.plot_rules(recommender text DEFAULT NULL, k integer DEFAULT 12, min_support double precision DEFAULT 0.01, min_confidence double precision DEFAULT 0.05)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000
BEGIN ATOMIC
	WITH rules AS MATERIALIZED (
		SELECT r.antecedent[1] AS a, r.consequent AS b, r.lift, row_number() OVER (ORDER BY r.leverage DESC, r.antecedent[1], r.consequent) AS place
		FROM @extschema@.association_rules(coalesce((SELECT coalesce(d.definition ->> 'complements', d.definition -> 'signals' -> 0 ->> 'events')
													 FROM recsys.recommender AS d WHERE d.name = plot_rules.recommender), plot_rules.recommender),
										   NULL::text, plot_rules.min_support, plot_rules.min_confidence, 2, 2,
										   k => least(greatest(coalesce(plot_rules.k, 12), 1), 40) * 40, order_by => 'leverage') AS r),
	titles AS MATERIALIZED (
		-- two items of one title are told apart by their keys
		SELECT t.item_id, CASE WHEN count(*) OVER (PARTITION BY t.title) > 1 THEN t.title || ' (' || t.item_id || ')' ELSE t.title END AS title
		FROM recsys.item_titles(ARRAY(SELECT r.a FROM rules AS r UNION SELECT r.b FROM rules AS r), plot_rules.recommender) AS t WHERE btrim(t.title) <> '')
	SELECT recsys.plot_lift(array_agg(coalesce(t.title, r.a) ORDER BY r.place), array_agg(coalesce(u.title, r.b) ORDER BY r.place), array_agg(r.lift ORDER BY r.place),
							plot_rules.k, 'What goes with what' || coalesce(': ' || plot_rules.recommender, ''))
	FROM rules AS r LEFT JOIN titles AS t ON t.item_id = r.a LEFT JOIN titles AS u ON u.item_id = r.b;
END;
COMMENT ON FUNCTION recsys.plot_rules(text, integer, double precision, double precision) IS 'SVG heat map of the lift of rules between two items, of the pairs with the most leverage; k items each, at most 40';

/*
 * plot_experiment: intervals of lifts.  One that is far wider than the lifts is cut, with an arrow.
 */
CREATE FUNCTION recsys.svg_steps(low double precision, high double precision, most integer DEFAULT 6)
RETURNS SETOF numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 6
BEGIN ATOMIC
	SELECT trim_scale(generate_series(ceil(low::numeric / s.step), floor(high::numeric / s.step)) * s.step)
	FROM (SELECT p.power * CASE WHEN p.part <= p.power THEN 1 WHEN p.part <= 2 * p.power THEN 2 WHEN p.part <= 5 * p.power THEN 5 ELSE 10 END AS step
		  FROM (SELECT q.part, power(10::numeric, floor(log(q.part))) AS power
				FROM (SELECT greatest((high - low)::numeric, 1e-9) / most AS part) AS q) AS p) AS s;
END;
COMMENT ON FUNCTION recsys.svg_steps(double precision, double precision, integer) IS 'round numbers in a range, for an axis';

CREATE FUNCTION recsys.plot_experiment(experiment text, metric text DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
BEGIN ATOMIC
	WITH results AS MATERIALIZED (
		SELECT x.metric, x.segment, x.variant, x.control, x.users, x.control_users, x.lift, x.verdict, x.sample_ratio_p, x.is_primary, x.is_guardrail,
			   CASE WHEN x.lift_low > '-Infinity' AND x.lift_low < 'Infinity' THEN x.lift_low END AS low,
			   CASE WHEN x.lift_high > '-Infinity' AND x.lift_high < 'Infinity' THEN x.lift_high END AS high,
			   58 + 40 * (row_number() OVER (ORDER BY x.segment COLLATE "C" NULLS FIRST, x.is_primary DESC, x.is_guardrail, x.ordinality))::integer AS y
		FROM recsys.experiment_results(plot_experiment.experiment) WITH ORDINALITY AS x
		WHERE CASE WHEN plot_experiment.metric IS NULL THEN x.segment IS NULL ELSE x.metric = plot_experiment.metric END),
	reach AS (
		SELECT greatest(4 * max(abs(lift)), 0.1) AS most, count(*)::integer AS n, count(DISTINCT variant) AS variants FROM results),
	scale AS MATERIALIZED (
		SELECT z.n, z.variants, z.most,
			   least(-0.01, greatest(min(least(r.low, r.lift)), -z.most)) * 1.05 AS low, greatest(0.01, least(max(greatest(r.high, r.lift)), z.most)) * 1.05 AS high
		FROM reach AS z LEFT JOIN results AS r ON true GROUP BY z.n, z.variants, z.most),
	drawn AS (
		SELECT r.*, CASE r.verdict WHEN 'better' THEN 3 WHEN 'worse' THEN 5 ELSE 8 END AS color, r.low < s.low AS cut_low, r.high > s.high AS cut_high,
			   round((260 + 380 * (r.lift - s.low) / (s.high - s.low))::numeric, 1) AS x,
			   CASE WHEN r.low <= r.high THEN round((260 + 380 * (greatest(r.low, s.low) - s.low) / (s.high - s.low))::numeric, 1) END AS x_low,
			   CASE WHEN r.low <= r.high THEN round((260 + 380 * (least(r.high, s.high) - s.low) / (s.high - s.low))::numeric, 1) END AS x_high,
			   CASE WHEN plot_experiment.metric IS NULL THEN r.metric ELSE coalesce(r.segment, 'all users') END AS name,
			   CASE WHEN r.is_primary AND plot_experiment.metric IS NULL THEN ' &#183; primary' WHEN r.is_guardrail AND plot_experiment.metric IS NULL THEN ' &#183; guardrail' ELSE '' END AS role
		FROM results AS r, scale AS s),
	shapes (layer, place, shape) AS (
		SELECT 1, t, format('<line class="%1$s" x1="%2$s" x2="%2$s" y1="74" y2="%3$s"/><text class="dim" x="%2$s" y="%4$s" text-anchor="middle">%5$s%6$s %%</text>',
							CASE WHEN t = 0 THEN 'zero' ELSE 'grid' END, round((260 + 380 * (t::double precision - s.low) / (s.high - s.low))::numeric, 1), 84 + 40 * s.n, 102 + 40 * s.n,
							CASE WHEN t > 0 THEN '+' ELSE '' END, recsys.svg_number(100 * t::double precision))
		FROM scale AS s, recsys.svg_steps(s.low, s.high) AS t WHERE s.n > 0
		UNION ALL
		SELECT 2, d.y, format('<text x="20" y="%s"%s>%s</text><text class="dim" x="20" y="%s">%s &#183; %s users%s</text>', d.y - 2, CASE WHEN d.is_primary THEN ' class="strong"' ELSE '' END,
							  recsys.svg_text(d.name, 30), d.y + 14, recsys.svg_text(d.variant, 18), d.users, d.role)
		FROM drawn AS d
		UNION ALL
		SELECT 3, d.y, format('<line class="l%s" stroke-width="3" stroke-linecap="round" x1="%s" x2="%s" y1="%s" y2="%4$s"/>%s%s', d.color, d.x_low, d.x_high, d.y + 2,
							  CASE WHEN d.cut_low THEN format('<path class="f%s" d="M%s %sl9 -6v12z"/>', d.color, d.x_low - 5, d.y + 2) END,
							  CASE WHEN d.cut_high THEN format('<path class="f%s" d="M%s %sl-9 -6v12z"/>', d.color, d.x_high + 5, d.y + 2) END)
		FROM drawn AS d WHERE d.x_low IS NOT NULL AND d.x_high IS NOT NULL
		UNION ALL
		SELECT 4, d.y, format('<circle class="f%s" cx="%s" cy="%s" r="6"/>', d.color, d.x, d.y + 2) FROM drawn AS d WHERE d.x BETWEEN 260 AND 640
		UNION ALL
		SELECT 5, d.y, format('<text x="656" y="%s">%s</text><text class="dim" x="656" y="%s">%s</text>', d.y - 2,
							  coalesce(CASE WHEN d.lift > 0 THEN '+' ELSE '' END || recsys.svg_number(100 * d.lift) || ' %' ||
									   coalesce(' [' || recsys.svg_number(100 * d.low) || ', ' || recsys.svg_number(100 * d.high) || ']', ''), '&#8211;'), d.y + 14, recsys.svg_text(d.verdict, 40))
		FROM drawn AS d)
	SELECT recsys.svg_picture(860, 120 + 40 * s.n, 'Experiment ' || plot_experiment.experiment || coalesce(': ' || plot_experiment.metric, ''),
							  CASE WHEN s.n = 0 AND plot_experiment.metric IS NOT NULL THEN 'It has no results of such a metric.'
								   WHEN s.n = 0 THEN 'It has no results yet.'
								   WHEN (SELECT bool_or(r.verdict LIKE 'broken%') FROM results AS r)
								   THEN 'Broken: the numbers of users are not as the shares say, and no figure can be trusted.'
								   ELSE (SELECT 'How much more than ' || r.control || ' (' || r.control_users || ' users), with intervals' FROM results AS r ORDER BY r.y LIMIT 1) END,
							  coalesce((SELECT string_agg(p.shape, '' ORDER BY p.layer, p.place) FROM shapes AS p), ''))
	FROM scale AS s WHERE plot_experiment.experiment IS NOT NULL;
END;
COMMENT ON FUNCTION recsys.plot_experiment(text, text) IS 'SVG picture of what an experiment says: the lift of each metric with its interval; of one metric by segment';

/*
 * plot_lines: anything over time.  Days are those of UTC, as in the metrics.
 */
CREATE FUNCTION recsys.plot_lines(times timestamptz[], amounts double precision[], labels text[] DEFAULT NULL, title text DEFAULT 'Over time',
	lows double precision[] DEFAULT NULL, highs double precision[] DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE COST 10000
BEGIN ATOMIC
	WITH points AS MATERIALIZED (
		SELECT extract(epoch FROM p.t)::double precision AS t, p.v, coalesce(p.label, '') AS label, p.place,
			   CASE WHEN p.low > '-Infinity' AND p.low < 'Infinity' THEN p.low END AS low, CASE WHEN p.high > '-Infinity' AND p.high < 'Infinity' THEN p.high END AS high
		FROM unnest(times, amounts, labels, lows, highs) WITH ORDINALITY AS p (t, v, label, low, high, place)
		WHERE isfinite(p.t) AND p.v > '-Infinity' AND p.v < 'Infinity'),
	spread AS (
		SELECT min(t) AS first, max(t) AS last, min(v) AS low, max(v) AS high, greatest(2 * (max(v) - min(v)), 0.5 * max(abs(v)), 1e-9) AS slack,
			   min(low) AS band_low, max(high) AS band_high, count(*) AS n FROM points),
	reach AS (
		SELECT s.n, s.first, greatest(s.last - s.first, 1) AS duration,
			   least(s.low, greatest(s.band_low, s.low - s.slack)) AS low, greatest(s.high, least(s.band_high, s.high + s.slack)) AS high FROM spread AS s),
	-- an axis begins at zero unless that wastes most of it
	scale AS MATERIALIZED (
		SELECT r.n, r.first, r.duration, CASE WHEN r.low >= 0 AND r.low < r.high / 2 THEN 0 WHEN r.low = r.high THEN r.low - greatest(abs(r.low), 1e-9) / 2 ELSE r.low END AS low,
			   CASE WHEN r.low = r.high AND r.low = 0 THEN 1 WHEN r.low = r.high THEN r.high + greatest(abs(r.high), 1e-9) / 2 ELSE r.high END AS high FROM reach AS r),
	series AS MATERIALIZED (
		SELECT p.label, row_number() OVER (ORDER BY min(p.place)) AS number FROM points AS p GROUP BY p.label),
	drawn AS MATERIALIZED (
		SELECT s.label, s.number, 1 + (s.number - 1) % 8 AS color, p.t, p.v, round((70 + 620 * (p.t - z.first) / z.duration)::numeric, 1) AS x,
			   round((350 - 270 * (p.v - z.low) / (z.high - z.low))::numeric, 1) AS y,
			   CASE WHEN p.low <= p.high THEN round((350 - 270 * (greatest(p.low, z.low) - z.low) / (z.high - z.low))::numeric, 1) END AS y_low,
			   CASE WHEN p.low <= p.high THEN round((350 - 270 * (least(p.high, z.high) - z.low) / (z.high - z.low))::numeric, 1) END AS y_high
		FROM points AS p JOIN series AS s USING (label), scale AS z),
	step AS (
		SELECT greatest(CASE WHEN z.duration < 172800 THEN ceil(z.duration / 3600 / 6) * 3600 ELSE ceil(z.duration / 86400 / 6) * 86400 END, 3600) AS seconds,
			   CASE WHEN z.duration < 172800 THEN 'HH24:MI' WHEN z.duration > 2e7 THEN 'YYYY-MM-DD' ELSE 'DD Mon' END AS format FROM scale AS z),
	shapes (layer, place, shape) AS (
		SELECT 1, t::double precision, format('<line class="%s" x1="70" x2="690" y1="%s" y2="%2$s"/><text class="dim" x="62" y="%s" text-anchor="end">%s</text>', CASE WHEN t = 0 THEN 'zero' ELSE 'grid' END,
							round((350 - 270 * (t::double precision - z.low) / (z.high - z.low))::numeric, 1), round((354 - 270 * (t::double precision - z.low) / (z.high - z.low))::numeric, 1),
							recsys.svg_number(t::double precision))
		FROM scale AS z, recsys.svg_steps(z.low, z.high) AS t WHERE z.n > 0
		UNION ALL
		SELECT 2, t, format('<text class="dim" x="%s" y="374" text-anchor="middle">%s</text>', round((70 + 620 * (t - z.first) / z.duration)::numeric, 1),
							to_char(to_timestamp(t) AT TIME ZONE 'UTC', e.format))
		FROM scale AS z, step AS e, generate_series((ceil(z.first / e.seconds) * e.seconds)::bigint, (z.first + z.duration)::bigint, e.seconds::bigint) AS t WHERE z.n > 0
		UNION ALL
		SELECT 3, d.number, format('<path class="f%s" fill-opacity=".15" d="M%s L%sZ"/>', d.color, string_agg(d.x || ' ' || d.y_high, 'L' ORDER BY d.t), string_agg(d.x || ' ' || d.y_low, 'L' ORDER BY d.t DESC))
		FROM drawn AS d WHERE d.y_low IS NOT NULL AND d.y_high IS NOT NULL GROUP BY d.number, d.color HAVING count(*) > 1
		UNION ALL
		SELECT 4, d.number, format('<path class="l%s" fill="none" stroke-width="2" stroke-linejoin="round" d="M%s"/>', d.color, string_agg(d.x || ' ' || d.y, 'L' ORDER BY d.t))
		FROM drawn AS d GROUP BY d.number, d.color HAVING count(*) > 1
		UNION ALL
		SELECT 5, row_number() OVER (ORDER BY d.number, d.t, d.y), format('<circle class="f%s" cx="%s" cy="%s" r="%s"><title>%s %s: %s</title></circle>', d.color, d.x, d.y, CASE WHEN z.n > 100 THEN 1.5 ELSE 3 END,
							recsys.svg_text(d.label), to_char(to_timestamp(d.t) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), recsys.svg_number(d.v))
		FROM drawn AS d, scale AS z
		UNION ALL
		SELECT 6, s.number, format('<rect class="f%s" x="708" y="%s" width="12" height="12" rx="2"/><text x="726" y="%s">%s<title>%s</title></text>', 1 + (s.number - 1) % 8, 70 + 22 * s.number, 81 + 22 * s.number,
								   recsys.svg_text(s.label, 22), recsys.svg_text(s.label, 1000))
		FROM series AS s WHERE s.label <> '' AND s.number <= 13)
	SELECT recsys.svg_picture(900, 396, plot_lines.title, CASE WHEN z.n > 0 THEN 'From ' || to_char(to_timestamp(z.first) AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' to ' ||
							  to_char(to_timestamp((SELECT max(p.t) FROM points AS p)) AT TIME ZONE 'UTC', 'YYYY-MM-DD') ELSE 'There is nothing to show.' END,
							  coalesce((SELECT string_agg(p.shape, '' ORDER BY p.layer, p.place) FROM shapes AS p), ''))
	FROM scale AS z;
END;
COMMENT ON FUNCTION recsys.plot_lines(timestamptz[], double precision[], text[], text, double precision[], double precision[]) IS 'SVG line chart: amounts over time, one line a label, with bands from lows to highs';
