\set user random(1, :users)
\set item random_zipfian(1, :products, 1.05)
\set commit random(0, 1)
\set release random(0, 1)
BEGIN;
INSERT INTO purchases VALUES (:user, :item, 1, now());
SAVEPOINT a;
INSERT INTO purchases SELECT :user, 1 + (:item * i) % :products, 1, now() FROM generate_series(1, 5) i;
\if :release
RELEASE a;
\else
ROLLBACK TO a;
\endif
INSERT INTO purchases VALUES (:user, 1 + (:item + 7) % :products, 1, now());
SELECT recsys.merge('purchases_recsys');
\if :commit
COMMIT;
\else
ROLLBACK;
\endif
