"""CloudWatch's part: metrics out of logs and services, alarms evaluated against them."""
