/*
 * A picture of each product of the generated marketplace: table photos.  Included by live.sql.
 *
 * PNG files of 96 x 96 pixels in four colors, some 400 bytes each, made by plain SQL.  What is seen
 * is the thing, as the title has it; its colors are those of the style and the brand.  Offers of
 * one product have the same picture.
 *
 * A drawing is a list of shapes, each over those before it, on a square of 96:
 *
 *     o color x y a b             an ellipse: center, half its width and height
 *     b color x y width height    a box
 *     l color x1 y1 x2 y2 width   a line
 *     p color x1 y1 x2 y2 x3 y3 … a polygon that is convex
 *
 * Colors: 0 the background, 1 the thing, 2 what is dark, 3 what is light.
 */
BEGIN;

CREATE TEMP TABLE drawings (thing text PRIMARY KEY, shapes text NOT NULL) ON COMMIT DROP;
INSERT INTO drawings VALUES
	('pan', 'l 2 52 56 92 48 6; o 1 36 58 28 13; o 3 36 55 23 8'),
	('bread knife', 'p 2 6 62 34 53 36 63 9 73; p 1 34 52 90 32 84 46 36 64; l 3 38 61 82 45 2'),
	('kettle', 'o 2 48 32 22 22; o 0 48 34 16 17; p 1 72 46 90 38 92 46 70 66; p 1 30 36 66 36 78 80 18 80; b 2 16 78 64 6; o 2 48 35 7 5; p 3 33 44 38 44 34 72 27 72'),
	('salad bowl', 'o 3 36 44 15 13; o 2 58 43 13 13; o 3 48 38 11 11; p 1 12 48 84 48 68 80 28 80; b 2 30 80 36 4'),
	('grater', 'o 2 48 20 13 12; o 0 48 20 8 7; p 1 34 24 62 24 72 86 24 86; o 2 41 38 3 3; o 2 54 38 3 3; o 2 38 50 3 3; o 2 48 50 3 3; o 2 58 50 3 3; o 2 36 62 3 3; o 2 48 62 3 3; o 2 60 62 3 3; b 3 27 74 42 4'),
	('espresso beans', 'o 1 32 56 17 24; l 2 30 34 35 78 3; o 1 64 46 17 24; l 2 62 24 67 68 3; o 3 26 46 3 7; o 3 58 36 3 7'),
	('filter coffee', 'p 1 22 14 74 14 54 44 42 44; b 3 22 14 52 4; b 2 38 44 20 5; p 3 34 52 62 52 72 86 24 86; p 2 30 66 66 66 72 86 24 86'),
	('green tea', 'o 2 76 54 13 13; o 0 76 54 8 8; p 1 16 40 80 40 68 80 28 80; o 2 48 40 32 8; o 3 48 40 27 6; l 2 40 28 44 12 3; l 2 54 28 58 12 3; o 2 48 84 34 4'),
	('cocoa', 'o 2 72 56 15 16; o 0 72 56 9 10; b 1 22 34 50 50; o 2 47 34 25 7; o 3 38 32 7 5; o 3 52 34 7 5; b 3 22 56 50 6'),
	('black tea', 'l 2 48 40 60 6 2; p 1 30 38 66 38 70 86 26 86; p 2 30 38 40 26 56 26 66 38; b 3 38 52 20 20; o 1 48 62 5 7'),
	('spade', 'l 2 48 10 48 58 6; b 2 36 6 24 7; p 1 32 52 64 52 62 76 48 92 34 76; l 3 42 58 42 76 3'),
	('planter', 'o 2 48 26 9 18; o 3 32 36 16 8; o 3 64 36 16 8; o 2 40 40 8 6; p 1 24 50 72 50 64 88 32 88; b 2 20 46 56 9; p 3 30 58 35 58 39 86 35 86'),
	('watering can', 'o 2 36 44 20 24; o 0 36 44 14 18; b 1 20 46 40 38; p 1 58 64 80 34 86 40 60 80; p 2 74 26 92 40 86 46 72 34; b 3 20 54 40 5'),
	('bird house', 'b 2 44 82 8 14; p 1 28 40 68 40 68 82 28 82; p 2 16 46 48 14 80 46; p 1 28 44 48 26 68 44; o 2 48 56 9 9; l 3 48 70 48 78 4'),
	('deck chair', 'l 2 26 86 72 20 5; l 2 80 86 32 44 5; p 1 60 14 76 22 50 66 36 58; p 3 36 58 50 66 84 74 80 82; l 3 54 28 66 36 3; l 3 47 40 59 48 3'),
	('puzzle', 'b 1 20 34 46 46; o 1 43 30 10 10; o 1 72 57 10 10; o 0 22 57 9 9; o 0 43 82 9 9; l 3 26 40 60 40 3'),
	('wooden train', 'b 1 14 44 50 26; b 2 56 22 26 48; b 3 62 30 14 14; b 2 22 30 10 14; o 3 27 24 8 4; o 2 26 74 10 10; o 2 48 74 10 10; o 2 72 74 10 10; o 3 26 74 3 3; o 3 48 74 3 3; o 3 72 74 3 3'),
	('kite', 'l 2 48 72 66 94 2; p 1 48 6 78 38 48 74 18 38; p 3 48 6 78 38 48 38; p 2 48 38 48 74 18 38; o 3 54 80 5 3; o 3 62 89 5 3'),
	('board game', 'b 2 12 26 72 56; b 1 16 30 64 48; b 3 16 30 16 12; b 3 48 30 16 12; b 3 32 42 16 12; b 3 64 42 16 12; b 3 16 54 16 12; b 3 48 54 16 12; b 3 32 66 16 12; b 3 64 66 16 12; o 2 40 36 5 5; o 2 56 60 5 5'),
	('doll', 'o 2 48 22 17 16; o 3 48 28 13 13; o 2 43 28 2 2; o 2 53 28 2 2; l 1 38 46 22 62 6; l 1 58 46 74 62 6; p 1 38 42 58 42 72 78 24 78; l 3 42 78 42 90 5; l 3 54 78 54 90 5; b 3 38 56 20 4'),
	('yoga mat', 'p 1 18 32 74 32 74 68 18 68; o 1 18 50 9 18; o 2 74 50 12 18; o 1 74 50 8 12; o 3 74 50 4 6; b 3 28 32 5 36; b 3 54 32 5 36'),
	('running belt', 'o 1 48 46 40 20; o 0 48 42 33 13; b 2 32 50 32 20; l 3 36 56 60 56 3; o 3 78 54 5 5'),
	('water bottle', 'b 2 40 6 16 13; p 1 38 20 58 20 66 34 30 34; b 1 30 34 36 56; b 3 30 50 36 18; b 2 30 80 36 3'),
	('skipping rope', 'o 2 48 48 34 42; o 0 48 44 30 40; b 0 12 0 72 20; l 1 16 18 16 48 9; l 1 80 18 80 48 9; b 3 12 36 9 4; b 3 76 36 9 4'),
	('helmet', 'o 1 48 58 38 40; b 0 8 62 80 38; b 2 8 58 80 8; l 3 34 28 28 54 5; l 3 48 24 48 54 5; l 3 62 28 68 54 5; l 2 24 66 46 86 3; l 2 72 66 46 86 3'),
	('headphones', 'o 2 48 48 35 38; o 0 48 52 29 33; b 0 10 62 76 30; p 1 10 50 27 46 27 82 10 78; p 1 69 46 86 50 86 78 69 82; b 3 25 48 4 32; b 3 67 48 4 32'),
	('speaker', 'b 1 26 10 44 76; o 2 48 60 17 17; o 3 48 60 7 7; o 2 48 28 9 9; o 3 48 28 3 3; b 2 30 86 8 4; b 2 58 86 8 4'),
	('turntable', 'b 2 10 72 76 8; b 1 10 28 76 46; o 2 42 51 22 20; o 3 42 51 7 6; o 1 42 51 2 2; l 3 78 34 62 62 3; o 3 78 34 4 4'),
	('radio', 'l 2 66 34 86 8 3; b 1 12 32 72 48; o 2 33 56 16 16; o 3 33 56 7 7; b 3 56 40 22 11; o 2 62 66 5 5; o 2 75 66 5 5'),
	('earbuds', 'l 2 30 40 30 78 8; l 2 66 40 66 78 8; o 1 30 34 16 16; o 1 66 34 16 16; o 3 26 34 6 7; o 3 70 34 6 7'),
	('desk lamp', 'p 3 50 48 82 38 92 78 40 78; b 2 18 78 40 8; l 2 38 80 28 48 4; l 2 28 48 56 26 4; p 1 46 18 64 12 84 38 50 50'),
	('floor lamp', 'l 2 48 30 48 88 4; o 2 48 88 20 5; p 1 36 8 60 8 72 40 24 40; p 3 40 12 44 12 38 36 32 36'),
	('string lights', 'l 2 2 20 34 38 2; l 2 34 38 62 38 2; l 2 62 38 94 20 2; o 1 16 40 8 11; o 3 36 52 8 11; o 1 60 52 8 11; o 3 80 40 8 11; b 2 13 27 6 5; b 2 33 38 6 5; b 2 57 38 6 5; b 2 77 27 6 5'),
	('candle holder', 'o 3 48 16 5 11; b 3 41 28 14 28; b 1 28 54 40 8; l 2 48 60 48 82 9; o 1 48 66 9 5; o 2 48 84 24 7'),
	('pendant', 'l 2 48 0 48 30 3; p 3 22 62 74 62 88 92 8 92; p 1 40 26 56 26 78 62 18 62; o 2 48 62 12 6'),
	('hand cream', 'b 2 30 8 36 5; p 1 30 12 66 12 58 72 38 72; b 2 38 72 20 14; b 3 39 28 18 22; o 1 48 39 5 5'),
	('soap', 'o 2 48 64 38 18; o 1 48 58 36 18; o 3 48 54 27 11; o 1 48 54 15 5; o 3 74 26 9 9; o 3 58 16 5 5; o 3 84 40 4 4'),
	('shampoo bar', 'p 2 18 76 80 76 80 82 18 82; b 1 18 40 62 36; b 3 26 48 46 20; b 2 36 56 26 3; o 3 76 26 8 8; o 3 62 18 5 5'),
	('face oil', 'o 2 48 12 8 10; b 2 42 20 12 14; p 1 32 44 44 34 52 34 64 44 64 88 32 88; b 3 32 56 32 18; o 1 48 65 4 6'),
	('bath salt', 'b 2 28 12 40 13; p 1 24 26 72 26 74 86 22 86; b 3 23 52 50 30; o 1 36 62 4 4; o 1 52 58 4 4; o 1 62 70 4 4; o 1 44 74 4 4; b 2 34 34 28 12'),
	('dog treats', 'l 1 28 62 68 34 15; o 1 22 56 11 11; o 1 32 72 11 11; o 1 64 24 11 11; o 1 75 39 11 11; l 3 34 57 62 37 3'),
	('cat litter', 'p 2 30 10 66 10 70 20 26 20; p 1 26 20 70 20 78 88 18 88; o 3 48 58 15 13; p 3 34 54 36 36 46 48; p 3 62 54 60 36 50 48; o 2 42 56 2 3; o 2 54 56 2 3'),
	('bird seed', 'b 2 28 10 40 9; p 1 28 18 68 18 76 88 20 88; o 3 44 58 16 12; o 3 60 46 8 8; p 2 66 43 76 46 66 50; p 3 18 52 32 54 30 62; o 2 61 45 2 2'),
	('dog lead', 'o 2 36 32 24 24; o 0 36 32 18 18; l 1 50 50 72 82 6; o 2 74 84 8 8; o 0 74 84 4 4; b 3 46 46 10 8'),
	('scratching post', 'b 2 16 80 64 8; b 1 38 24 20 56; o 3 48 20 26 9; l 2 38 36 58 36 2; l 2 38 46 58 46 2; l 2 38 56 58 56 2; l 2 38 66 58 66 2'),
	('backpack', 'o 2 48 16 12 11; o 0 48 16 7 6; p 1 30 20 66 20 76 86 20 86; b 2 30 54 36 26; b 3 30 54 36 4; l 3 36 34 60 34 4'),
	('tote bag', 'o 2 48 36 19 28; o 0 48 36 14 23; p 1 20 38 76 38 82 88 14 88; b 3 34 54 28 20; o 1 48 64 7 7'),
	('purse', 'o 2 48 38 27 26; o 0 48 38 22 21; p 1 16 44 80 44 88 84 8 84; p 2 16 44 80 44 66 64 30 64; o 3 48 64 5 5'),
	('suitcase', 'b 2 34 10 28 22; b 0 39 15 18 16; b 1 18 28 60 56; b 2 30 28 4 56; b 2 62 28 4 56; o 2 28 88 5 5; o 2 68 88 5 5; b 3 40 50 16 10'),
	('pencil case', 'o 1 16 54 9 18; o 1 80 54 9 18; b 1 16 36 64 36; l 2 10 46 86 46 3; b 3 74 44 14 5; l 3 22 62 60 62 3'),
	('notebook', 'b 2 22 10 52 76; b 1 30 10 44 76; b 3 38 24 28 16; o 3 24 20 4 3; o 3 24 34 4 3; o 3 24 48 4 3; o 3 24 62 4 3; o 3 24 76 4 3'),
	('fountain pen', 'l 1 24 26 62 66 14; l 2 14 16 34 37 16; p 3 70 60 56 72 82 86; l 2 66 68 76 80 2; l 3 22 18 40 36 3'),
	('calendar', 'b 1 16 20 64 64; b 2 16 20 64 16; b 3 24 44 10 9; b 3 43 44 10 9; b 3 62 44 10 9; b 3 24 62 10 9; b 2 43 62 10 9; b 3 62 62 10 9; b 3 30 12 5 14; b 3 61 12 5 14'),
	('wrapping paper', 'b 1 22 38 52 48; b 3 43 38 10 48; b 2 18 32 60 11; b 3 43 32 10 11; o 3 37 23 11 8; o 3 59 23 11 8; o 0 37 23 5 4; o 0 59 23 5 4'),
	('sketch pad', 'b 1 18 16 60 70; b 3 24 28 48 52; p 2 30 72 44 46 58 72; p 1 48 72 58 54 66 72; o 2 60 40 5 5; o 2 28 16 3 5; o 2 41 16 3 5; o 2 54 16 3 5; o 2 67 16 3 5'),
	('cushion', 'p 1 18 20 78 20 84 80 12 80; o 1 15 50 7 28; o 1 81 50 7 28; p 3 48 28 68 50 48 72 28 50; o 2 48 50 7 7'),
	('throw', 'p 1 14 24 76 16 84 66 20 76; l 3 16 36 78 28 5; l 3 19 56 82 47 5; l 2 26 74 27 86 2; l 2 38 72 39 84 2; l 2 50 70 51 82 2; l 2 62 68 63 80 2; l 2 74 66 75 78 2'),
	('bath towel', 'l 2 10 16 86 16 5; b 1 24 16 48 66; b 3 24 58 48 8; b 2 24 70 48 3; b 2 62 16 3 42'),
	('table cloth', 'b 2 24 70 5 20; b 2 67 70 5 20; p 1 8 42 88 42 82 76 14 76; o 3 48 42 40 13; o 1 48 42 30 9; o 3 48 42 10 3; b 2 14 70 68 3'),
	('rug', 'p 2 2 80 94 80 94 84 2 84; p 1 16 32 80 32 94 80 2 80; p 3 24 40 72 40 80 70 16 70; p 1 30 46 66 46 71 64 25 64; o 2 48 55 14 6'),
	('', 'p 3 18 36 30 20 66 20 78 36; b 1 18 36 60 48; b 2 43 36 10 48; b 3 24 70 14 8');

CREATE TEMP TABLE palettes (style text PRIMARY KEY, background text, dark text, light text, mains text[]) ON COMMIT DROP;
INSERT INTO palettes VALUES
	('rustic', 'f4ecdf', '5a3d28', 'e0bd8c', '{a4683c,8a7a3f,b5533c,6f7f5c,94574a,7c6a58}'),
	('modern', 'eef2f5', '2b3a4a', 'c3d3e0', '{4f7a9e,6b7f8e,3f8f8a,8a86a8,5e6f7c,a3727c}'),
	('playful', 'fff5d8', '39499f', 'ffd25f', '{f2665a,2fa58d,9a62c7,f08c2e,3b8fd6,e0569a}'),
	('luxury', '211d2b', '86662a', 'f4e6b4', '{c9a24b,b08d8d,a9a9b8,8c6fb0,6f9a8a,c27f5a}');

-- 96 rows of a drawing, each with two bits a pixel
CREATE FUNCTION pg_temp.draw_rows(shapes text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	rows text[] := array_fill(repeat('00', 96), ARRAY[96]);
	shape text;
	words text[];
	ink text;
	a double precision[];
	points double precision[];
	n integer;
	i integer;
	next integer;
	at double precision;
	x double precision;
	low double precision;
	high double precision;
	first integer;
	behind integer;
BEGIN
	FOREACH shape IN ARRAY string_to_array(shapes, ';') LOOP
		words := regexp_split_to_array(btrim(shape), ' +');
		ink := words[2]::integer::bit(2)::text;
		a := words[3:]::double precision[];
		IF words[1] = 'b' THEN
			points := ARRAY[a[1], a[2], a[1] + a[3], a[2], a[1] + a[3], a[2] + a[4], a[1], a[2] + a[4]];
		ELSIF words[1] = 'l' THEN
			-- half the width to either side
			x := a[5] / 2 / sqrt((a[3] - a[1]) ^ 2 + (a[4] - a[2]) ^ 2);
			points := ARRAY[a[1] - (a[4] - a[2]) * x, a[2] + (a[3] - a[1]) * x, a[3] - (a[4] - a[2]) * x, a[4] + (a[3] - a[1]) * x,
							a[3] + (a[4] - a[2]) * x, a[4] - (a[3] - a[1]) * x, a[1] + (a[4] - a[2]) * x, a[2] - (a[3] - a[1]) * x];
		ELSE
			points := a;
		END IF;
		n := cardinality(points) / 2;
		-- each is convex: a row has one piece of it, from low to high
		FOR y IN 0 .. 95 LOOP
			at := y + 0.5;
			low := 'Infinity';
			high := '-Infinity';
			IF words[1] = 'o' THEN
				x := 1 - ((at - a[2]) / a[4]) ^ 2;
				IF x > 0 THEN
					low := a[1] - a[3] * sqrt(x);
					high := a[1] + a[3] * sqrt(x);
				END IF;
			ELSE
				FOR i IN 1 .. n LOOP
					next := i % n + 1;
					IF (points[2 * i] > at) <> (points[2 * next] > at) THEN
						x := points[2 * i - 1] + (at - points[2 * i]) / (points[2 * next] - points[2 * i]) * (points[2 * next - 1] - points[2 * i - 1]);
						low := least(low, x);
						high := greatest(high, x);
					END IF;
				END LOOP;
			END IF;
			IF low < high THEN
				first := greatest(0, ceil(low - 0.5));
				behind := least(96, ceil(high - 0.5));
				IF behind > first THEN
					rows[y + 1] := overlay(rows[y + 1] PLACING repeat(ink, behind - first) FROM 2 * first + 1 FOR 2 * (behind - first));
				END IF;
			END IF;
		END LOOP;
	END LOOP;
	RETURN rows;
END $$;

-- Bytes of a text of bits, the first of which is the lowest (RFC 1951, 3.1.1)
CREATE FUNCTION pg_temp.pack_bits(bits text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT decode(string_agg(lpad(to_hex(reverse(rpad(substr(bits, 8 * i + 1, 8), 8, '0'))::bit(8)::integer), 2, '0'), '' ORDER BY i), 'hex')
	FROM generate_series(0, (length(bits) - 1) / 8) i $$;

/*
 * A zlib stream (RFC 1950) of one block with fixed codes (RFC 1951, 3.2.6).  What is the same as a
 * byte before, or a row before, is a reference to it; nothing else is looked for.
 */
CREATE FUNCTION pg_temp.zlib(data bytea, stride integer) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	bits text := '110';		-- the last block, fixed codes
	size integer := length(data);
	position integer := 0;
	distance integer;
	run integer;
	best integer;
	best_distance integer;
	extra integer;
	code integer;
	a bigint := 1;
	b bigint := 0;
BEGIN
	WHILE position < size LOOP
		best := 0;
		FOREACH distance IN ARRAY ARRAY[1, stride] LOOP
			run := 0;
			WHILE position >= distance AND run < 257 AND position + run < size AND
				get_byte(data, position + run - CASE WHEN position + run >= distance THEN distance ELSE 0 END) = get_byte(data, position + run) LOOP
				run := run + 1;
			END LOOP;
			IF run > best THEN
				best := run;
				best_distance := distance;
			END IF;
		END LOOP;
		IF best < 3 THEN
			code := get_byte(data, position);
			bits := bits || CASE WHEN code < 144 THEN (48 + code)::bit(8)::text ELSE (256 + code)::bit(9)::text END;
			position := position + 1;
		ELSE
			extra := CASE WHEN best < 11 THEN 0 ELSE floor(log(2, best - 3))::integer - 2 END;
			code := 257 + 4 * extra + ((best - 3) >> extra);
			bits := bits || CASE WHEN code < 280 THEN (code - 256)::bit(7)::text ELSE (192 + code - 280)::bit(8)::text END ||
				reverse(right(((best - 3) & ((1 << extra) - 1))::bit(8)::text, extra));
			-- of 1, and of 25 (to 32: three bits more)
			bits := bits || CASE best_distance WHEN 1 THEN '00000' ELSE '01001' || reverse((best_distance - 25)::bit(3)::text) END;
			position := position + best;
		END IF;
	END LOOP;
	FOR i IN 0 .. size - 1 LOOP
		a := (a + get_byte(data, i)) % 65521;
		b := (b + a) % 65521;
	END LOOP;
	RETURN '\x7801'::bytea || pg_temp.pack_bits(bits || '0000000') || decode(lpad(to_hex(b * 65536 + a), 8, '0'), 'hex');
END $$;

-- A piece of a PNG file: its length, name, data and CRC
CREATE FUNCTION pg_temp.png_chunk(name text, data bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	named bytea := convert_to(name, 'UTF8') || data;
	crc bigint := 4294967295;
BEGIN
	FOR i IN 0 .. length(named) - 1 LOOP
		crc := crc # get_byte(named, i);
		FOR bit IN 1 .. 8 LOOP
			crc := (crc >> 1) # (3988292384 * (crc & 1));
		END LOOP;
	END LOOP;
	RETURN decode(lpad(to_hex(length(data)), 8, '0'), 'hex') || named || decode(lpad(to_hex(crc # 4294967295), 8, '0'), 'hex');
END $$;

CREATE TEMP TABLE pixels ON COMMIT DROP AS
SELECT thing, pg_temp.png_chunk('IDAT', pg_temp.zlib((
	-- a row begins with the number of its filter: none
	SELECT decode(string_agg('00' || (SELECT string_agg(lpad(to_hex(substr(row, 8 * i + 1, 8)::bit(8)::integer), 2, '0'), '' ORDER BY i) FROM generate_series(0, 23) i), '' ORDER BY y), 'hex')
	FROM unnest(pg_temp.draw_rows(shapes)) WITH ORDINALITY r (row, y)), 25)) AS data
FROM drawings;
CREATE TEMP TABLE inks ON COMMIT DROP AS
SELECT style, place, pg_temp.png_chunk('PLTE', decode(background || main || dark || light, 'hex')) AS data
FROM palettes, unnest(mains) WITH ORDINALITY m (main, place);

CREATE TABLE photos (product_id bigint PRIMARY KEY REFERENCES products ON DELETE CASCADE, photo bytea NOT NULL);
COMMENT ON TABLE photos IS 'a picture of each product, as a PNG file';
INSERT INTO photos
SELECT o.product_id, '\x89504e470d0a1a0a'::bytea ||
	   pg_temp.png_chunk('IHDR', '\x00000060000000600203000000') || i.data || x.data || pg_temp.png_chunk('IEND', '')
FROM products o
-- titles are: brand, style, thing, number
JOIN (SELECT canonical_product_id, brand, split_part(theme, ', ', 2) AS style,
			 substr(regexp_replace(title, ' [0-9]+$', ''), length(brand || ' ' || split_part(theme, ', ', 2)) + 2) AS thing
	  FROM canonical_products) c USING (canonical_product_id)
JOIN pixels x ON x.thing = coalesce((SELECT d.thing FROM drawings d WHERE d.thing = c.thing), '')
JOIN inks i ON i.style = c.style AND i.place = 1 + ((hashtext(c.brand || ' ' || c.thing) % 6) + 6) % 6;
COMMIT;
