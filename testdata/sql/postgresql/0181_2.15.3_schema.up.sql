-- Announced for Harbor 2.15.3: numbers that hold Unix times get 64 bits.

ALTER TABLE p2p_preheat_instance ALTER COLUMN setup_timestamp TYPE bigint;
ALTER TABLE schedule ALTER COLUMN revision TYPE bigint;
ALTER TABLE task ALTER COLUMN status_revision TYPE bigint;
