\set user random(1, :users)
\set item random_zipfian(1, :products, 1.05)
INSERT INTO purchases VALUES (:user, :item, 1 + :item % 3, now());
