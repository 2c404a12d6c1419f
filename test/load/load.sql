\set first random(1, 1000000)
INSERT INTO purchases SELECT :users * 100 + (:first + n) / 3, :products * 10 + (:first + n) / 2, 1, now() FROM generate_series(1, :rows) n;
