"""Pokes every table of every source: to be looked at, in case an event was lost, or to be maintained."""

from __future__ import annotations

from functools import cache
from os import environ
from typing import Any

import boto3

from lambda_src.contracts import fetch_contracts
from lambda_src.pokes import Poke

MOST_PER_CALL = 10
"""What SendMessageBatch takes (Amazon SQS API Reference)."""

MOST_DELAY_SECONDS = 900
"""How long SQS keeps a message back at most. Maintenance is spread over it, so that files that land do not wait."""


class SweepIncomplete(Exception):
    """Some tables could not be poked; the message names them."""


@cache
def every_table() -> tuple[Poke, ...]:
    """All tables of all sources."""
    contracts = fetch_contracts(boto3.client("s3"), environ["CONTRACTS_URL"])
    return tuple(Poke(source, *name) for source, tables in contracts.items() for name in tables)


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Send one message a table, of maintenance where the schedule says ``{"maintain": true}``.

    Raises SweepIncomplete, so that the call counts as an error and is made again.
    """
    maintain = event.get("maintain") is True
    sqs, tables = boto3.client("sqs"), every_table()
    refused: list[str] = []
    for start in range(0, len(tables), MOST_PER_CALL):
        batch = tables[start : start + MOST_PER_CALL]
        entries: list[Any] = [
            {
                "Id": str(number),
                "MessageBody": poke._replace(maintain=maintain).message(),
                "DelaySeconds": MOST_DELAY_SECONDS * (start + number) // len(tables) if maintain else 0,
            }
            for number, poke in enumerate(batch)
        ]
        answer = sqs.send_message_batch(QueueUrl=environ["QUEUE_URL"], Entries=entries)
        refused += [f"{batch[int(each['Id'])]}: {each.get('Message')}" for each in answer.get("Failed", [])]
    if refused:
        raise SweepIncomplete("; ".join(refused))
    return {"tables": len(tables)}
