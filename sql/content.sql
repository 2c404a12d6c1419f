/*
 * What content is used for: visual search, duplicates, fakes
 */

-- search by content: what is looked for is given by values of attributes
CREATE FUNCTION items_like(
	attributes jsonb,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like(jsonb, bigint, text) IS 'the k items of an index over items that are most like given values of its attributes, as in {"title": "red shoes", "price": 20}; bigint item keys';

CREATE FUNCTION items_like(
	attributes jsonb,
	k bigint,
	recommender text,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like(jsonb, bigint, text, anyelement) IS 'the k items that are most like given values of attributes; item keys of the type of the last argument';

-- the same where the last argument comes without a type, and for NULL::text
CREATE FUNCTION items_like(
	attributes jsonb,
	k bigint,
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like(jsonb, bigint, text, text) IS 'the k items that are most like given values of attributes; item keys of every type, as text';

-- visual search: by the attribute that is a call of recsys.image_descriptor
CREATE FUNCTION items_like_image(
	image bytea,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like_image' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like_image(bytea, bigint, text) IS 'the k items of an index over items whose pictures look most like a given one; bigint item keys';

CREATE FUNCTION items_like_image(
	image bytea,
	k bigint,
	recommender text,
	item_type anyelement,
	attribute text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like_image' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like_image(bytea, bigint, text, anyelement, text) IS 'the k items whose pictures look most like a given one, by one of several attributes with pictures; item keys of the type of the fourth argument';

CREATE FUNCTION items_like_image(
	image bytea,
	k bigint,
	recommender text,
	item_type text,
	attribute text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like_image' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like_image(bytea, bigint, text, text, text) IS 'the k items whose pictures look most like a given one, by one of several attributes with pictures; item keys of every type, as text';

CREATE FUNCTION recsys.duplicate_items(
	recommender text DEFAULT NULL,
	threshold double precision DEFAULT 0.9,
	events text DEFAULT NULL,
	identifying text[] DEFAULT NULL,
	must_agree text[] DEFAULT NULL)
RETURNS TABLE (item_id text, duplicate_of text, score real, evidence jsonb)
	AS 'MODULE_PATHNAME', 'recsys_duplicate_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000;
COMMENT ON FUNCTION recsys.duplicate_items(text, double precision, text, text[], text[]) IS 'items of an items index that are likely the same product as another one, by what tells one thing from another: titles, pictures, embeddings';

CREATE FUNCTION recsys.suspicious_items(
	recommender text DEFAULT NULL,
	threshold double precision DEFAULT 0.9,
	deviation double precision DEFAULT 3,
	min_users integer DEFAULT 10,
	events text DEFAULT NULL,
	seller text DEFAULT NULL,
	price text DEFAULT NULL,
	identifying text[] DEFAULT NULL)
RETURNS TABLE (item_id text, seller_id text, copy_of text, copied_seller_id text, score real, evidence jsonb, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_suspicious_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100;
COMMENT ON FUNCTION recsys.suspicious_items(text, double precision, double precision, integer, text, text, text, text[]) IS 'items with nearly the picture or the title of another seller''s well-known product at an unusual price, with the evidence';

-- how content and interactions are weighed; a dump has no need of it
CREATE TABLE recsys.content_weight (
	recommender text COLLATE "C" PRIMARY KEY REFERENCES recsys.recommender ON DELETE CASCADE,
	events text NOT NULL,
	content text NOT NULL,
	scale double precision NOT NULL,
	users double precision NOT NULL,
	pairs bigint NOT NULL,
	held_out bigint NOT NULL,
	ndcg_without double precision,
	ndcg_with double precision,
	p_value double precision,
	ndcg_all double precision,
	learned_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.content_weight IS 'how a declared recommender weighs content and interactions, as recsys.create_recommender, alter_recommender or refresh_recommender has found out';
COMMENT ON COLUMN recsys.content_weight.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.content_weight.events IS 'index of interactions that it was learned from';
COMMENT ON COLUMN recsys.content_weight.content IS 'index over items that it was learned for';
COMMENT ON COLUMN recsys.content_weight.scale IS 'what a score by content is multiplied by to be one by interactions';
COMMENT ON COLUMN recsys.content_weight.users IS 'as many users of an item say as much of it as its content; 0: content speaks only where there are none';
COMMENT ON COLUMN recsys.content_weight.pairs IS 'scores of one user and one item that the scale was learned from';
COMMENT ON COLUMN recsys.content_weight.held_out IS 'users with items held out that scale and users were chosen by';
COMMENT ON COLUMN recsys.content_weight.ndcg_without IS 'NDCG@20 of the latest item of these users, by interactions alone';
COMMENT ON COLUMN recsys.content_weight.ndcg_with IS 'the same with content and new items in the list';
COMMENT ON COLUMN recsys.content_weight.p_value IS 'probability that it is no better than without, by a paired test';
COMMENT ON COLUMN recsys.content_weight.ndcg_all IS 'NDCG@20 with content of all that was held out, one item in ten treated as new among it';
COMMENT ON COLUMN recsys.content_weight.learned_at IS 'when';
GRANT SELECT ON recsys.content_weight TO PUBLIC;
