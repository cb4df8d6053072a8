-- MariaDB. Run with: mariadb --binary-mode DATABASE < FILE
SET NAMES utf8mb4;
SET time_zone = '+00:00', foreign_key_checks = 0, sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
ALTER TABLE `access_log`
  ADD KEY `pid_optime` (`project_id`,`op_time`);
ALTER TABLE `clair_vuln_timestamp`
  ADD UNIQUE KEY `namespace` (`namespace`);
ALTER TABLE `harbor_label`
  ADD UNIQUE KEY `unique_label` (`name`,`scope`,`project_id`);
ALTER TABLE `harbor_resource_label`
  ADD UNIQUE KEY `unique_label_resource` (`label_id`,`resource_id`,`resource_name`,`resource_type`);
ALTER TABLE `img_scan_job`
  ADD KEY `idx_digest` (`digest`),
  ADD KEY `idx_repository_tag` (`repository`,`tag`),
  ADD KEY `idx_status` (`status`),
  ADD KEY `idx_uuid` (`job_uuid`);
ALTER TABLE `img_scan_overview`
  ADD UNIQUE KEY `image_digest` (`image_digest`);
ALTER TABLE `project`
  ADD UNIQUE KEY `name` (`name`),
  ADD KEY `owner_id` (`owner_id`);
ALTER TABLE `project_member`
  ADD UNIQUE KEY `unique_project_entity_type` (`project_id`,`entity_id`,`entity_type`);
ALTER TABLE `project_metadata`
  ADD UNIQUE KEY `unique_project_id_and_name` (`project_id`,`name`);
ALTER TABLE `properties`
  ADD UNIQUE KEY `k` (`k`);
ALTER TABLE `replication_job`
  ADD KEY `poid_status` (`policy_id`,`status`),
  ADD KEY `poid_uptime` (`policy_id`,`update_time`),
  ADD KEY `policy` (`policy_id`);
ALTER TABLE `repository`
  ADD UNIQUE KEY `name` (`name`);
ALTER TABLE `user`
  ADD UNIQUE KEY `username` (`username`),
  ADD UNIQUE KEY `email` (`email`);
ALTER TABLE `project`
  ADD CONSTRAINT `project_ibfk_1` FOREIGN KEY (`owner_id`) REFERENCES `user` (`user_id`);
ALTER TABLE `project_metadata`
  ADD CONSTRAINT `project_metadata_ibfk_1` FOREIGN KEY (`project_id`) REFERENCES `project` (`project_id`);
