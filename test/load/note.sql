\set user random(1, :users)
UPDATE purchases SET note = md5(random()::text) WHERE user_id IN (:user, :user + 1);
UPDATE purchases SET note = repeat('x', 100) WHERE user_id IN (:user, :user + 1);
SELECT count(note) FROM purchases WHERE user_id IN (:user, :user + 1);
