/*
 * The SQL surface of recsys.
 *
 * Verbs (recommend, similar_items, ...) live in the schema that the extension is
 * installed into; everything operational lives in schema recsys.
 *
 * A function that returns item keys exists once for bigint keys, once for text and
 * once for uuid or for any type that a typed NULL gives, as in
 * recommend(42, 10, NULL, NULL::uuid): PostgreSQL cannot resolve a polymorphic
 * result type from a defaulted argument.
 *
 * The text one takes and gives keys of every type.  Where a call leaves a type open,
 * as drivers do with parameters, PostgreSQL prefers text; so each call that is made
 * to serve something has one variant that has text wherever its variants differ, or
 * it would not be unique.  Its parameters have names of their own where naming one
 * chose a variant before.
 */

-- complain if the script is sourced in psql rather than run by CREATE EXTENSION
\echo Use "CREATE EXTENSION recsys" to load this file. \quit

CREATE SCHEMA recsys;
COMMENT ON SCHEMA recsys IS 'recsys: maintenance and checks of recommender indexes';
GRANT USAGE ON SCHEMA recsys TO PUBLIC;

/*
 * Access method
 */
CREATE FUNCTION recsys.index_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'recsys_index_handler' LANGUAGE C;
COMMENT ON FUNCTION recsys.index_handler(internal) IS 'handler of the recsys index access method';

CREATE ACCESS METHOD recsys TYPE INDEX HANDLER recsys.index_handler;
COMMENT ON ACCESS METHOD recsys IS 'recommender index over (user, item [, weight [, time]])';

/*
 * Operator classes.  Integer widths share one family so that a query may
 * compare a bigint column with an integer constant and still use the index.
 */
CREATE OPERATOR FAMILY integer_ops USING recsys;

CREATE OPERATOR CLASS int2_ops DEFAULT FOR TYPE smallint USING recsys FAMILY integer_ops AS
	OPERATOR 1 = (smallint, smallint);
CREATE OPERATOR CLASS int4_ops DEFAULT FOR TYPE integer USING recsys FAMILY integer_ops AS
	OPERATOR 1 = (integer, integer);
CREATE OPERATOR CLASS int8_ops DEFAULT FOR TYPE bigint USING recsys FAMILY integer_ops AS
	OPERATOR 1 = (bigint, bigint);

ALTER OPERATOR FAMILY integer_ops USING recsys ADD
	OPERATOR 1 = (smallint, integer),
	OPERATOR 1 = (smallint, bigint),
	OPERATOR 1 = (integer, smallint),
	OPERATOR 1 = (integer, bigint),
	OPERATOR 1 = (bigint, smallint),
	OPERATOR 1 = (bigint, integer);

CREATE OPERATOR CLASS text_ops DEFAULT FOR TYPE text USING recsys AS
	OPERATOR 1 = (text, text);
CREATE OPERATOR CLASS uuid_ops DEFAULT FOR TYPE uuid USING recsys AS
	OPERATOR 1 = (uuid, uuid);

/*
 * char(n): trailing blanks do not count.  A name is equal to a text of the same bytes.
 */
CREATE OPERATOR CLASS bpchar_ops DEFAULT FOR TYPE bpchar USING recsys AS
	OPERATOR 1 = (bpchar, bpchar);
CREATE OPERATOR CLASS name_ops DEFAULT FOR TYPE name USING recsys FAMILY text_ops AS
	OPERATOR 1 = (name, name);

ALTER OPERATOR FAMILY text_ops USING recsys ADD
	OPERATOR 1 = (name, text),
	OPERATOR 1 = (text, name);

-- an enum's key is its label, which may be renamed: no operator.  What is no key type either is
-- refused with the expression to index, which the server could not tell.
CREATE OPERATOR CLASS any_ops DEFAULT FOR TYPE anyelement USING recsys AS STORAGE anyelement;
COMMENT ON OPERATOR CLASS any_ops USING recsys IS 'enums as users and items; an index over any other type is refused, with the expression to index instead';

-- weights and times are read by the model, never searched: storage only
CREATE OPERATOR CLASS float4_ops DEFAULT FOR TYPE real USING recsys AS STORAGE real;
CREATE OPERATOR CLASS float8_ops DEFAULT FOR TYPE double precision USING recsys AS STORAGE double precision;
CREATE OPERATOR CLASS numeric_ops DEFAULT FOR TYPE numeric USING recsys AS STORAGE numeric;
CREATE OPERATOR CLASS timestamptz_ops DEFAULT FOR TYPE timestamptz USING recsys AS STORAGE timestamptz;
CREATE OPERATOR CLASS timestamp_ops DEFAULT FOR TYPE timestamp USING recsys AS STORAGE timestamp;
CREATE OPERATOR CLASS date_ops DEFAULT FOR TYPE date USING recsys AS STORAGE date;

/*
 * Planner support: a constant k is the number of rows.
 */
CREATE FUNCTION recsys.rows_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'recsys_rows_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION recsys.rows_support(internal) IS 'planner support function: row estimates of the recsys functions';

