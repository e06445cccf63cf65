"""Lambda functions, run from their deployed packages in AWS's own runtime client."""
