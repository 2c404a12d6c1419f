-- Bandits: declared, served, logged, counted, changed; by a seed, so that choices are the same everywhere.
SET client_min_messages = warning;
CREATE SCHEMA bandits;
SET search_path = bandits, public;
CREATE TABLE products (product_id bigint PRIMARY KEY, listed integer, in_stock boolean);
INSERT INTO products SELECT p, CASE WHEN p > 50 THEN 1 ELSE 100 END, p % 17 <> 0 FROM generate_series(1, 60) p;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, age integer, member boolean);
INSERT INTO customers SELECT c, (ARRAY['DE', 'FR', NULL])[1 + c % 3], 20 + c % 50, c % 2 = 0 FROM generate_series(1, 100) c;
CREATE TABLE purchases (customer_id bigint, product_id bigint);
INSERT INTO purchases SELECT 1 + n % 100, 1 + (n * 7 + n / 100) % 50 FROM generate_series(1, 1000) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (customer_id, product_id);
CREATE INDEX plain_recsys ON purchases USING recsys (customer_id, product_id);
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	item_filter => 'in_stock', profiles => 'customers', profile_key => 'customer_id');
SELECT recsys.create_recommender('bare', '[{"events": "purchases_recsys"}]');

-- What is declared
SELECT recsys.create_bandit('slot', arms => '{home, plain_recsys}', seed => 1);
SELECT recsys.create_bandit('spend', arms => '{home, bare}', policy => 'thompson_normal', reward => '{"click": 0.1, "purchase": "value", "return": -1}',
	half_life => '7 days', prior => '{"mean": 1, "variance": 4}', minimum_share => 0.1, seed => 2);
SELECT recsys.create_bandit('fresh', recommender => 'home', places => '{4, 2}', candidates => 'listed < 30', tolerance => 0.2, minimum_share => 0.25, seed => 3);
SELECT recsys.create_bandit('greedy', arms => '{home, bare}', policy => 'epsilon_greedy', epsilon => 0.2, seed => 4);
SELECT recsys.create_bandit('bound', arms => '{home, bare}', policy => 'ucb1', exploration => 0.5, seed => 4);
SELECT recsys.create_bandit('personal', arms => '{home, bare}', policy => 'linear_thompson', seed => 5,
	features => '{"age": "age / 100.0", "member": "member", "country": {"expression": "country", "buckets": 4}, "hour": {"context": "number"}, "device": {"context": "label", "buckets": 2}}');
SELECT recsys.create_bandit('columns', arms => '{home, bare}', policy => 'linucb', seed => 5, features => '["age", "member"]');
SELECT name, arms, policy, reward, epsilon, half_life, prior, minimum_share, recommender, places, candidates, tolerance, seed, problem FROM recsys.bandits ORDER BY name COLLATE "C";
SELECT name, f.key, f.value FROM recsys.bandits, jsonb_each(features) f ORDER BY name COLLATE "C", f.key COLLATE "C";

-- What is refused
SELECT recsys.create_bandit('slot', arms => '{home, bare}');
SELECT recsys.create_bandit('home', arms => '{home, bare}');
SELECT recsys.create_bandit('plain_recsys', arms => '{home, bare}');
SELECT recsys.create_bandit('Upper', arms => '{home, bare}');
SELECT recsys.create_bandit('x');
SELECT recsys.create_bandit('x', arms => '{home}');
SELECT recsys.create_bandit('x', arms => '{home, home}');
SELECT recsys.create_bandit('x', arms => '{home, slot}');
SELECT recsys.create_bandit('x', arms => '{home, nowhere}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'tompson');
SELECT recsys.create_bandit('x', arms => '{home, bare}', places => '{1}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', reward => '{"purchase": "value"}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', reward => '{"click": 5}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', reward => '{}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', reward => '5');
SELECT recsys.create_bandit('x', arms => '{home, bare}', epsilon => 0.1);
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'epsilon_greedy', epsilon => 2);
SELECT recsys.create_bandit('x', arms => '{home, bare}', half_life => '-1 day');
SELECT recsys.create_bandit('x', arms => '{home, bare}', minimum_share => 0.6);
SELECT recsys.create_bandit('x', arms => '{home, bare}', minimum_share => 'NaN');
SELECT recsys.create_bandit('x', arms => '{home, bare}', prior => '{"sucesses": 1}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', prior => '{"successes": -1}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'linucb');
SELECT recsys.create_bandit('x', arms => '{home, bare}', features => '{"age": "age"}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'linucb', features => '{"age": "nothing"}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'linucb', features => '{"age": "age; SELECT 1"}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'linucb', features => '{"age": {}}');
SELECT recsys.create_bandit('x', arms => '{home, bare}', policy => 'linucb', features => '{"a": {"context": "label", "buckets": 32}, "b": {"context": "label", "buckets": 32}}');
SELECT recsys.create_bandit('x', arms => '{bare, home}', policy => 'linucb', features => '{"age": "age"}');
SELECT recsys.create_bandit('x', recommender => 'bare', places => '{1}', candidates => 'true');
SELECT recsys.create_bandit('x', recommender => 'plain_recsys', places => '{1}', candidates => 'true');
SELECT recsys.create_bandit('x', recommender => 'home', candidates => 'true');
SELECT recsys.create_bandit('x', recommender => 'home', places => '{1}');
SELECT recsys.create_bandit('x', recommender => 'home', places => '{0}', candidates => 'true');
SELECT recsys.create_bandit('x', recommender => 'home', places => '{1, 1}', candidates => 'true');
SELECT recsys.create_bandit('x', recommender => 'home', places => '{1}', candidates => 'listed');
SELECT recsys.create_bandit('x', recommender => 'home', places => '{1}', candidates => 'true', policy => 'linucb', features => '{"age": "age"}');
SELECT recsys.create_bandit(NULL);
SELECT count(*) FROM recsys.bandits;

-- Arms are chosen by their shares, which are what is logged
SELECT arm, propensity, policy, features FROM recsys.bandit_choice('slot', 42);
SELECT arm, count(*), min(propensity), max(propensity) FROM generate_series(1, 400) u, recsys.bandit_choice('greedy', u) GROUP BY 1 ORDER BY 1;
SELECT features[1:3] AS mean_age_hour, (SELECT sum(f) FROM unnest(features[4:]) f) AS others, cardinality(features)
FROM recsys.bandit_choice('personal', 42, context => '{"features": {"hour": 0.5, "device": "phone"}}');
SELECT features FROM recsys.bandit_choice('columns', 42) UNION ALL SELECT features FROM recsys.bandit_choice('columns', '42'::text)
UNION ALL SELECT features FROM recsys.bandit_choice('columns', NULL) UNION ALL SELECT features FROM recsys.bandit_choice('columns', 4242);
SELECT recsys.bandit_choice('personal', 42, context => '{"features": {"hour": "noon"}}');
SELECT recsys.bandit_choice('fresh', 42);
SELECT recsys.bandit_choice('nowhere', 42);

-- Served without the log, too; and nothing is counted
SELECT count(*) FROM recommend(42, 3, 'slot');
SELECT count(*) FROM recommend(NULL::bigint, 3, 'personal', context => '{"features": {"device": "phone"}}');
SELECT count(*), count(DISTINCT item_id), count(*) FILTER (WHERE source = 'explored' AND rank NOT IN (2, 4)) AS elsewhere,
	count(*) FILTER (WHERE source = 'explored' AND item_id <= 50) AS no_candidates
FROM generate_series(1, 100) u, LATERAL (SELECT u * 1000 + item_id, item_id, source, rank FROM recommend(u, 6, 'fresh')) r (item, item_id, source, rank);
SELECT count(*) FROM recsys.bandit_delta;

/*
 * A simulated shop: the first arm's lists are clicked by 2 of 10, the other's by 6 of 10.  Who clicks
 * is a hash, so that all of it is repeated.
 */
CREATE FUNCTION visits(bandit text, n integer, good text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
	FOR i IN 1 .. n LOOP
		SELECT request_id, item_id INTO r FROM recommend(1 + i % 100, 5, bandit, log => true) WHERE rank = 1;
		IF abs(hashint4(i)) % 10 < (CASE WHEN (SELECT arm FROM recsys.request_log l WHERE l.request_id = r.request_id) = good THEN 6 ELSE 2 END) THEN
			PERFORM recsys.log_click(r.request_id, r.item_id);
		END IF;
	END LOOP;
END $$;
SELECT visits('slot', 400, 'bandits.plain_recsys');
SELECT a.arm, a.trials = l.shown AS trials, a.rewards = l.clicked AS rewards, a.mean BETWEEN a.mean_low AND a.mean_high AS within, a.probability > 0.99 AS better
FROM recsys.bandit_arms a JOIN (
	SELECT arm, count(*) AS shown, count(*) FILTER (WHERE EXISTS (SELECT FROM recsys.event_log e WHERE e.request_id = r.request_id)) AS clicked
	FROM recsys.request_log r WHERE bandit = 'slot' GROUP BY 1) l USING (arm) WHERE a.bandit = 'slot' ORDER BY 1;
SELECT count(*) FILTER (WHERE arm = 'bandits.plain_recsys') > 300 AS mostly_the_better_one, bool_and(policy = 'thompson' AND propensities[1] > 0) AS logged
FROM recsys.request_log WHERE bandit = 'slot';
-- propensities are the shares: counts of the better arm are what they sum up to
SELECT abs(sum(CASE WHEN arm = 'home' THEN 1 ELSE 0 END - CASE WHEN arm = 'home' THEN propensities[1] ELSE 1 - propensities[1] END)) < 15 AS as_drawn
FROM recsys.request_log WHERE bandit = 'slot';
SELECT visits('greedy', 300, 'bare'), visits('bound', 300, 'bare');
SELECT bandit, count(*) FILTER (WHERE arm = 'bare') > 170 AS better, min(propensities[1]) AS least, max(propensities[1]) AS most FROM recsys.request_log WHERE bandit IN ('greedy', 'bound') GROUP BY 1 ORDER BY 1;

-- Folded or not, it is the same
CREATE TEMPORARY TABLE before AS SELECT * FROM recsys.bandit_arms;
SELECT recsys.fold_bandits() > 0 AS folded;
SELECT count(*) FROM recsys.bandit_delta;
SELECT count(*) FROM (SELECT bandit, arm, place, trials, rewards, mean, is_current FROM recsys.bandit_arms EXCEPT SELECT bandit, arm, place, trials, rewards, mean, is_current FROM before) d;

-- Rewards of one request add up, or are one where only success counts
CREATE TEMPORARY TABLE lists AS SELECT 'spend' AS bandit, request_id, item_id, rank FROM recommend(7, 3, 'spend', log => true)
	UNION ALL SELECT 'slot', request_id, item_id, rank FROM recommend(7, 3, 'slot', log => true);
-- times of requests are in milliseconds
SELECT pg_sleep(0.002);
SELECT recsys.reset_bandit('slot'), recsys.reset_bandit('spend');
SELECT count(*) FROM recsys.bandit_arms WHERE bandit IN ('slot', 'spend') AND trials > 0;
SELECT bool_and(recsys.log_click(request_id, item_id)) FROM lists;
SELECT count(*) AS of_requests_before FROM recsys.bandit_arms WHERE bandit IN ('slot', 'spend') AND rewards > 0;
TRUNCATE lists;
SELECT pg_sleep(0.002);
INSERT INTO lists SELECT 'spend' AS bandit, request_id, item_id, rank FROM recommend(7, 3, 'spend', log => true)
	UNION ALL SELECT 'slot', request_id, item_id, rank FROM recommend(7, 3, 'slot', log => true);
SELECT bool_and(recsys.log_click(request_id, item_id)) FROM lists;
SELECT bool_or(recsys.log_click(request_id, item_id)) AS again FROM lists;
SELECT recsys.fold_bandits();
SELECT bool_and(recsys.log_event(request_id, 'purchase', item_id, value => 10)) FROM lists WHERE rank = 1;
SELECT bool_and(recsys.log_event(request_id, 'return', item_id, value => 10)) FROM lists WHERE rank = 1;
SELECT bool_and(recsys.log_event(request_id, 'nothing', item_id, value => 10)) FROM lists WHERE rank = 1;
SELECT bandit, round(trials::numeric, 5) AS trials, round(rewards::numeric, 4) AS rewards FROM recsys.bandit_arms WHERE bandit IN ('slot', 'spend') AND trials > 0 ORDER BY 1;
SELECT recsys.fold_bandits();
SELECT bandit, round(trials::numeric, 5) AS trials, round(rewards::numeric, 4) AS rewards FROM recsys.bandit_arms WHERE bandit IN ('slot', 'spend') AND trials > 0 ORDER BY 1;
SELECT name, round(squares::numeric, 3) AS squares FROM recsys.bandit_state JOIN recsys.bandit USING (generation) WHERE name IN ('slot', 'spend') ORDER BY 1;

-- What is older counts less, whenever it is folded, and what it brings late has the trial's weight
UPDATE recsys.bandit_state SET as_of = as_of - interval '7 days' WHERE generation = (SELECT generation FROM recsys.bandit WHERE name = 'spend');
SELECT round(trials::numeric, 4) AS trials, round(rewards::numeric, 3) AS rewards, round(mean::numeric, 4) AS mean FROM recsys.bandit_arms WHERE bandit = 'spend' AND trials > 0;
UPDATE recsys.bandit SET counted_since = '2020-01-01' WHERE name = 'spend';
SELECT recsys.reset_bandit('greedy'), recsys.alter_bandit('greedy', half_life => '1 day');
UPDATE recsys.bandit SET counted_since = counted_since - interval '10 days' WHERE name = 'greedy';
SELECT recsys.log_request(jsonb_build_object('request_id', overlay(overlay(recsys.new_request_id()::text placing substr(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - days * 86400000), 12, '0'), 1, 8) from 1 for 8)
		placing substr(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - days * 86400000), 12, '0'), 9, 4) from 10 for 4),
	'recommender', 'home', 'bandit', 'greedy', 'arm', 'home', 'policy', 'epsilon_greedy', 'item_ids', jsonb_build_array('1', '2'))) IS NOT NULL FROM generate_series(0, 2) days;
SELECT round(trials::numeric, 3) AS trials FROM recsys.bandit_arms WHERE bandit = 'greedy' AND arm = 'home';
SELECT recsys.fold_bandits();
SELECT bool_and(recsys.log_click(request_id, item_ids[1])) FROM recsys.request_log WHERE bandit = 'greedy' AND item_ids = '{1,2}' AND time < now() - interval '36 hours';
SELECT round(trials::numeric, 3) AS trials, round(rewards::numeric, 3) AS rewards FROM recsys.bandit_arms WHERE bandit = 'greedy' AND arm = 'home';

-- Features: what was seen is what is learned from
SELECT count(DISTINCT l.request_id) FROM generate_series(1, 60) u, LATERAL (SELECT request_id, item_id FROM recommend(u, 2, 'columns', log => true) WHERE rank = 1) l, LATERAL (SELECT u % 2 = 0 AND recsys.log_click(l.request_id, l.item_id)) c;
SELECT recsys.fold_bandits() > 0 AS folded;
SELECT count(*), bool_and(s.sums[1] = l.trials AND s.sums[2] = l.rewards AND s.sums[3] = l.of_age AND s.trials = l.trials AND s.rewards = l.rewards) AS as_logged
FROM recsys.bandit b JOIN recsys.bandit_state s USING (generation) JOIN (
	SELECT arm, count(*) AS trials, count(e.request_id) AS rewards, sum(features[2]) FILTER (WHERE e.request_id IS NOT NULL) AS of_age
	FROM recsys.request_log r LEFT JOIN recsys.event_log e USING (request_id) WHERE bandit = 'columns' GROUP BY 1) l ON l.arm = s.arm
WHERE b.name = 'columns';
-- one arm is the better one in Germany, the other one elsewhere
CREATE FUNCTION tastes(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
	german boolean;
BEGIN
	FOR i IN 1 .. n LOOP
		german := (SELECT country IS NOT DISTINCT FROM 'DE' FROM customers WHERE customer_id = 1 + i % 100);
		SELECT request_id, item_id INTO r FROM recommend(1 + i % 100, 2, 'personal', log => true) WHERE rank = 1;
		IF abs(hashint4(i)) % 10 < (CASE WHEN (SELECT arm = 'home' FROM recsys.request_log l WHERE l.request_id = r.request_id) = german THEN 7 ELSE 1 END) THEN
			PERFORM recsys.log_click(r.request_id, r.item_id);
		END IF;
	END LOOP;
END $$;
SELECT tastes(500);
SELECT avg(((arm = 'home') = (country IS NOT DISTINCT FROM 'DE'))::integer) > 0.8 AS told_apart
FROM (SELECT *, row_number() OVER (ORDER BY time, request_id) AS n FROM recsys.request_log WHERE bandit = 'personal') r JOIN customers c ON c.customer_id::text = r.user_id WHERE n > 250;
SELECT recsys.alter_bandit('columns', features => '["member"]');
SELECT count(*) FROM recsys.bandit_state WHERE sums IS NOT NULL;
SELECT sum(trials) FROM recsys.bandit_arms WHERE bandit = 'columns';

/*
 * Places: of ten new items three are clicked by everybody, the others by nobody; what the base list has
 * there by one of ten.
 */
CREATE FUNCTION shows(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
	FOR i IN 1 .. n LOOP
		FOR r IN SELECT * FROM recommend(1 + i % 100, 6, 'fresh', log => true) WHERE rank IN (2, 4) LOOP
			IF (CASE WHEN r.source = 'explored' THEN r.item_id IN (52, 55, 58) ELSE abs(hashint4(i * 2 + r.rank)) % 10 = 0 END) THEN
				PERFORM recsys.log_click(r.request_id, r.item_id);
			END IF;
		END LOOP;
	END LOOP;
END $$;
SELECT shows(300);
SELECT recsys.fold_bandits();
SELECT shows(300);
SELECT recsys.fold_bandits();
SELECT count(*) AS candidates, count(*) FILTER (WHERE arm IN ('52', '55', '58')) AS good, count(*) FILTER (WHERE arm IN ('52', '55', '58') AND retired_at IS NOT NULL) AS retired_good,
	sum(trials) FILTER (WHERE arm NOT IN ('52', '55', '58')) < 150 AS few_of_bad, sum(trials) FILTER (WHERE arm IN ('52', '55', '58')) > 400 AS mostly_good
FROM recsys.bandit_arms WHERE bandit = 'fresh' AND arm IS NOT NULL;
SELECT count(*) AS out_of_stock FROM recsys.bandit_arms WHERE bandit = 'fresh' AND arm = '51';
SELECT place, count(*) > 1 AS several, round(sum(probability)::numeric, 9) AS all_of_it, min(probability) FILTER (WHERE arm IS NULL) >= 0.25 AS base FROM recsys.bandit_arms WHERE bandit = 'fresh' GROUP BY 1 ORDER BY 1;
-- each place by its own share, others by none
SELECT bool_and(CASE WHEN rank IN (2, 4) THEN p > 0 AND p <= 1 ELSE p = 1 END) AS propensities, bool_and(a = 'home' OR rank IN (2, 4)) AS arms
FROM recsys.request_log, unnest(propensities, arms) WITH ORDINALITY u (p, a, rank) WHERE bandit = 'fresh';
-- a candidate that is worse than the base list beyond doubt, and tolerance, is retired, which no other one is
INSERT INTO recsys.bandit_delta
SELECT generation, arm, 2, md5(arm || n)::uuid, clock_timestamp(), NULL FROM recsys.bandit, generate_series(1, 500) n, unnest('{"", 56, 57}'::text[]) arm WHERE name = 'fresh'
UNION ALL SELECT generation, arm, 2, md5(arm || n)::uuid, clock_timestamp(), 1 FROM recsys.bandit, generate_series(1, 500) n, unnest('{"", 57}'::text[]) arm WHERE name = 'fresh' AND n % 10 < (CASE arm WHEN '' THEN 5 ELSE 4 END);
SELECT recsys.fold_bandits();
SELECT arm, retired_at IS NOT NULL AS retired, is_current, probability > 0 AS chosen FROM recsys.bandit_arms WHERE bandit = 'fresh' AND arm IN ('52', '56', '57') ORDER BY 1;
-- what its trials bring late may make it a candidate again
INSERT INTO recsys.bandit_delta SELECT generation, '56', 2, md5('56' || n)::uuid, clock_timestamp(), 1 FROM recsys.bandit, generate_series(1, 240) n WHERE name = 'fresh';
SELECT recsys.fold_bandits();
SELECT arm, retired_at IS NOT NULL AS retired, is_current, probability > 0 AS chosen FROM recsys.bandit_arms WHERE bandit = 'fresh' AND arm = '56';
-- who has an item, has it in the list already or excludes it, is not shown it
SELECT count(*) FROM recommend(42, 6, 'fresh', context => '{"exclude": [52, 53, 54, 55, 56, 57, 58, 59, 60]}') WHERE source = 'explored';

-- Changes
SELECT recsys.alter_bandit('slot', arms => '{home, bare, plain_recsys}', new_name => 'slots');
SELECT arm, trials > 0 AS known, is_current FROM recsys.bandit_arms WHERE bandit = 'slots' ORDER BY arm;
SELECT recsys.alter_bandit('slots', arms => '{bare, home}');
SELECT arm, is_current, probability FROM recsys.bandit_arms WHERE bandit = 'slots' AND NOT is_current;
-- what an arm brings that is none any more still counts, but not what never was one
SELECT recsys.log_request(jsonb_build_object('request_id', recsys.new_request_id(), 'recommender', 'home', 'bandit', 'slots', 'arm', 'made_up', 'policy', 'thompson', 'item_ids', jsonb_build_array('1'))) IS NOT NULL AS logged;
SELECT recsys.log_click(request_id, '1') FROM recsys.request_log WHERE arm = 'made_up';
SELECT bool_and(recsys.log_event(request_id, 'click', item_id, event_key => 'removed')) FROM lists WHERE bandit = 'slot' AND rank = 1;
SELECT recsys.fold_bandits() >= 0 AS folded;
SELECT count(*) FROM recsys.bandit_arms WHERE arm = 'made_up';
SELECT recsys.alter_bandit('slots', reset => '{arms}');
SELECT recsys.alter_bandit('slots', reset => '{nothing}');
SELECT recsys.alter_bandit('slots', epsilon => 0.1, reset => '{epsilon}');
SELECT recsys.alter_bandit('slots', new_name => 'fresh');
SELECT recsys.alter_bandit('slots', policy => 'ucb1', reset => '{seed}');
SELECT policy, seed FROM recsys.bandits WHERE name = 'slots';
SELECT recsys.alter_bandit('nowhere', policy => 'ucb1');
SELECT recsys.drop_recommender('bare');
SELECT name, problem FROM recsys.bandits ORDER BY name COLLATE "C";
SELECT count(*) FROM recommend(42, 3, 'fresh');
SELECT recsys.drop_bandit(name) FROM recsys.bandits ORDER BY name COLLATE "C";
SELECT recsys.drop_bandit('slot');
SELECT recsys.drop_bandit('slot', if_exists => true);
SELECT count(*) FROM recsys.bandit_state;
SELECT count(*) FROM recsys.bandit_delta;
SELECT count(*) FROM recsys.bandit_paid;
SELECT recsys.fold_bandits();
-- a click on a list of a bandit that is gone
SELECT bool_and(recsys.log_event(request_id, 'click', item_id, event_key => 'late')) FROM lists;

DELETE FROM recsys.event_log;
DELETE FROM recsys.request_log;
SELECT recsys.drop_recommender('home');
DROP SCHEMA bandits CASCADE;
