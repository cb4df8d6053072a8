-- A scan belongs to an artifact that is no number. Versions 50 to 111:
-- migration 120 fails.

INSERT INTO execution (vendor_type, vendor_id, status, trigger, extra_attrs)
VALUES ('IMAGE_SCAN', 4711, 'Success', 'MANUAL', '{"artifact": {"id": "library/a"}}');
