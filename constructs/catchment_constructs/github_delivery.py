"""GitHubDelivery."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk.aws_iam import CfnOIDCProvider, Effect, FederatedPrincipal, PolicyStatement, Role
from constructs import Construct

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"
# Names of `cdk bootstrap`: CDK developer guide, "Customize bootstrapping", with the default qualifier.
_DEPLOY = ("deploy", "file-publishing", "lookup")
_PLAN = ("lookup",)


class GitHubDelivery(Construct):
    """Roles that GitHub Actions takes without a stored key: one that deploys, one that only looks.

    Neither may do anything itself. They may take the roles that ``cdk bootstrap`` made: the deploying one those that
    publish and deploy, the other the lookup role, which reads what is deployed. The deploying role is for jobs of one
    GitHub environment, where approvals are asked for; the other for pull requests and the main branch.

    An account has one provider of GitHub's tokens: ``create_provider`` is false where somebody else has made it.

    Example: ``GitHubDelivery(self, "GitHub", repository="acme/lake", environment="prod", create_provider=True)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository: str,
        environment: str,
        create_provider: bool,
        branch: str = "main",
    ) -> None:
        super().__init__(scope, construct_id)
        self._provider = self._build_provider() if create_provider else None
        self.deploy = self._build_role("Deploy", [f"repo:{repository}:environment:{environment}"], _DEPLOY)
        self.plan = self._build_role(
            "Plan", [f"repo:{repository}:pull_request", f"repo:{repository}:ref:refs/heads/{branch}"], _PLAN
        )

    def _build_provider(self) -> CfnOIDCProvider:
        return CfnOIDCProvider(self, "Provider", url=f"https://{_ISSUER}", client_id_list=[_AUDIENCE])

    def _build_role(self, name: str, subjects: list[str], bootstrapped: tuple[str, ...]) -> Role:
        stack = Stack.of(self)
        provider = stack.format_arn(service="iam", region="", resource="oidc-provider", resource_name=_ISSUER)
        role = Role(
            self,
            name,
            assumed_by=FederatedPrincipal(
                provider,
                {"StringEquals": {f"{_ISSUER}:aud": _AUDIENCE, f"{_ISSUER}:sub": subjects}},
                "sts:AssumeRoleWithWebIdentity",
            ),
            description=f"GitHub Actions: {name.lower()}",
        )
        if self._provider is not None:
            role.node.add_dependency(self._provider)
        role.add_to_policy(
            PolicyStatement(
                effect=Effect.ALLOW,
                actions=["sts:AssumeRole"],
                resources=[
                    stack.format_arn(
                        service="iam",
                        region="",
                        resource="role",
                        resource_name=f"cdk-hnb659fds-{each}-role-{stack.account}-{stack.region}",
                    )
                    for each in bootstrapped
                ],
            )
        )
        return role
