/*
 * What a customer buys next: again, or for the first time.
 */

CREATE FUNCTION recsys.item_rhythm(
	index regclass)
RETURNS TABLE (item_id text, users bigint, repeaters bigint, repeat_share double precision,
	gaps bigint, typical_gap interval, spread double precision)
	AS 'MODULE_PATHNAME', 'recsys_item_rhythm' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_rhythm(regclass) IS 'items of a recsys index over interactions that have times: how many users have each, how many of them again, and after how long';
/*
 * buy_again: what a user has had and will want again, by the probability that it comes with the
 * next basket.  at: as of when, now without it; what was bought later is not looked at.
 */
CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, timestamptz, jsonb) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected; bigint item keys';

CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, anyelement, timestamptz, jsonb) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint,
	recommender text,
	at_text text,
	context text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, text, text) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected, at written as text; item keys of every type, as text';

CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	at timestamptz,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id text, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, text, timestamptz, jsonb) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected, with all arguments; item keys of every type, as text';

/*
 * next_basket: repeats and discoveries in one list; source tells what the user has ('repeat') from
 * what recommend would say.
 */
CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, timestamptz, jsonb) IS 'the k items that a user will most likely buy next time, again or for the first time; bigint item keys';

CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, anyelement, timestamptz, jsonb) IS 'the k items that a user will most likely buy next time, again or for the first time; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint,
	recommender text,
	at_text text,
	context text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, text, text) IS 'the k items that a user will most likely buy next time, again or for the first time, at written as text; item keys of every type, as text';

CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	at timestamptz,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, text, timestamptz, jsonb) IS 'the k items that a user will most likely buy next time, again or for the first time, with all arguments; item keys of every type, as text';

/*
 * How next baskets are mixed, learned from the last baskets of users; a dump keeps it.
 */
CREATE TABLE recsys.basket_mix (
	recommender text COLLATE "C" PRIMARY KEY,
	basket_decay double precision NOT NULL CHECK (basket_decay >= 0 AND basket_decay <= 1),
	basket_half_life interval NOT NULL,
	due_weight double precision NOT NULL CHECK (due_weight >= 0 AND due_weight <= 1),
	neighbor_weight double precision NOT NULL CHECK (neighbor_weight >= 0 AND neighbor_weight <= 1),
	discover_weight double precision NOT NULL CHECK (discover_weight >= 0 AND discover_weight <= 1),
	popular_weight double precision NOT NULL CHECK (popular_weight >= 0 AND popular_weight <= 1),
	users bigint NOT NULL,
	judged_by bigint NOT NULL,
	recall double precision,
	ndcg double precision,
	recall_frequency double precision,
	ndcg_frequency double precision,
	p_value double precision,
	learned_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.basket_mix IS 'how next_basket mixes repeats, discoveries and popular items, as recsys.learn_next_basket has found out';
COMMENT ON COLUMN recsys.basket_mix.recommender IS 'declared recommender, or index with its schema';
COMMENT ON COLUMN recsys.basket_mix.basket_decay IS 'a basket counts so much of the one after it';
COMMENT ON COLUMN recsys.basket_mix.basket_half_life IS 'and half as much after that long; 0: its age does not matter';
COMMENT ON COLUMN recsys.basket_mix.due_weight IS '0 to 1: how much it counts among repeats when an item is due';
COMMENT ON COLUMN recsys.basket_mix.neighbor_weight IS 'what the item graph can add to a repeat, as a probability';
COMMENT ON COLUMN recsys.basket_mix.discover_weight IS 'what the best discovery by the item graph counts, as a probability';
COMMENT ON COLUMN recsys.basket_mix.popular_weight IS 'what being the item with the most users counts, as a probability';
COMMENT ON COLUMN recsys.basket_mix.users IS 'users whose last baskets it was learned on';
COMMENT ON COLUMN recsys.basket_mix.judged_by IS 'other users, whose last baskets the figures are of';
COMMENT ON COLUMN recsys.basket_mix.recall IS 'recall@10 of the mix';
COMMENT ON COLUMN recsys.basket_mix.ndcg IS 'NDCG@10 of the mix';
COMMENT ON COLUMN recsys.basket_mix.recall_frequency IS 'recall@10 of what each user has had most often';
COMMENT ON COLUMN recsys.basket_mix.ndcg_frequency IS 'NDCG@10 of what each user has had most often';
COMMENT ON COLUMN recsys.basket_mix.p_value IS 'probability that the two NDCG differ by chance, by a paired test';
COMMENT ON COLUMN recsys.basket_mix.learned_at IS 'when';
GRANT SELECT ON recsys.basket_mix TO PUBLIC;

-- restored by whoever has the extension, as the declared recommenders are
GRANT INSERT ON recsys.basket_mix TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('recsys.basket_mix', '');

CREATE FUNCTION recsys.learn_next_basket(
	recommender text DEFAULT NULL)
RETURNS TABLE (learned_for text, basket_decay double precision, basket_half_life interval,
	due_weight double precision, neighbor_weight double precision, discover_weight double precision,
	popular_weight double precision, users bigint, judged_by bigint, recall double precision,
	ndcg double precision, recall_frequency double precision, ndcg_frequency double precision,
	p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_learn_next_basket' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 10000000 ROWS 1;
COMMENT ON FUNCTION recsys.learn_next_basket(text) IS 'learns how next_basket mixes repeats, discoveries and popular items, on the last baskets of half of the users, and measures it on those of the others, beside what each has had most often';
