"""The CDK stacks: wiring only, one file a stack."""
