/*
 * Items by their content: the access method recsys_items
 */
CREATE FUNCTION recsys.items_index_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'recsys_items_handler' LANGUAGE C;
COMMENT ON FUNCTION recsys.items_index_handler(internal) IS 'handler of the recsys_items index access method';

CREATE ACCESS METHOD recsys_items TYPE INDEX HANDLER recsys.items_index_handler;
COMMENT ON ACCESS METHOD recsys_items IS 'content index over (item, attribute [, ...])';

/*
 * Parameters of operator classes.
 */
CREATE FUNCTION recsys.weight_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_weight_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.weight_parameters(internal) IS 'parameters of operator classes for labels, arrays of labels and vectors';
CREATE FUNCTION recsys.text_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_text_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.text_parameters(internal) IS 'parameters of operator classes for texts';
CREATE FUNCTION recsys.number_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_number_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.number_parameters(internal) IS 'parameters of operator classes for numbers';
CREATE FUNCTION recsys.time_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_time_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.time_parameters(internal) IS 'parameters of operator classes for times';

/*
 * Operator classes.  The family says how values compare, and is known to the library by
 * name.  There are no operators: such an index is never searched by conditions.
 */
CREATE OPERATOR FAMILY label_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY label_ops USING recsys_items IS 'equal values are alike';
CREATE OPERATOR FAMILY labels_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY labels_ops USING recsys_items IS 'arrays are as alike as the labels that they share, rare ones counting more';
CREATE OPERATOR FAMILY text_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY text_ops USING recsys_items IS 'texts are as alike as the words that they share, rare ones counting more (BM25)';
CREATE OPERATOR FAMILY number_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY number_ops USING recsys_items IS 'numbers are alike that are near to each other, by their logarithms unless linear';
CREATE OPERATOR FAMILY time_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY time_ops USING recsys_items IS 'times are alike that are near to each other';
CREATE OPERATOR FAMILY vector_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY vector_ops USING recsys_items IS 'vectors are as alike as the cosine between them';
CREATE OPERATOR FAMILY any_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY any_ops USING recsys_items IS 'as the type says';

CREATE OPERATOR CLASS int2_ops DEFAULT FOR TYPE smallint USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int2_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS int4_ops DEFAULT FOR TYPE integer USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int4_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS int8_ops DEFAULT FOR TYPE bigint USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int8_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS uuid_ops DEFAULT FOR TYPE uuid USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS uuid_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS bool_ops DEFAULT FOR TYPE boolean USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS bool_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS bpchar_ops DEFAULT FOR TYPE bpchar USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS bpchar_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS name_ops DEFAULT FOR TYPE name USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS name_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS text_label_ops FOR TYPE text USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS text_label_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS numeric_label_ops FOR TYPE numeric USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS numeric_label_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS int2_array_ops DEFAULT FOR TYPE smallint[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int2_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS int4_array_ops DEFAULT FOR TYPE integer[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int4_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS int8_array_ops DEFAULT FOR TYPE bigint[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int8_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS uuid_array_ops DEFAULT FOR TYPE uuid[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS uuid_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS text_array_ops DEFAULT FOR TYPE text[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS text_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS varchar_array_ops DEFAULT FOR TYPE varchar[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS varchar_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS text_ops DEFAULT FOR TYPE text USING recsys_items FAMILY text_ops AS
	FUNCTION 1 recsys.text_parameters(internal);
COMMENT ON OPERATOR CLASS text_ops USING recsys_items IS 'text: alike by the words that both have';
CREATE OPERATOR CLASS tsvector_ops DEFAULT FOR TYPE tsvector USING recsys_items FAMILY text_ops AS
	FUNCTION 1 recsys.text_parameters(internal);
COMMENT ON OPERATOR CLASS tsvector_ops USING recsys_items IS 'text: alike by the words that both have';
CREATE OPERATOR CLASS float4_ops DEFAULT FOR TYPE real USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS float4_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS float8_ops DEFAULT FOR TYPE double precision USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS float8_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS numeric_ops DEFAULT FOR TYPE numeric USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS numeric_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS int2_number_ops FOR TYPE smallint USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS int2_number_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS int4_number_ops FOR TYPE integer USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS int4_number_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS int8_number_ops FOR TYPE bigint USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS int8_number_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS date_ops DEFAULT FOR TYPE date USING recsys_items FAMILY time_ops AS
	FUNCTION 1 recsys.time_parameters(internal);
COMMENT ON OPERATOR CLASS date_ops USING recsys_items IS 'time: alike if near';
CREATE OPERATOR CLASS timestamp_ops DEFAULT FOR TYPE timestamp USING recsys_items FAMILY time_ops AS
	FUNCTION 1 recsys.time_parameters(internal);
COMMENT ON OPERATOR CLASS timestamp_ops USING recsys_items IS 'time: alike if near';
CREATE OPERATOR CLASS timestamptz_ops DEFAULT FOR TYPE timestamptz USING recsys_items FAMILY time_ops AS
	FUNCTION 1 recsys.time_parameters(internal);
COMMENT ON OPERATOR CLASS timestamptz_ops USING recsys_items IS 'time: alike if near';
CREATE OPERATOR CLASS float4_array_ops DEFAULT FOR TYPE real[] USING recsys_items FAMILY vector_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS float4_array_ops USING recsys_items IS 'vector: alike by the cosine';
CREATE OPERATOR CLASS float8_array_ops DEFAULT FOR TYPE double precision[] USING recsys_items FAMILY vector_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS float8_array_ops USING recsys_items IS 'vector: alike by the cosine';
CREATE OPERATOR CLASS any_ops DEFAULT FOR TYPE anyelement USING recsys_items FAMILY any_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS any_ops USING recsys_items IS 'enums, arrays of keys, and any type with a cast to real[], such as vector and halfvec; an index over any other type is refused';
