/*
 * From 0.1.0 to 0.2.0.  What changed of a function's result has to be dropped and
 * created again; all else is replaced.  test/t/021_versions.pl sees to it that an
 * upgraded database and a new one are the same.
 */

-- complain if the script is sourced in psql rather than run by ALTER EXTENSION
\echo Use "ALTER EXTENSION recsys UPDATE" to load this file. \quit

/* key types */
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

/* frequently_bought_together: what a basket is */
COMMENT ON FUNCTION frequently_bought_together(bigint, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; bigint item keys';
COMMENT ON FUNCTION frequently_bought_together(text, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; text item keys';
COMMENT ON FUNCTION frequently_bought_together(uuid, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; uuid item keys';
