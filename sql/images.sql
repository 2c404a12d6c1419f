/*
 * Images
 */
CREATE FUNCTION recsys.image_descriptor(image bytea)
RETURNS real[]
	AS 'MODULE_PATHNAME', 'recsys_image_descriptor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500000;
COMMENT ON FUNCTION recsys.image_descriptor(bytea) IS 'what a JPEG, PNG or WebP image looks like, as a unit vector of shape and color: the inner product of two is how alike they look';

CREATE FUNCTION recsys.try_image_descriptor(image bytea)
RETURNS real[]
	AS 'MODULE_PATHNAME', 'recsys_try_image_descriptor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500000;
COMMENT ON FUNCTION recsys.try_image_descriptor(bytea) IS 'the same, and NULL for an image that is damaged, too large or of another format';

