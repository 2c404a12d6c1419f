\set user random(1, :users)
\set item random(1, :products)
SELECT * FROM recommend(:user, 10, 'purchases_recsys');
SELECT count(*) FROM purchases WHERE product_id = :item;
SELECT * FROM explain_recommendation(:user, :item, 'purchases_recsys');
SELECT * FROM similar_items(:item, 10, 'purchases_recsys');
SELECT * FROM popular_items(10, 'purchases_recsys');
