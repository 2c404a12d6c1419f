/*
 * Materialized views that a shop wants
 */
CREATE FUNCTION recsys.popular_lists(
	recommender text DEFAULT NULL)
RETURNS TABLE (kind text, segment text, item_id text, users bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_lists' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10000;
COMMENT ON FUNCTION recsys.popular_lists(text) IS 'what is popular in each segment, category, price level and with each seller of a declared recommender, as of the last recsys.refresh_recommender';

CREATE FUNCTION recsys.create_views(
	recommender text,
	schema text,
	readers text[] DEFAULT NULL,
	min_support double precision DEFAULT NULL,
	min_confidence double precision DEFAULT 0.05,
	max_length integer DEFAULT 2,
	with_data boolean DEFAULT true)
RETURNS TABLE (name text, materialized_view text, action text)
	AS 'MODULE_PATHNAME', 'recsys_create_views' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 5;
COMMENT ON FUNCTION recsys.create_views(text, text, text[], double precision, double precision, integer, boolean) IS 'makes the views that a shop wants of a recommender: item_similarity, association_rules, popular_by_segment, customer_segments and daily_metrics, each over a materialized view of that name with _mv behind it; replaces only its own';

CREATE FUNCTION recsys.drop_views(
	recommender text,
	schema text)
RETURNS TABLE (name text, materialized_view text, action text)
	AS 'MODULE_PATHNAME', 'recsys_drop_views' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION recsys.drop_views(text, text) IS 'drops what recsys.create_views has made for a recommender, which may be gone already';

CREATE PROCEDURE recsys.refresh(recommender text)
	AS 'MODULE_PATHNAME', 'recsys_refresh' LANGUAGE C;
COMMENT ON PROCEDURE recsys.refresh(text) IS 'brings up to date what is computed ahead for a recommender: its lists, and the materialized views that are made of it; commits after each where it may';
