"""CloudFormation resource types that ministack lacks or gets wrong, and what of each type has an effect here."""
