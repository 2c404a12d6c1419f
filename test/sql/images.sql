-- recsys.image_descriptor: pictures of all formats as unit vectors, and files that are none

\set SHOW_CONTEXT never

CREATE TABLE pictures (name text PRIMARY KEY, image bytea);
INSERT INTO pictures VALUES
	('png', '\x89504e470d0a1a0a0000000d49484452000000100000001408020000000b002a200000003d4944415478da637cfdfa35032980898144407b0d2cc89ccbb6815815e91e5e4f251b2020ec5b0a9cbd8a6bcec07a1a97330679c40d070d8c832f030100bc8d0cffe15215860000000049454e44ae426082'),
	('webp', '\x5249464648000000574542505650384c3b0000002f0fc004001720164cfee9e44f94904020e1497db525040289bf431a532d31fff14f0414b46de41ccee33783f3c63f8388fe4f80dca153dbc0af3500'),
	('jpeg', '\xffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffdb00430103040405040509050509140d0b0d1414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414ffc00011080014001003011100021101031101ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b5100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffc4001f0100030101010101010101010000000000000102030405060708090a0bffc400b51100020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9faffda000c03010002110311003f00facff695fda560fd9ced743b9b9d0ffb621d4bcfdcdf6b30793e59880e046e5b265f6c63df8d28d1c462f110c2e161cd395ecae96caef57a6c7d16599661f1987af8bc5d7f650a5cb77cae5f1369689df7b747b87ecd5fb4ac1fb465aeb9736da1ff0063c3a6f91b5bed667f3bcc3283c18d0ae0c5ef9cfb7256a388c2622785c5439671b5d5d3dd5d6ab4d8333cb30f83c3d0c5e12bfb5855e6b3e571f85a4f46efbdfa2d8f20ff008289dbc5751780a29a349a26fb7e52450c0ffc7b1e86bceaf5eae1aa42ad09b8c95ecd369ae9bad763ee38130f47154f1746bc14e2f92e9a4d3f89ea9e9bea1ff04ecb78ad62f1ec50c690c4bf60c246a140ff008f93d05142bd5c4d49d5af37293b5db6db7d377aec1c7787a385a784a3420a115cf6492497c2f44b4df53eb1f117833c3fe2ff00b3ff006ee85a66b5f67dde4ff68d9c771e56ec6edbbc1c676ae71d703d2baa508cbe2573f31c3e371584bfd5aaca17df95b57b6d7b30f0ef833c3fe10fb47f61685a668bf68dbe77f6759c76fe6edcedddb00ce373633d327d688c231f85583118dc562edf59ab29db6e66ddafbdaecfffd9'),
	('gray', '\x89504e470d0a1a0a0000000d4948445200000010000000140800000000a109e2ab000000304944415478da637ccd800a981848166061606060c88172a6e054c1c0709981814197144361cac97418350418490f200092b704303aeed6ca0000000049454e44ae426082'),
	('other', '\x89504e470d0a1a0a0000000d49484452000000100000001408020000000b002a200000002d4944415478da637cfdfa3503298089814430aa81261a581818188c570712a9fa6ce87ada3b8971342d0d0a0d00015b08ab0e3f1bfa0000000049454e44ae426082'),
	('declares four billion pixels', '\x89504e470d0a1a0a0000000d494844520000ffff0000ffff0806000000b605d9500000000049444154');
INSERT INTO pictures SELECT 'cut short', substr(image, 1, length(image) - 30) FROM pictures WHERE name = 'png';
INSERT INTO pictures SELECT 'changed', overlay(image PLACING '\xffffffff' FROM length(image) - 30) FROM pictures WHERE name = 'png';
INSERT INTO pictures VALUES ('text', 'a photo of a dress'), ('empty', ''), ('unknown', NULL);

CREATE FUNCTION inner_product(a real[], b real[]) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN (SELECT sum(x::double precision * y) FROM unnest(a, b) u(x, y));

-- one length, a unit vector, nothing that is no number
SELECT name, array_ndims(d), array_lower(d, 1), array_length(d, 1), round(inner_product(d, d)::numeric, 5) AS square,
	array_position(d, NULL) AS null_at, array_position(d, 'NaN') AS nan_at
FROM pictures, recsys.image_descriptor(image) d
WHERE name IN ('png', 'webp', 'jpeg', 'gray', 'other') ORDER BY name COLLATE "C";

-- the same picture, however it is stored; nearly so, where that loses something; and another one
SELECT name, recsys.image_descriptor(image) = (SELECT recsys.image_descriptor(image) FROM pictures WHERE name = 'png') AS same,
	CASE WHEN likeness > 0.98 THEN 'alike' WHEN likeness > 0.85 THEN 'much alike' ELSE 'another one' END AS likeness
FROM pictures, LATERAL (SELECT inner_product(recsys.image_descriptor(pictures.image), recsys.image_descriptor(p.image)) AS likeness
	FROM pictures p WHERE p.name = 'png') l
WHERE name IN ('png', 'webp', 'jpeg', 'gray', 'other') ORDER BY name COLLATE "C";

-- what is no picture
SELECT recsys.image_descriptor(NULL) IS NULL AS nothing;
SELECT recsys.image_descriptor(image) FROM pictures WHERE name = 'declares four billion pixels';
\echo :LAST_ERROR_SQLSTATE
SELECT recsys.image_descriptor(image) FROM pictures WHERE name = 'cut short';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT recsys.image_descriptor(image) IS NULL FROM pictures WHERE name = 'changed';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT recsys.image_descriptor(image) FROM pictures WHERE name = 'text';
\echo :LAST_ERROR_SQLSTATE
SELECT recsys.image_descriptor(image) FROM pictures WHERE name = 'empty';
SELECT recsys.image_descriptor(('\xffd8ff' || repeat('00', 33 * 1024 * 1024))::bytea);

-- NULL instead, so that an index over photos takes any row
SELECT name, recsys.try_image_descriptor(image) IS NOT NULL AS described FROM pictures ORDER BY name COLLATE "C";
SELECT recsys.try_image_descriptor(('\xffd8ff' || repeat('00', 33 * 1024 * 1024))::bytea) IS NULL AS too_long;
SELECT count(*) FROM pictures WHERE recsys.try_image_descriptor(image) = recsys.image_descriptor(image)
	AND name IN ('png', 'webp', 'jpeg', 'gray', 'other');

-- it may stand in an index, and in a generated column
CREATE INDEX ON pictures (cardinality(recsys.try_image_descriptor(image)));
CREATE TABLE photos (image bytea, descriptor real[] GENERATED ALWAYS AS (recsys.image_descriptor(image)) STORED);
INSERT INTO photos SELECT image FROM pictures WHERE name = 'webp';
SELECT cardinality(descriptor) = cardinality(recsys.image_descriptor(image)) AS generated FROM photos;
SELECT proname, provolatile, proisstrict, proparallel FROM pg_proc WHERE proname LIKE '%image_descriptor' ORDER BY 1;

DROP TABLE pictures, photos;
DROP FUNCTION inner_product;
