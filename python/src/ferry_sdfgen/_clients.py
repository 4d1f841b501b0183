"""Clients, flows and the other things that `flows.toml` says, and how they are written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomli_w

from ._pattern import TICK_BUDGET_US, TICK_PERIOD_US, TICKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sdfgen import SystemDescription

    from ._pattern import AuditRecords, FlowClass, FrameMapping

_OPENING = "# Written by ferry_sdfgen. Change the program that writes this file, and not the file.\n\n"


@dataclass(frozen=True)
class Tick:
    """What wakes central for clients that never signal.

    Attributes:
        period_us: Microseconds from one tick to the next.
        budget_us: Microseconds in each period for the ticker itself. It is below the period.
        priority: The ticker's priority. It is above that of central.
    """

    period_us: int = TICK_PERIOD_US
    budget_us: int = TICK_BUDGET_US
    priority: int = TICKER.priority


@dataclass(frozen=True, eq=False)
class Client:
    """A protection domain that sends and receives through central. `Ferry.add_client` makes it.

    Attributes:
        domain: The protection domain.
        transmit_bytes: Bytes of its region `_tx`.
        receive_bytes: Bytes of its region `_rx`.
        channel: The number of its channel to central. Its program finds it in a symbol.
    """

    domain: SystemDescription.ProtectionDomain
    transmit_bytes: int
    receive_bytes: int
    large_frames: bool
    bytes_per_round: int | str | None
    messages_per_round: int | None
    fpu: bool
    channel: int

    @property
    def name(self) -> str:
        """The name of the protection domain, which is that of the client."""
        return self.domain.name

    def limits(self) -> dict[str, Any]:
        """What `[client.NAME]` of `flows.toml` says of it."""
        return _stated(
            {
                "bytes_per_round": self.bytes_per_round,
                "messages_per_round": self.messages_per_round,
                "large_frames": self.large_frames or None,
            }
        )


@dataclass(frozen=True, eq=False)
class Quorum:
    """A stage of guards of which so many have to pass a message.

    Attributes:
        passes: How many.
        of: The guards. `Ferry.add_client` makes them, as it makes every client.
    """

    passes: int
    of: Sequence[Client]


@dataclass(frozen=True)
class TimeSlot:
    """An entry of a domain schedule: for so long, the protection domains of one scheduling domain may run."""

    domain: str
    duration_us: int


@dataclass(frozen=True, eq=False)
class Flow:
    """One client may send to another. `Ferry.add_flow` makes it."""

    source: Client
    target: Client
    flow_class: FlowClass | None
    mapping: FrameMapping | None
    max_message: int | str | None
    guards: Sequence[Client | Quorum]
    verdict_within: int | None
    one_way: bool
    return_path: str | None
    audit: AuditRecords | None

    def text(self) -> str:
        """Its `[[flow]]` of `flows.toml`."""
        keys = {
            "from": self.source.name,
            "to": self.target.name,
            "class": self.flow_class,
            "mapping": self.mapping,
            "max_message": self.max_message,
            "verdict_within": self.verdict_within,
            "one_way": self.one_way or None,
            "return_path": self.return_path,
            "audit": self.audit,
        }
        text = f"[[flow]]\n{tomli_w.dumps(_stated(keys))}"
        if self.guards:
            # tomli_w would make tables of long stages. Names of clients have nothing that TOML would escape.
            text += f"guards = [{', '.join(_stage(stage) for stage in self.guards)}]\n"
        return text


@dataclass(frozen=True)
class Audit:
    """The audit log."""

    region: str
    records: AuditRecords | None

    def table(self) -> dict[str, Any]:
        """What `[audit]` of `flows.toml` says of it."""
        return _stated({"region": self.region, "records": self.records})


@dataclass(frozen=True)
class Trust:
    """A way past central for which a person answers."""

    key: str
    name: str
    reason: str

    def table(self) -> dict[str, str]:
        """What `[[trusted]]` of `flows.toml` says of it."""
        return {self.key: self.name, "reason": self.reason}


def flows_text(
    *,
    tick: Tick | None,
    audit: Audit | None,
    clients: Iterable[Client],
    flows: Iterable[Flow],
    partitions: Iterable[str],
    trusted: Iterable[Trust],
    restarts: Mapping[str, int],
) -> str:
    """Returns the text of `flows.toml`. A partition is the name of its announcer."""
    limits = {client.name: client.limits() for client in clients}
    tables = {
        "tick": {"period_us": tick.period_us} if tick else {},
        "audit": audit.table() if audit else {},
        "client": {name: stated for name, stated in limits.items() if stated},
        "restarts": dict(restarts),
    }
    parts = [tomli_w.dumps({key: table}) for key, table in tables.items() if table]
    # tomli_w would write arrays of inline tables, which `ferry add` and `ferry remove` cannot change.
    parts += [f"[[partition]]\n{tomli_w.dumps({'announcer': name})}" for name in partitions]
    parts += [flow.text() for flow in flows]
    parts += [f"[[trusted]]\n{tomli_w.dumps(trust.table())}" for trust in trusted]
    return _OPENING + "\n".join(parts)


def _stage(stage: Client | Quorum) -> str:
    if isinstance(stage, Quorum):
        names = ", ".join(f'"{guard.name}"' for guard in stage.of)
        return f"{{ quorum = {stage.passes}, of = [{names}] }}"
    return f'"{stage.name}"'


def _stated(keys: dict[str, Any]) -> dict[str, Any]:
    """The keys that were given a value. Without a value, Ferry's default holds."""
    return {key: value for key, value in keys.items() if value is not None}
