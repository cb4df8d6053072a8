-- The two youngest roles have each other's number. Versions from 15 on.

UPDATE role SET role_id = -role_id WHERE role_id IN (4, 5);
UPDATE role SET role_id = CASE role_id WHEN -4 THEN 5 ELSE 4 END WHERE role_id IN (-4, -5);
