\set user random(1, :users)
UPDATE purchases SET quantity = quantity + 1 WHERE user_id = :user;
DELETE FROM purchases WHERE user_id = :user + 1;
