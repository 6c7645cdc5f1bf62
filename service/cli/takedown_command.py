"""The command takedown: remove images for good, and wait until every node has done so."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import click

from gateway.journal import ANY_NODE, Entry, entry_name
from service.api.schema.takedown_models import Receipt
from service.cli.arguments import Seconds, as_json, client_command, names
from service.cli.connection import Remote, for_each
from service.client import Gateway, GatewayError, calls

PAUSE = 0.5  # seconds between two questions
TIMEOUT = 60  # seconds for which nodes are asked


@client_command(
    "takedown photos/cat.jpg",
    "takedown photos/cat.jpg --wait --node http://10.0.0.12:8081 --node http://10.0.0.13:8081",
)
@names
@click.option("--wait", is_flag=True, help="Until each node has it: that of --api and every --node.")
@click.option("--node", "nodes", metavar="URL", multiple=True, help="The API of another node; once for each.")
@click.option("--timeout", type=Seconds(), default=TIMEOUT, metavar="TIME", help="How long to wait (60s).")
@as_json
def takedown(
    remote: Remote, names: tuple[str, ...], wait: bool, nodes: tuple[str, ...], timeout: int, as_json: bool
) -> int:
    """Remove images with all that was derived of them, and print what was removed where.

    With --wait every node is asked until it has removed what it had. The exit status is 1 if one has not in time. Where
    one cannot be asked at the beginning, nothing is removed.
    """
    if wait and not nodes:
        raise click.UsageError("--wait: name the API of every other node with --node URL")
    if nodes and not wait:
        raise click.UsageError("--node: it is asked with --wait only")
    every = [remote, *(Remote(url, remote.token) for url in nodes)]
    if wait and (wrong := _unfit(every)):
        for text in wrong:
            click.echo(text, err=True)
        click.echo("nothing was removed: leave out the --node that is gone, or --wait", err=True)
        return 1
    late = False

    def one(gateway: Gateway, name: str) -> None:
        nonlocal late
        receipt = gateway.call(calls.take_down(name))
        click.echo(receipt.model_dump_json() if as_json else _line(receipt))
        if wait and receipt.entry is None:
            raise GatewayError("there is no entry in the journal, so nodes cannot be asked for it")
        for node in _waiting(every, receipt.entry or "", timeout) if wait else ():
            click.echo(f"{name}: {node}", err=True)
            late = True

    with remote.connect() as gateway:
        failed = for_each(gateway, names, one)
    return int(failed or late)


def _line(receipt: Receipt) -> str:
    original = "the original" if receipt.original else "no original, which was gone"
    removed = f"{original}, {receipt.files} files on this node and {receipt.objects} stored objects removed"
    return f"{receipt.name}: {removed}; entry {receipt.entry or 'none yet'}"


def _waiting(nodes: Sequence[Remote], entry: str, timeout: float) -> list[str]:
    """Ask nodes until all have settled the entry; those that have not in time, with the reason."""
    end, reasons = time.monotonic() + timeout, dict.fromkeys((node.url for node in nodes), "")
    waiting = list(nodes)
    while True:
        waiting = [node for node in waiting if not _has(node, entry, reasons)]
        if not waiting or time.monotonic() >= end:
            return [f"{node.url} does not have it after {timeout} s{reasons[node.url]}" for node in waiting]
        time.sleep(PAUSE)


def _unfit(nodes: Sequence[Remote]) -> list[str]:
    """Ask each node for an entry of no journal; those that cannot say whether they have one, with the reason."""
    reasons: dict[str, str] = {}
    entry = entry_name(Entry("delete", "", time=time.time(), node=ANY_NODE), secrets.token_hex(8))
    for node in nodes:
        _has(node, entry, reasons)
    return [f"{url} cannot tell whether it has an image removed{reason}" for url, reason in reasons.items() if reason]


def _has(node: Remote, entry: str, reasons: dict[str, str]) -> bool:
    try:
        with node.connect() as gateway:
            settled = gateway.call(calls.journal_entry(entry)).settled
    except GatewayError as error:
        reasons[node.url] = f": {error}"
        return False
    reasons[node.url] = "" if settled is not None else ": its store has no journal"
    return bool(settled)
