-- A partitioned table with partitions by list and a row in each.

CREATE TABLE pull_statistics (day date NOT NULL, project_id integer, pulls bigint) PARTITION BY RANGE (day);
CREATE TABLE pull_statistics_2023 PARTITION OF pull_statistics FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE pull_statistics_2024 PARTITION OF pull_statistics FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO pull_statistics VALUES ('2023-05-05', 1, 10), ('2024-05-05', 1, 20);
