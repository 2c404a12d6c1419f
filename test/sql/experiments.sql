-- Experiments: declaring them, and who gets which variant.
SET client_min_messages = warning;
CREATE TABLE exp_bought AS SELECT n % 40 + 1 AS u, n % 13 AS i FROM generate_series(1, 400) n;
CREATE INDEX exp_bought_recsys ON exp_bought USING recsys (u, i);
CREATE TABLE exp_people (id integer PRIMARY KEY, country text, adult boolean);
INSERT INTO exp_people SELECT n, CASE WHEN n % 3 = 0 THEN 'de' WHEN n % 3 = 1 THEN 'fr' END, n % 2 = 0 FROM generate_series(1, 1000) n;
CREATE TABLE exp_sales (u integer, i integer, sold_at timestamptz, price numeric);
SELECT recsys.create_recommender('exp_home', '[{"events": "exp_bought_recsys"}]', profiles => 'exp_people', profile_key => 'id');
SELECT recsys.create_recommender('exp_diverse', '[{"events": "exp_bought_recsys"}]');
SELECT recsys.create_experiment('exp_one', '{"control": {"recommender": "exp_home", "share": 0.5}, "diverse": {"recommender": "exp_diverse", "share": 0.5}}');
\x
SELECT name, owner = current_user AS is_own, state, variants, winner, segment, metrics, primary_metric, purchases, attribution_window, attribution,
	guardrails, unit, eligible, layer, layer_share, layer_low, layer_high, holdout, interleave, method, correction, alpha, winsorise, pre_period,
	expected_users, salt, started_at = created_at AS is_started, stopped_at, shares_since, problem
FROM recsys.experiments;
\x

/*
 * Who gets what
 */
-- never to change: running experiments would be dealt anew
SELECT u, (recsys.assignment('exp_one', u)).variant FROM unnest('{1,2,3,4,5,6,7,8,9,10,42}'::integer[]) u;
SELECT * FROM recsys.assignment('exp_one', 42);
-- by any width, and without a type
SELECT (recsys.assignment('exp_one', 42::bigint)).variant, (recsys.assignment('exp_one', 42::smallint)).variant, (recsys.assignment('exp_one', '42')).variant,
	(recsys.assignment('exp_one', ' 042')).variant, (recsys.assignment('exp_one', '42'::varchar)).variant;
SELECT * FROM recsys.assignment('exp_one', 'x');
SELECT * FROM recsys.assignment('exp_one', NULL::integer);
SELECT * FROM recsys.assignment('exp_one');
SELECT * FROM recsys.assignment('exp_one', session_id => 's');
SELECT * FROM recsys.assignment('exp_none', 1);
SELECT * FROM recsys.assignment(NULL, 1);

-- 100,000 users: shares within four standard deviations
CREATE TEMP TABLE exp_before AS SELECT u, (recsys.assignment('exp_one', u)).variant FROM generate_series(1, 100000) u;
SELECT variant, abs(count(*) - 50000) < 4 * sqrt(100000 * 0.25) AS is_even FROM exp_before GROUP BY variant ORDER BY variant;
-- another experiment of the same shares knows nothing of it: chi-square of four cells, three degrees of freedom, below its .9999 quantile
SELECT recsys.create_experiment('exp_two', '[{"name": "old", "recommender": "exp_home"}, {"name": "new", "recommender": "exp_bought_recsys"}]');
SELECT variants FROM recsys.experiments WHERE name = 'exp_two';
SELECT sum((n - 25000) ^ 2 / 25000) < 21.11 AS are_independent, count(*)
FROM (SELECT count(*) AS n FROM exp_before, recsys.assignment('exp_two', u) t GROUP BY exp_before.variant, t.variant) c;
SELECT recsys.drop_experiment('exp_two');

-- shares change: nobody leaves a variant that keeps or gains, others leave as many as are lost
SELECT recsys.alter_experiment('exp_one', variants => '{"control": {"share": 0.3}, "diverse": {"share": 0.5}, "third": {"recommender": "exp_bought_recsys", "share": 0.2}}');
CREATE TEMP TABLE exp_after AS SELECT u, (recsys.assignment('exp_one', u)).variant FROM generate_series(1, 100000) u;
SELECT b.variant AS before, a.variant AS after, round(count(*) / 100000.0, 1) AS share FROM exp_before b JOIN exp_after a USING (u) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT recsys.alter_experiment('exp_one', variants => '{"control": {"share": 0.4}, "diverse": {"share": 0.2}, "third": {"share": 0.4}}');
CREATE TEMP TABLE exp_later AS SELECT u, (recsys.assignment('exp_one', u)).variant FROM generate_series(1, 100000) u;
SELECT b.variant AS before, a.variant AS after, round(count(*) / 100000.0, 1) AS share FROM exp_after b JOIN exp_later a USING (u) GROUP BY 1, 2 ORDER BY 1, 2;
-- a variant that is gone
SELECT recsys.alter_experiment('exp_one', variants => '{"control": {"share": 0.4}, "third": {"share": 0.6}}');
SELECT b.variant AS before, a.variant AS after, round(count(*) / 100000.0, 1) AS share FROM exp_later b, recsys.assignment('exp_one', u) a GROUP BY 1, 2 ORDER BY 1, 2;
SELECT shares_since IS NOT NULL AS have_changed FROM recsys.experiments;
-- what must stay
SELECT recsys.alter_experiment('exp_one', variants => '{"third": "exp_bought_recsys", "fourth": "exp_home"}');
SELECT recsys.alter_experiment('exp_one', variants => '{"control": {"recommender": "exp_diverse"}, "third": {}}');
SELECT recsys.alter_experiment('exp_one', salt => 'other');
SELECT recsys.alter_experiment('exp_one', unit => 'session');
SELECT recsys.alter_experiment('exp_one', reset => '{layer}');
SELECT recsys.alter_experiment('exp_one', reset => '{sald}');
SELECT recsys.alter_experiment('exp_one', reset => '{variants}');
SELECT recsys.alter_experiment('exp_one', metrics => '{ctr}', reset => '{metrics}');
SELECT recsys.drop_experiment('exp_one');

/*
 * Eligibility and segments
 */
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}', segment => 'country', eligible => 'adult', start => false);
SELECT a.variant, a.segment, a.takes_part, a.reason, count(*) FROM generate_series(1, 1100) u, recsys.assignment('exp_one', u) a GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT recsys.start_experiment('exp_one');
SELECT recsys.start_experiment('exp_one');
SELECT a.segment, a.takes_part, a.reason, count(*), count(*) FILTER (WHERE variant = 'diverse') > 0 AS some_diverse FROM generate_series(1, 1100) u, recsys.assignment('exp_one', u) a GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT segment, eligible, problem FROM recsys.experiments;
-- who becomes eligible takes part
SELECT takes_part FROM recsys.assignment('exp_one', 1);
UPDATE exp_people SET adult = true WHERE id = 1;
SELECT takes_part FROM recsys.assignment('exp_one', 1);
UPDATE exp_people SET adult = NULL WHERE id = 1;
SELECT takes_part FROM recsys.assignment('exp_one', 1);
-- what is gone
ALTER TABLE exp_people RENAME country TO land;
SELECT takes_part FROM recsys.assignment('exp_one', 2);
SELECT problem FROM recsys.experiments;
SELECT recsys.alter_experiment('exp_one', segment => 'upper(land)');
SELECT DISTINCT segment FROM generate_series(1, 100) u, recsys.assignment('exp_one', u) ORDER BY 1;
ALTER TABLE exp_people RENAME land TO country;
SELECT recsys.alter_experiment('exp_one', reset => '{segment,eligible}');
SELECT segment, eligible, problem FROM recsys.experiments;
-- nothing but expressions of the right type over the profiles
SELECT recsys.alter_experiment('exp_one', eligible => 'country');
SELECT recsys.alter_experiment('exp_one', eligible => 'adults');
SELECT recsys.alter_experiment('exp_one', eligible => 'true) OR (true');
SELECT recsys.alter_experiment('exp_one', segment => 'random()::text');
SELECT recsys.alter_experiment('exp_one', segment => 'count(*)');
SELECT recsys.create_experiment('exp_two', '{"control": "exp_diverse", "diverse": "exp_home"}', segment => 'country');
SELECT recsys.create_experiment('exp_two', '{"control": "exp_bought_recsys", "diverse": "exp_home"}', eligible => 'adult');

/*
 * Stopped: the winner is for everybody
 */
SELECT recsys.stop_experiment('exp_one', 'divers');
SELECT recsys.stop_experiment('exp_one', 'diverse');
SELECT state, winner FROM recsys.experiments;
SELECT DISTINCT a.* FROM generate_series(1, 100) u, recsys.assignment('exp_one', u) a;
SELECT recsys.start_experiment('exp_one');
SELECT recsys.alter_experiment('exp_one', variants => '{"control": {"share": 0.1}, "diverse": {}}');
SELECT recsys.alter_experiment('exp_one', alpha => 0.01);
SELECT winner, alpha FROM recsys.experiments;
SELECT recsys.stop_experiment('exp_one');
SELECT DISTINCT a.* FROM generate_series(1, 100) u, recsys.assignment('exp_one', u) a;
SELECT recsys.drop_experiment('exp_one');
SELECT recsys.drop_experiment('exp_one');
SELECT recsys.drop_experiment('exp_one', if_exists => true);
SELECT recsys.stop_experiment('exp_one');
SELECT recsys.start_experiment('exp_one');
SELECT recsys.alter_experiment('exp_one', alpha => 0.01);

/*
 * Layers and holdouts
 */
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.5, holdout => 0.1);
SELECT recsys.create_experiment('exp_two', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.3);
SELECT name, layer_share, layer_low, layer_high, holdout FROM recsys.experiments ORDER BY name;
CREATE TEMP TABLE exp_layer AS SELECT u, (recsys.assignment('exp_one', u)).reason AS one, (recsys.assignment('exp_two', u)).reason AS two FROM generate_series(1, 100000) u;
SELECT one, two, round(count(*) / 100000.0, 2) AS share FROM exp_layer GROUP BY 1, 2 ORDER BY 1, 2;
SELECT recsys.create_experiment('exp_three', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.25);
SELECT recsys.create_experiment('exp_three', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.2, holdout => 0.2);
SELECT recsys.create_experiment('exp_three', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.2, unit => 'session');
SELECT recsys.create_experiment('exp_three', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.2);
SELECT recsys.create_experiment('exp_four', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.1);
-- longer and shorter: who is in it stays as far as there is room
SELECT recsys.alter_experiment('exp_two', layer_share => 0.4);
SELECT recsys.alter_experiment('exp_one', layer_share => 0.4);
SELECT recsys.alter_experiment('exp_two', layer_share => 0.4);
SELECT name, layer_share, layer_low, layer_high, holdout FROM recsys.experiments ORDER BY name;
-- one that is stopped makes room
SELECT recsys.stop_experiment('exp_two');
SELECT recsys.create_experiment('exp_four', '{"control": "exp_home", "diverse": "exp_diverse"}', layer => 'exp layer', layer_share => 0.1);
SELECT name, layer_share, layer_low, layer_high FROM recsys.experiments ORDER BY name;
SELECT recsys.alter_experiment('exp_two', alpha => 0.1);
SELECT recsys.drop_experiment('exp_' || n) FROM unnest('{one,two,three,four}'::text[]) n;
-- without a layer: of all users some
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}', layer_share => 0.1, holdout => 0.05);
SELECT takes_part, reason, round(count(*) / 100000.0, 2) AS share FROM generate_series(1, 100000) u, recsys.assignment('exp_one', u) GROUP BY 1, 2 ORDER BY 1, 2;
CREATE TEMP TABLE exp_few AS SELECT u, a.variant FROM generate_series(1, 10000) u, recsys.assignment('exp_one', u) a WHERE takes_part;
-- more of them: those that took part do so as before
SELECT recsys.alter_experiment('exp_one', layer_share => 0.8);
SELECT count(*) AS changed FROM exp_few, recsys.assignment('exp_one', u) a WHERE NOT a.takes_part OR a.variant <> exp_few.variant;
SELECT recsys.drop_experiment('exp_one');

/*
 * Sessions; keys of other types
 */
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}', unit => 'session');
SELECT * FROM recsys.assignment('exp_one', 1);
SELECT * FROM recsys.assignment('exp_one', 1, 's');
SELECT count(DISTINCT variant) FROM generate_series(1, 100) u, recsys.assignment('exp_one', u, 's');
SELECT count(DISTINCT variant) FROM generate_series(1, 100) s, recsys.assignment('exp_one', 1, s::text);
SELECT recsys.drop_experiment('exp_one');
CREATE TABLE exp_visits AS SELECT md5((n % 40)::text)::uuid AS u, 'item ' || n % 13 AS i FROM generate_series(1, 400) n;
CREATE INDEX exp_visits_recsys ON exp_visits USING recsys (u, i);
SELECT recsys.create_experiment('exp_one', '[{"name": "a", "recommender": "exp_visits_recsys"}, {"name": "b", "recommender": "exp_visits_recsys"}]');
SELECT count(*), count(DISTINCT u) FROM (SELECT md5(n::text)::uuid AS u FROM generate_series(1, 1000) n) v, recsys.assignment('exp_one', u) a, recsys.assignment('exp_one', upper(u::text)) b
WHERE a.variant = b.variant;
SELECT recsys.create_experiment('exp_two', '{"control": "exp_visits_recsys", "b": "exp_home"}');
SELECT recsys.drop_experiment('exp_one');
CREATE TABLE exp_names AS SELECT 'user ' || n % 40 AS u, n % 13 AS i FROM generate_series(1, 400) n;
CREATE INDEX exp_names_recsys ON exp_names USING recsys (u, i);
SELECT recsys.create_experiment('exp_one', '[{"name": "a", "recommender": "exp_names_recsys"}, {"name": "b", "recommender": "exp_names_recsys"}]');
SELECT count(DISTINCT variant) FROM generate_series(1, 100) n, recsys.assignment('exp_one', 'user ' || n);
SELECT recsys.drop_experiment('exp_one');
DROP TABLE exp_visits, exp_names;

/*
 * What cannot be declared
 */
SELECT recsys.create_experiment(NULL, '{}');
SELECT recsys.create_experiment('Exp', '{"control": "exp_home", "b": "exp_home"}');
SELECT recsys.create_experiment('exp_one', NULL);
SELECT recsys.create_experiment('exp_one', '{}');
SELECT recsys.create_experiment('exp_one', '3');
SELECT recsys.create_experiment('exp_one', '["exp_home", "exp_diverse"]');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home"}');
SELECT recsys.create_experiment('exp_one', '{"a": "exp_home", "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_one', '{"control": {"recomender": "exp_home"}, "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_one', '{"control": {"share": 0.5}, "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_one', '{"control": {"recommender": "exp_home", "share": 0}, "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_one', '{"control": {"recommender": "exp_home", "share": 0.1}, "b": {"recommender": "exp_diverse", "share": 0.1}}');
SELECT recsys.create_experiment('exp_one', '{"control": {"recommender": "exp_home", "share": 1}, "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_one', '[{"name": "a", "recommender": "exp_home"}, {"name": "a", "recommender": "exp_diverse"}]');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_nothing"}');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_people"}');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', metrics => '{ctr,clicks}');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', metrics => '{}');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', metrics => '{ctr,conversion}');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', guardrails => '{revenue}');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', metrics => '{ctr}', primary_metric => 'click_rate');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', method => 'bayes');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', attribution => 'linear');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', attribution_window => '-1 day');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', alpha => 0);
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', alpha => 'nan');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', holdout => 1);
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', layer_share => 0);
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', expected_users => 0);
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', unit => 'visit');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', salt => '');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse", "c": "exp_home"}', interleave => true);
SELECT count(*) FROM recsys.experiments;
-- purchases are normalised, and metrics follow from what they say
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}', purchases => '{"table": "exp_sales", "user": "u", "item": "i", "time": "sold_at"}',
	winsorise => 0.99, pre_period => '14 days', guardrails => '{latency_ms}', method => 'fixed', correction => 'none', attribution => 'position', attribution_window => '1 month');
SELECT metrics, primary_metric, purchases, attribution_window, attribution, guardrails, winsorise, pre_period, method, correction FROM recsys.experiments;
SELECT recsys.alter_experiment('exp_one', metrics => '{revenue,ctr}');
SELECT metrics, primary_metric FROM recsys.experiments;
SELECT recsys.alter_experiment('exp_one', purchases => '{"table": "exp_sales", "user": "u", "item": "i", "time": "sold_at", "amount": "price * 2"}', metrics => '{revenue,conversion}', reset => '{winsorise,pre_period,guardrails}');
SELECT metrics, primary_metric, purchases, guardrails, winsorise, pre_period FROM recsys.experiments;
SELECT recsys.alter_experiment('exp_one', reset => '{purchases}');
SELECT recsys.alter_experiment('exp_one', reset => '{purchases,metrics,primary_metric}');
SELECT metrics, primary_metric, purchases FROM recsys.experiments;

/*
 * One name, one meaning
 */
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_home', '{"control": "exp_home", "b": "exp_diverse"}');
SELECT recsys.create_experiment('exp_bought_recsys', '{"control": "exp_home", "b": "exp_diverse"}');
SELECT recsys.create_recommender('exp_one', '[{"events": "exp_bought_recsys"}]');
SELECT recsys.alter_recommender('exp_diverse', new_name => 'exp_one');
SELECT recsys.create_experiment('exp_two', '{"control": "exp_one", "b": "exp_diverse"}');
SELECT recsys.drop_recommender('exp_diverse');
SELECT recsys.alter_recommender('exp_diverse', new_name => 'exp_varied');
SELECT variants, problem FROM recsys.experiments;
SELECT recsys.stop_experiment('exp_one', 'b');
SELECT recsys.drop_recommender('exp_varied');
SELECT recsys.stop_experiment('exp_one');
-- only the winner is needed any more
SELECT recsys.drop_recommender('exp_varied');
SELECT problem FROM recsys.experiments;
SELECT recsys.drop_experiment('exp_one');
SELECT recsys.create_recommender('exp_diverse', '[{"events": "exp_bought_recsys"}]');

/*
 * Served: by name in any of the ways in which a recommender is
 */
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_bought_recsys"}', salt => 'x');
SELECT count(*) FROM recommend(1, 3, 'exp_one');
SELECT count(*) FROM recommend(1, 3, '"exp_one"');
SELECT count(*) FROM recommend(1, 3, 'EXP_ONE');
SELECT count(*) FROM recommend(NULL::integer, 3, 'exp_one');
SELECT u, count(*), min(experiment), min(variant), min(propensity) FROM generate_series(1, 4) u, recommend(u, 3, 'exp_one', log => true) GROUP BY u ORDER BY u;
SELECT experiment, variant, policy, recommender, segment FROM recsys.request_log ORDER BY user_id;
SELECT DISTINCT experiment, variant, propensity FROM recommend(NULL::integer, 3, 'exp_one', log => true);
-- who tests a variant does not count
TRUNCATE recsys.request_log;
SELECT DISTINCT experiment, variant, propensity FROM recommend(1, 3, 'exp_one', context => '{"variant": "diverse"}', log => true);
SELECT DISTINCT experiment, variant FROM recommend(1, 3, 'exp_one', context => '{"variant": "control", "exclude": [1]}', log => true);
SELECT count(*) FROM recommend(1, 3, 'exp_one', context => '{"variant": "other"}');
SELECT count(*) FROM recommend(1, 3, 'exp_one', context => '{"variant": 1}');
SELECT experiment, variant, policy, recommender FROM recsys.request_log ORDER BY time, variant DESC;
TRUNCATE recsys.request_log;
SELECT recsys.drop_experiment('exp_one');

/*
 * Interleaving
 */
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}', interleave => true, expected_users => 20);
SELECT * FROM recsys.assignment('exp_one', 1);
SELECT count(*), min(experiment), min(variant) FROM recommend(1, 4, 'exp_one', log => true);
SELECT policy, variant, (SELECT array_agg(a ORDER BY a) FROM unnest(arms) a) FROM recsys.request_log;
TRUNCATE recsys.request_log;
SELECT * FROM recsys.interleaving_results('exp_one');
-- by hand: user 1 clicks one of control's and one of diverse's in two requests, and an item that is nobody's; user 2 clicks two of diverse's, one of them twice;
-- user 3 one of control's, two of diverse's; user 4 nothing; the last request is of another experiment
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, policy, item_ids, arms)
SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, clock_timestamp(), u, 'exp_home', e, 'interleaving', '{a,b,c,d}', '{control,diverse,control,NULL}'
FROM (VALUES (1, '1', 'exp_one'), (2, '1', 'exp_one'), (3, '2', 'exp_one'), (4, '2', 'exp_one'), (5, '3', 'exp_one'), (6, '3', 'exp_one'), (7, '4', 'exp_one'), (8, '5', 'other')) v (n, u, e);
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, event_key, time)
SELECT request_id, r.time, kind, item, key, r.time FROM (VALUES (1, 'click', 'a', ''), (2, 'click', 'b', ''), (2, 'click', 'd', ''), (2, 'cart', 'a', ''), (3, 'click', 'b', ''),
	(3, 'click', 'b', 'again'), (4, 'click', 'b', ''), (5, 'click', 'c', ''), (5, 'click', 'b', ''), (6, 'click', 'b', ''), (8, 'click', 'a', '')) v (n, kind, item, key)
JOIN recsys.request_log r ON request_id = ('00000000-0000-7000-8000-00000000000' || n)::uuid;
\x
-- says: 0, 1, 1/3
SELECT first, second, users, requests, first_clicks, second_clicks, first_users, second_users, tied_users, round(preference::numeric, 6) AS preference,
	ci_low, ci_high, p_value, sign_test_p_value, preferred FROM recsys.interleaving_results('exp_one');
\x
TRUNCATE recsys.request_log, recsys.event_log;
SELECT recsys.drop_experiment('exp_one');
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}');
SELECT * FROM recsys.interleaving_results('exp_one');
SELECT * FROM recsys.interleaving_results('exp_none');

/*
 * Whose it is
 */
CREATE ROLE regress_exp_stranger;
CREATE ROLE regress_exp_shop;
GRANT SELECT ON exp_bought TO regress_exp_stranger, regress_exp_shop;
SELECT recsys.create_experiment('exp_two', '{"control": "exp_home", "diverse": "exp_diverse"}', eligible => 'adult');
SET ROLE regress_exp_stranger;
SELECT count(*) FROM recsys.experiments;
SELECT count(*) FROM recsys.experiment;
SELECT count(*) FROM recommend(1, 3, 'exp_one');
-- profiles are read with the rights of who asks
SELECT count(*) FROM recommend(1, 3, 'exp_two');
SELECT recsys.alter_experiment('exp_one', alpha => 0.01);
SELECT recsys.start_experiment('exp_one');
SELECT recsys.stop_experiment('exp_one');
SELECT recsys.drop_experiment('exp_one');
SELECT * FROM recsys.interleaving_results('exp_one');
-- his own
SELECT recsys.create_experiment('exp_his', '{"control": "exp_diverse", "other": "exp_bought_recsys"}');
SELECT recsys.create_experiment('exp_his_too', '{"control": "exp_home", "diverse": "exp_diverse"}', eligible => 'adult');
SELECT name, owner, problem FROM recsys.experiments;
SELECT recsys.alter_experiment('exp_his', new_owner => 'regress_exp_shop');
RESET ROLE;
-- which does not hinder the owner of the recommender
SET ROLE regress_exp_shop;
SELECT recsys.create_recommender('exp_shop', '[{"events": "exp_bought_recsys"}]');
SET ROLE regress_exp_stranger;
SELECT recsys.create_experiment('exp_his_too', '{"control": "exp_shop", "other": "exp_bought_recsys"}');
SET ROLE regress_exp_shop;
SELECT recsys.drop_recommender('exp_shop');
SET ROLE regress_exp_stranger;
SELECT name, problem FROM recsys.experiments ORDER BY name;
SELECT recsys.drop_experiment('exp_his_too');
RESET ROLE;
SELECT name, owner = 'regress_exp_stranger' AS is_his FROM recsys.experiments ORDER BY name;
SELECT recsys.alter_experiment('exp_his', new_owner => 'regress_exp_shop');
SET ROLE regress_exp_shop;
SELECT name FROM recsys.experiments;
SELECT recsys.drop_experiment('exp_his');
RESET ROLE;
SELECT recsys.alter_experiment('exp_one', new_owner => 'regress_exp_stranger');
REVOKE ALL ON exp_bought FROM regress_exp_stranger, regress_exp_shop;
DROP ROLE regress_exp_stranger;
SELECT problem FROM recsys.experiments WHERE name = 'exp_one';
SELECT recsys.drop_experiment('exp_one');
SELECT recsys.drop_experiment('exp_two');
DROP ROLE regress_exp_shop;

-- nothing in a transaction that only reads
BEGIN READ ONLY;
SELECT recsys.create_experiment('exp_one', '{"control": "exp_home", "diverse": "exp_diverse"}');
ROLLBACK;

SELECT recsys.drop_recommender('exp_home');
SELECT recsys.drop_recommender('exp_diverse');
DROP TABLE exp_bought, exp_people, exp_sales;
SELECT count(*) FROM recsys.experiment;
