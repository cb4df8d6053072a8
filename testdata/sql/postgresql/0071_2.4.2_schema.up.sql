-- Harbor 2.4.2: Trivy's reports in the old format go; Trivy answers in the new
-- one alone. No change of the catalog.

DELETE FROM scan_report
WHERE mime_type = 'application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0'
  AND registration_uuid IN (SELECT uuid FROM scanner_registration WHERE name = 'Trivy' AND immutable);
