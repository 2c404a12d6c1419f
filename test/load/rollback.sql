\set user random(1, :users * 50)
BEGIN;
INSERT INTO purchases SELECT :user, :products * 6 + i, 1, now() FROM generate_series(1, 50) i;
ROLLBACK;
