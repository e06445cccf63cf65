"""The one account and region there are here."""

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEY_ID = ACCOUNT
"""The operator's access key: ministack lets the account's own number in as its root user, unsigned."""
KEY = "local"
