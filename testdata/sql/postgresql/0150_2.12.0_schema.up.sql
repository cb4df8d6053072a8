-- Harbor 2.12.0: robots know who created them; preheat policies have a scope.

ALTER TABLE robot
    ADD COLUMN IF NOT EXISTS creator_ref integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS creator_type varchar(255);
ALTER TABLE p2p_preheat_policy ADD COLUMN IF NOT EXISTS scope varchar(255);
