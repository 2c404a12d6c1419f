# Duplicates and fakes in a generated marketplace.  It is known which offers are of one thing
# and which are fakes, so precision and recall are too; they are printed, and bounded.
#
# Of 1,800 things 300 are variants of another one: in another size, colour, number of pieces, or
# a model's pro; most have its picture.  450 things have one to four more offers: titles in
# capitals, in another order, with words left out or added; the picture copied, or one of the
# seller's own, or none; other prices.  60 fakes of new sellers have pictures of well-known
# things, half of them the titles too, at 30 to 60 % of the price.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('fakes', 'shared_buffers = 64MB', 'work_mem = 64MB');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sql(q(
	-- a number from 0 to 1, and one that is normally distributed, by what it is for and whose it is
	CREATE FUNCTION draw(what integer, a bigint, b bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
		AS 'SELECT (hashint8extended(a, hashint8extended(b, what)) & 4503599627370495) / 4503599627370496.0::double precision';
	CREATE FUNCTION bell(what integer, a bigint, b bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
		AS 'SELECT sqrt(-2 * ln(1 - draw(what, a, b))) * cos(2 * pi() * draw(what + 1, a, b))';
	CREATE FUNCTION pick(words text[], what integer, a bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
		AS 'SELECT words[1 + floor(cardinality(words) * draw(what, a, 0))::integer]';

	-- things, the most popular first; n and n + 1500 are variants
	CREATE TABLE things AS
	SELECT n, pick('{Alder,Brisk,Corvo,Dunmore,Elva,Fjord,Garrick,Holt,Ivory,Juno,Kestrel,Lumen,Merle,Nordby,Orla,Pike,Quill,Rowan,Saba,Tarn}', 10, n) AS brand,
		   pick('{rustic,modern,playful,classic,folding,light,sturdy,soft,elegant,handmade,compact,outdoor}', 11, n) AS adjective,
		   pick('{oak,steel,linen,cotton,bamboo,ceramic,glass,leather,felt,copper}', 12, n) AS material,
		   pick('{pan,kettle,bowl,grater,spade,planter,bench,puzzle,kite,doll,mat,bottle,helmet,headphones,speaker,radio,lamp,candle,soap,leash,backpack,purse,suitcase,notebook,calendar,cushion,throw,towel,rug,clock}', 13, n) AS noun,
		   CASE WHEN draw(14, n, 0) < 0.5 THEN chr(65 + floor(26 * draw(15, n, 0))::integer) || floor(100 + 900 * draw(16, n, 0))::text ELSE '' END AS code,
		   exp(3 + 0.8 * bell(17, n, 0)) AS price
	FROM generate_series(1, 1500) n;
	CREATE TABLE named AS
	SELECT n AS thing, n AS picture, noun, brand, price, concat_ws(' ', brand, adjective, material, noun, nullif(code, ''),
		   (CASE WHEN n % 5 = 0 THEN '{black,"30 cm","set of 2",""}'::text[] ELSE '{""}' END)[CASE WHEN n % 5 = 0 THEN 1 + n / 5 % 4 ELSE 1 END]) AS title FROM things
	UNION ALL
	SELECT n + 1500, CASE WHEN draw(20, n, 0) < 0.7 THEN n ELSE n + 1500 END, noun, brand, price * 1.4, concat_ws(' ', brand, adjective, material, noun, nullif(code, ''),
		   ('{white,"45 cm","set of 4",pro}'::text[])[1 + n / 5 % 4]) FROM things WHERE n % 5 = 0;

	-- a picture: what all have in common, what things of a kind have, and its own
	CREATE FUNCTION photo(thing bigint, noun text, own double precision, offer bigint, noise double precision) RETURNS real[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
		AS 'SELECT array_agg((1.2 * bell(30, 0, d) + 0.6 * bell(32, hashtext(noun), d) + own * bell(34, thing, d) + noise * bell(36, offer, d))::real ORDER BY d) FROM generate_series(1, 32) d';

	CREATE TABLE products (product_id bigint PRIMARY KEY, thing bigint, fake boolean, seller_id integer, brand text, title text, price numeric(10, 2), photo real[]);
	-- the first offer of each
	INSERT INTO products SELECT 1000 + thing, thing, false, 1 + floor(60 * draw(40, thing, 0))::integer, brand, title, price, photo(picture, noun, 1, thing, 0.03) FROM named;
	-- and more of them
	INSERT INTO products
	SELECT 10000 + 10 * thing + o, thing, false, 1 + (seller_id + o * 7) % 60, CASE WHEN draw(47, thing, o) < 0.8 THEN n.brand END,
		   concat_ws(' ', CASE WHEN draw(41, thing, o) < 0.3 THEN (ARRAY['NEW', 'Original', 'Top quality'])[o % 3 + 1] END,
			   CASE floor(4 * draw(42, thing, o)) WHEN 0 THEN upper(n.title) WHEN 1 THEN substr(n.title, strpos(n.title, ' ') + 1) || ' by ' || n.brand
				   WHEN 2 THEN regexp_replace(n.title, '^(\S+) \S+ ', '\1 ') ELSE n.title END,
			   CASE WHEN draw(43, thing, o) < 0.5 THEN (ARRAY['- free shipping', 'best price!', '24h delivery', '2026'])[1 + (thing + o) % 4] END),
		   n.price * exp(0.08 * bell(44, thing, o)),
		   CASE WHEN draw(46, thing, o) < 0.1 THEN NULL WHEN draw(46, thing, o) < 0.2 THEN photo(picture, noun, 0.7, 100 * thing + o, 0.7)
			   ELSE photo(picture, noun, 1, 100 * thing + o, 0.1 + 0.1 * draw(48, thing, o)) END
	FROM named n JOIN products p USING (thing), generate_series(1, 4) o WHERE thing % 4 = 1 AND o <= 1 + thing / 4 % 4;
	CREATE TABLE offers AS SELECT * FROM products;
	INSERT INTO products
	SELECT 90000 + thing, thing, true, 90 + thing % 10, CASE WHEN draw(50, thing, 0) < 0.5 THEN brand END,
		   CASE WHEN draw(51, thing, 0) < 0.5 THEN title || ' sale' ELSE 'luxury ' || noun || ' bargain ' || thing END,
		   price * (0.3 + 0.3 * draw(52, thing, 0)), photo(picture, noun, 1, 900000 + thing, 0.15)
	FROM named WHERE thing <= 180 AND thing % 3 = 0;

	CREATE INDEX ON offers (thing);
	ANALYZE offers;
	CREATE TABLE purchases AS
	SELECT customer, (SELECT product_id FROM offers WHERE thing = least(1500, floor(1501 ^ draw(60, customer, act)))::bigint
			ORDER BY draw(61, customer, product_id) * CASE WHEN product_id < 10000 THEN 0.2 ELSE 1 END LIMIT 1) AS product_id
	FROM generate_series(1, 4000) customer, generate_series(1, 6) act;
	CREATE TABLE sellers AS SELECT s AS seller_id, now() - CASE WHEN s >= 90 THEN interval '9 days' ELSE interval '900 days' END AS joined_at FROM generate_series(1, 99) s;
	CREATE INDEX purchases_recsys ON purchases USING recsys (customer, product_id) WITH (similarity = cosine);
	CREATE INDEX products_recsys ON products USING recsys_items (product_id, brand text_label_ops, title, price, photo);
	VACUUM ANALYZE));

my ($offers, $duplicates) = split /\|/, sql('SELECT count(*), count(*) - count(DISTINCT thing) FROM products WHERE NOT fake');
note("$offers honest offers, $duplicates of them of a thing that another one is of; "
	. sql('SELECT count(*) FROM products WHERE fake') . ' fakes');

sql(q(CREATE TABLE found AS SELECT item_id::bigint AS item_id, duplicate_of::bigint AS duplicate_of, score, evidence
	  FROM recsys.duplicate_items('products_recsys', events => 'purchases_recsys')));
my ($rows, $right, $with_fakes) = split /\|/, sql(q(
	SELECT count(*) FILTER (WHERE NOT a.fake AND NOT b.fake), count(*) FILTER (WHERE NOT a.fake AND NOT b.fake AND a.thing = b.thing), count(*) FILTER (WHERE a.fake OR b.fake)
	FROM found JOIN products a ON a.product_id = item_id JOIN products b ON b.product_id = duplicate_of));
note(sprintf('duplicates: %d found, precision %.3f, recall %.3f (fakes among them: %d)', $rows, $right / $rows, $right / $duplicates, $with_fakes));
cmp_ok($right / $rows, '>=', 0.99, 'precision of duplicates');
cmp_ok($right / $duplicates, '>=', 0.8, 'recall of duplicates');
for ([0.8, 0.985, 0.93], [0.7, 0.95, 0.96])
{
	my ($threshold, $precision, $recall) = @$_;
	my ($n, $good) = split /\|/, sql(qq(SELECT count(*), count(*) FILTER (WHERE a.thing = b.thing) FROM recsys.duplicate_items('products_recsys', $threshold, 'purchases_recsys')
		JOIN products a ON a.product_id = item_id::bigint JOIN products b ON b.product_id = duplicate_of::bigint WHERE NOT a.fake AND NOT b.fake));
	note(sprintf('threshold %s: %d found, precision %.3f, recall %.3f', $threshold, $n, $good / $n, $good / $duplicates));
	cmp_ok($good / $n, '>=', $precision, "precision with a threshold of $threshold");
	cmp_ok($good / $duplicates, '>=', $recall, "recall with a threshold of $threshold");
}
is(sql('SELECT count(*) FROM found f JOIN found g ON g.item_id = f.duplicate_of'), 0, 'nothing is chained: what others are duplicates of is a duplicate of none');
is(sql('SELECT count(*) - count(DISTINCT item_id) FROM found'), 0, 'an item is a duplicate of one');
is(sql(q(SELECT count(*) FROM found WHERE (SELECT count(DISTINCT customer) FROM purchases WHERE product_id = item_id)
	> (SELECT count(DISTINCT customer) FROM purchases WHERE product_id = duplicate_of))), 0, 'it is of one that more have bought');
note(sql(q(SELECT string_agg(format('%s; %s; %s; %s', score, a.title, b.title, evidence), E'\n') FROM (SELECT * FROM found ORDER BY score, item_id) f
	JOIN products a ON a.product_id = item_id JOIN products b ON b.product_id = duplicate_of WHERE a.thing <> b.thing AND NOT a.fake)));

# with little memory it reads again what it has had to forget
is(sql(q(SET maintenance_work_mem = '1MB'; SELECT count(*) FROM (SELECT item_id::bigint, duplicate_of::bigint, score, evidence
	FROM recsys.duplicate_items('products_recsys', events => 'purchases_recsys') EXCEPT SELECT * FROM found) d)), 0, 'the same with little memory');
like(($node->psql('postgres', q(SET statement_timeout = '30ms'; SELECT count(*) FROM recsys.duplicate_items('products_recsys', 0.5))))[2], qr/canceling statement/, 'it can be cancelled');

# fakes
sql(q(CREATE TABLE suspects AS SELECT item_id::bigint AS item_id, copy_of::bigint AS copy_of, seller_id, copied_seller_id, score, evidence, rank
	  FROM recsys.suspicious_items('products_recsys', events => 'purchases_recsys', seller => 'seller_id', price => 'price')));
my $fakes = sql('SELECT count(*) FROM products WHERE fake');
my ($found, $fake, $origin) = split /\|/, sql(q(SELECT count(*), count(*) FILTER (WHERE a.fake), count(*) FILTER (WHERE a.fake AND a.thing = b.thing)
	FROM suspects JOIN products a ON a.product_id = item_id JOIN products b ON b.product_id = copy_of));
note(sprintf('fakes: %d found, precision %.3f, recall %.3f, of %d the original is named', $found, $fake / $found, $fake / $fakes, $origin));
cmp_ok($fake / $found, '>=', 0.9, 'precision of fakes');
cmp_ok($fake / $fakes, '>=', 0.9, 'recall of fakes');
is(sql('SELECT count(*) FROM suspects JOIN products a ON a.product_id = item_id JOIN products b ON b.product_id = copy_of
	WHERE a.seller_id = b.seller_id OR a.seller_id::text <> suspects.seller_id OR b.seller_id::text <> copied_seller_id'), 0, 'of another seller');
is(sql(q(SET maintenance_work_mem = '1MB'; SELECT count(*) FROM (SELECT item_id::bigint, copy_of::bigint, score, evidence
	FROM recsys.suspicious_items('products_recsys', events => 'purchases_recsys', seller => 'seller_id', price => 'price') EXCEPT SELECT item_id, copy_of, score, evidence FROM suspects) d)), 0,
	'the same with little memory');
is(sql('SELECT bool_and(rank = place) FROM (SELECT rank, row_number() OVER (ORDER BY score DESC, item_id) AS place FROM suspects) s'), 't', 'the most suspicious first');

# the same by a declared recommender, which knows when sellers came
sql(q(SELECT recsys.create_recommender('home', signals => '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id', price => 'price', content => 'products_recsys',
	new_seller_since => 'joined_at > now() - interval ''60 days''')));
is(sql(q(SELECT count(*) FROM (SELECT item_id::bigint, copy_of::bigint, score, evidence - 'new_seller', rank FROM recsys.suspicious_items('home')
	EXCEPT SELECT item_id, copy_of, score, evidence, rank FROM suspects) d)), 0, 'a declared recommender says the same');
is(sql(q(SELECT bool_and((evidence->>'new_seller')::boolean = fake) FROM recsys.suspicious_items('home') JOIN products ON product_id = item_id::bigint)), 't',
	'and which sellers are new');
is(sql(q(SELECT count(*) FROM (SELECT item_id::bigint, duplicate_of::bigint FROM recsys.duplicate_items('home') EXCEPT SELECT item_id, duplicate_of FROM found) d)), 0,
	'duplicates likewise');
sql(q(SELECT recsys.alter_recommender('home', item_filter => 'NOT fake')));
is(sql(q(SELECT count(*) FROM recsys.suspicious_items('home') JOIN products ON product_id = item_id::bigint WHERE fake)), 0, 'what is known to be a fake is not named again');

done_testing();
