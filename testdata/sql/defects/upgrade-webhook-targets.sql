-- The targets of a webhook are empty. Versions 10 to 100: migration 110 fails.

INSERT INTO notification_policy (name, project_id, enabled, targets, event_types) VALUES ('no targets', 1, true, '', '["PUSH_ARTIFACT"]');
