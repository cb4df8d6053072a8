-- Harbor 2.10.0: charts are gone, and with them the labels of anything but
-- artifacts.

DROP TABLE IF EXISTS harbor_resource_label;
CREATE INDEX IF NOT EXISTS idx_artifact_accessory_subject_artifact_id ON artifact_accessory (subject_artifact_id);
