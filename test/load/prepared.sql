\set user random(1, :users)
\set item random(1, :products)
\set id random(1, 1000000000000)
\set commit random(0, 1)
BEGIN;
INSERT INTO purchases SELECT :user, 1 + (:item * i) % :products, 1, now() FROM generate_series(1, 10) i;
DELETE FROM purchases WHERE ctid = (SELECT ctid FROM purchases WHERE user_id = :user LIMIT 1);
PREPARE TRANSACTION 'load:id';
\sleep 20 ms
\if :commit
COMMIT PREPARED 'load:id';
\else
ROLLBACK PREPARED 'load:id';
\endif
