/*
 * The recommender of the generated marketplace: indexes over what customers do, and all of a
 * shop's rules.  psql variable model: what stands behind the indexes of purchases and views, as
 * "WITH (similarity = cosine)"; nothing: recsys chooses.
 */
\if :{?model}
\else
\set model ''
\endif

-- purchases and views have graphs of their own; the others speak of few items, and are read
-- as more of the same: through the purchases' graph
CREATE INDEX purchases_recsys ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) :model;
CREATE INDEX views_recsys ON views USING recsys (customer_id, product_id, (1), viewed_at) :model;
CREATE INDEX carts_recsys ON carts USING recsys (customer_id, product_id, (1), added_at) WITH (similarity = cosine);
CREATE INDEX wishlist_recsys ON wishlist USING recsys (customer_id, product_id, (1), wished_at) WITH (similarity = cosine);
CREATE INDEX ratings_recsys ON ratings USING recsys (customer_id, product_id, stars, rated_at) WITH (similarity = cosine);
CREATE INDEX returns_recsys ON returns USING recsys (customer_id, product_id, (1), returned_at) WITH (similarity = cosine);

SELECT recsys.create_recommender('home',
	signals => '[{"events": "purchases_recsys", "name": "bought", "price": "price"},
				 {"events": "views_recsys", "name": "viewed", "weight": 0.2, "half_life": "14 days"},
				 {"events": "carts_recsys", "name": "in the cart", "weight": 0.2, "half_life": "30 days", "graph": "purchases_recsys"},
				 {"events": "wishlist_recsys", "name": "wished for", "weight": 0.2, "graph": "purchases_recsys"},
				 {"events": "ratings_recsys", "name": "rated", "weight": 0.3, "neutral": 3, "graph": "purchases_recsys"},
				 {"events": "returns_recsys", "name": "returned", "weight": -1}]',
	items => 'products', item_key => 'product_id', title => 'title', category => 'category', price => 'price',
	-- what is sold out or a fake is not shown; of the offers of one product the cheapest is; what is used up may come again
	item_filter => 'stock > 0 AND NOT suspected_fake',
	group_by => 'canonical_product_id', offer_order => 'price + shipping', repeatable => 'consumable',
	seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id',
	seller_quality => '{"rating": "rating_sum", "ratings": "rating_count", "prior": 20}', max_per_seller => 2,
	profiles => 'customers', profile_key => 'customer_id', segment => 'country || '' '' || age_band',
	larger_segments => '{country}', exclude_users => 'is_fraud', consent => 'accepts_mail',
	caps => '{"category": 3, "brand": 2}', diversity => 0.2, price_affinity => 0.2,
	new_item_share => 0.1, new_item_since => 'listed_at > now() - interval ''14 days''',
	new_seller_share => 0.05, new_seller_since => 'joined_at > now() - interval ''30 days''',
	promotions => '{"table": "promotions", "item": "product_id", "boost": "boost", "when": "now() BETWEEN starts_at AND ends_at"}');
SELECT recsys.refresh_recommender('home');
