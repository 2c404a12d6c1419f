-- Labels of an enum stay the same labels when they are renamed
CREATE TYPE enums_size AS ENUM ('small', 'large');
CREATE TABLE enums (id bigint, size enums_size, sizes enums_size[]);
INSERT INTO enums SELECT i, s, ARRAY[s]
	FROM generate_series(1, 6) AS i, CAST((CASE WHEN i % 2 = 0 THEN 'small' ELSE 'large' END) AS enums_size) AS s;
CREATE INDEX enums_recsys ON enums USING recsys_items (id, size, sizes);
ALTER TYPE enums_size RENAME VALUE 'small' TO 'little';
ALTER TYPE enums_size ADD VALUE 'tiny' BEFORE 'little';
SELECT recsys.check_index('enums_recsys');
INSERT INTO enums VALUES (7, 'little', '{little}');
SELECT item_id FROM similar_items(7, 10, 'enums_recsys') ORDER BY item_id;
SELECT recsys.merge('enums_recsys');
SELECT recsys.check_index('enums_recsys');
SELECT item_id FROM similar_items(7, 10, 'enums_recsys') ORDER BY item_id;
SELECT item_id FROM items_like('{"size": "little"}', 10, 'enums_recsys') ORDER BY item_id;
DROP TABLE enums;
DROP TYPE enums_size;
