"""Leases in a DynamoDB table: one item per table, partition key ``table``.

Attributes: ``holder`` and ``expires`` (seconds since the epoch) while somebody holds it, ``fence`` (grows with every
acquisition) and ``pokes`` (grows with every contender that was sent away). All writes are conditional. A lease that is
handed over has the token for its holder.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from catchment.errors import LeaseTaken
from catchment.leases.base import Held

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES = 5
_OURS = "holder = :me AND fence = :fence"


class DynamoLease:
    """Leases among any number of processes anywhere.

    ``prefix`` goes before the table's name in the partition key (a source), ``seconds`` is how long a lease lasts
    after its holder's last sign of life: longer than any holder may run without one.
    """

    def __init__(self, client: DynamoDBClient, control_table: str, *, prefix: str = "", seconds: int) -> None:
        self._client, self._control, self._prefix, self._seconds = client, control_table, prefix, seconds

    def acquire(self, table: str, *, token: str | None = None) -> Held:
        """The lease on ``table``. Raises LeaseTaken once the holder has been told to look again."""
        item, me = f"{self._prefix}{table}", str(uuid.uuid4())
        for _ in range(_TRIES):  # a lease given back between the two writes is free: try again
            if (fence := self._take(item, me, token or me)) is not None:
                return _DynamoHeld(self, item, table, me, fence)
            if (holder := self._poke(item)) is not None:
                raise LeaseTaken(table, holder)
        raise LeaseTaken(table, "others, in quick turns")

    def write(self, item: str, update: str, condition: str, **values: str | int) -> dict[str, Any] | None:
        """One conditional write; the new item, or None where the condition does not hold."""
        typed: Any = {f":{k}": {"S": v} if isinstance(v, str) else {"N": str(v)} for k, v in values.items()}
        try:
            answer = self._client.update_item(
                TableName=self._control,
                Key={"table": {"S": item}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=typed,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return dict(answer["Attributes"])

    def expiry(self, seconds: int | None = None) -> int:
        """When a lease taken, renewed or handed over now ends."""
        return int(time.time()) + (self._seconds if seconds is None else seconds)

    def _take(self, item: str, me: str, token: str) -> int | None:
        taken = self.write(
            item,
            "SET holder = :me, expires = :until, fence = if_not_exists(fence, :none) + :one, "
            "pokes = if_not_exists(pokes, :none)",
            "attribute_not_exists(holder) OR expires < :now OR holder = :token",
            me=me,
            token=token,
            until=self.expiry(),
            none=0,
            one=1,
            now=int(time.time()),
        )
        return None if taken is None else int(taken["fence"]["N"])

    def _poke(self, item: str) -> str | None:
        """Tell the holder that there may be more; who it is, or None if nobody holds the lease."""
        poked = self.write(item, "SET pokes = pokes + :one", "attribute_exists(holder)", one=1)
        return None if poked is None else str(poked["holder"]["S"])


class _DynamoHeld:
    def __init__(self, lease: DynamoLease, item: str, table: str, me: str, fence: int) -> None:
        self._lease, self._item, self._table, self._me, self._fence = lease, item, table, me, fence
        self._seen = -1

    def look(self) -> None:
        """Renew, and remember the pokes so far."""
        self._seen = int(self._renew()["pokes"]["N"])

    def check(self) -> None:
        """Renew. Raises LeaseTaken where another has it by now."""
        self._renew()

    def release(self, *, force: bool = False) -> bool:
        """Give it back, unless poked since the last look (then it is still held)."""
        mine: dict[str, str | int] = {"me": self._me, "fence": self._fence}
        unpoked = _OURS if force else f"{_OURS} AND pokes = :seen"
        if not force:
            mine["seen"] = self._seen
        if self._lease.write(self._item, "REMOVE holder, expires", unpoked, **mine) is not None:
            return True
        # Either poked, or lost: whoever has it by now looks for itself.
        still: dict[str, str | int] = {"me": self._me, "fence": self._fence, "until": self._lease.expiry()}
        return self._lease.write(self._item, "SET expires = :until", _OURS, **still) is None

    def hand_over(self, token: str, seconds: int) -> None:
        """Leave it to ``token``. Raises LeaseTaken where another has it by now."""
        self._keep("SET holder = :token, expires = :until", token=token, until=self._lease.expiry(seconds))

    def _renew(self) -> dict[str, Any]:
        return self._keep("SET expires = :until", until=self._lease.expiry())

    def _keep(self, update: str, **values: str | int) -> dict[str, Any]:
        kept = self._lease.write(self._item, update, _OURS, me=self._me, fence=self._fence, **values)
        if kept is None:
            raise LeaseTaken(self._table, "another applier, which took over when this one's time had run out")
        return kept
