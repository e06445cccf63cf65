"""ExternalDatabase."""

from __future__ import annotations

from aws_cdk.aws_ec2 import Connections, ISecurityGroup, Peer, Port
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct


class ExternalDatabase(Construct):
    """A database that somebody else runs: its secret, and the way to it.

    The secret holds ``host``, ``port``, ``username`` and ``password``. ``secret_key`` encrypts it; None for Secrets
    Manager's own key of this account. The database is reached at ``address`` (an IPv4 range), or in ``security_group``,
    which gets a rule that lets clients in.

    Example: ``ExternalDatabase(self, "Erp", secret=secret, secret_key=None, port=1521, address="10.20.0.15/32")``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secret: ISecret,
        secret_key: IKey | None,
        port: int,
        address: str | None = None,
        security_group: ISecurityGroup | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if (address is None) == (security_group is None):
            raise ValueError("exactly one of address and security_group has to be given")
        self.secret, self.secret_key = secret, secret_key
        self._port, self._address, self._group = Port.tcp(port), address, security_group

    def allow_from(self, clients: ISecurityGroup, description: str) -> None:
        """Let what is in a group reach the database."""
        if self._address is not None:
            clients.add_egress_rule(Peer.ipv4(self._address), self._port, description)
        elif self._group is not None:
            Connections(security_groups=[self._group]).allow_from(clients, self._port, description)
