-- A permission refers to a rule that is gone. Versions from 50 on.

INSERT INTO role_permission (role_type, role_id, permission_policy_id) VALUES ('robotaccount', 1, 4711);
