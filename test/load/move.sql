\set user random(1, :users)
\set item random(1, :products)
UPDATE purchases SET product_id = :item WHERE ctid = (SELECT ctid FROM purchases WHERE user_id = :user LIMIT 1);
UPDATE purchases SET user_id = :user + 1 WHERE ctid = (SELECT ctid FROM purchases WHERE user_id = :user LIMIT 1);
