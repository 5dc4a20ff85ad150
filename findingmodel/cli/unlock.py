"""``findingmodel index unlock``: who holds the writer's lease, and how to end that of a dead update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import index_options
from findingmodel.cli.screen import Screen, visible
from findingmodel.cli.session import ask
from findingmodel.stores.lease import LeaseState

if TYPE_CHECKING:
    from findingmodel.settings import Settings
    from findingmodel.stores.lease import LeaseStatus
    from findingmodel.stores.protocol import Store

_MEANINGS = {
    LeaseState.RUNNING: "which is running",
    LeaseState.UNKNOWN: "which this machine cannot see",
    LeaseState.DEAD: "which has ended",
    LeaseState.EXPIRED: "which did not renew it in time",
    LeaseState.VOID: "whose clock was wrong",
}


@click.command()
@click.option("--force", is_flag=True, help="End the lease, unless its process runs on this machine.")
@index_options
def unlock(screen: Screen, force: bool, settings: Settings) -> int:
    """Show which update holds the right to write, and with --force end its lease.

    An update holds a lease while it writes. That of an update that crashed is free at once on the same
    machine, and elsewhere when it expires, a minute after its last renewal (setting lease_seconds). So this
    command is for a process that is gone for certain and whose lease is long. If the process lives after all,
    it notices, at the latest when it would renew the lease, and stops writing.

    \b
    Examples:
      findingmodel index unlock
      findingmodel index unlock --force

    Exit code 1 means that the lease was not ended, because its process runs.
    """

    async def question(store: Store) -> tuple[LeaseStatus | None, bool, str]:
        status = await store.leases.status()
        may_end = force and status is not None and status.state is not LeaseState.RUNNING
        is_ended = may_end and status is not None and await store.leases.revoke(status.lease)
        return status, is_ended, store.label

    status, is_ended, label = ask(settings, question)
    if screen.as_json:
        screen.json({"db": label, "branch": settings.branch, "lease": _facts(status), "ended": is_ended})
    else:
        click.echo(visible(_sentence(status, is_ended=is_ended)))
        if status is not None and (advice := _advice(status, force=force, is_ended=is_ended)):
            screen.note(advice)
    return 1 if force and status is not None and not is_ended else 0


def _facts(status: LeaseStatus | None) -> dict[str, Any] | None:
    if status is None:
        return None
    writer = status.lease.writer
    seconds = round(status.seconds_left, 1)
    return {"host": writer.host, "pid": writer.pid, "state": str(status.state), "seconds_left": seconds}


def _sentence(status: LeaseStatus | None, *, is_ended: bool) -> str:
    if status is None:
        return "no update holds the lease"
    if is_ended:
        return f"ended the lease of {status.lease}; the next update completes what it left"
    time = f", for {status.seconds_left:.0f} s more" if not status.state.is_free else ""
    return f"{status.lease}, {_MEANINGS[status.state]}, holds the lease{time}"


def _advice(status: LeaseStatus, *, force: bool, is_ended: bool) -> str:
    if is_ended:
        return ""
    if status.state is LeaseState.RUNNING:
        return "end the process first, or wait for it" if force else ""
    if force:
        return "another update has taken the lease meanwhile; look again"
    if status.state.is_free:
        return "the next update takes the lease by itself, and completes what this one left"
    return "if you know that it has ended, --force ends its lease"
