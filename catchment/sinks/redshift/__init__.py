"""The warehouse in Amazon Redshift."""
