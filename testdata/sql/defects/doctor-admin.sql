-- The administrator was deleted. Any version.

UPDATE harbor_user SET deleted = true WHERE user_id = 1;
