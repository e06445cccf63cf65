-- What RDS adds to MySQL, as far as preparing a source of replication uses it.
CREATE TABLE rds_configuration (name varchar(100) PRIMARY KEY, value varchar(100), description varchar(300));
INSERT INTO rds_configuration VALUES ('binlog retention hours', NULL, 'how long binary logs are kept');
DELIMITER //
CREATE DEFINER = rdsadmin@`%` PROCEDURE rds_set_configuration(IN wanted varchar(100), IN hours int)
SQL SECURITY DEFINER
BEGIN
  IF wanted <> 'binlog retention hours' OR hours < 1 OR hours > 168 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'binlog retention hours: 1 to 168, or NULL; nothing else is known here';
  END IF;
  UPDATE mysql.rds_configuration SET value = hours WHERE name = wanted;
  -- RDS without a retention removes a log once it is in a backup; here there is no backup, and the logs stay
  SET GLOBAL binlog_expire_logs_seconds = coalesce(hours, 0) * 3600;
END//
CREATE DEFINER = rdsadmin@`%` PROCEDURE rds_show_configuration()
SQL SECURITY DEFINER
SELECT * FROM mysql.rds_configuration//
DELIMITER ;
