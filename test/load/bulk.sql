\set user random(1, :users * 50)
INSERT INTO purchases SELECT :user, 1 + (:user::bigint * i * 7919) % (:products * 4), 1, now() FROM generate_series(1, 100) i;
