"""`Ferry`: central, its clients and their flows in one system of `sdfgen`.

What it adds to the system it adds at once, except central's configuration region. The size of that depends
on the numbers of clients and flows, so it is added when the system is rendered. Free addresses and numbers
of channels are those that `sdfgen` finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, get_args

from sdfgen import SystemDescription

from ._clients import Audit, Client, Flow, Quorum, Tick, TimeSlot, Trust, flows_text
from ._description import Description
from ._errors import UsageError
from ._markup import complete
from ._pattern import (
    ANNOUNCER_BUDGET_US,
    ANNOUNCER_PRIORITY,
    ANNOUNCER_SUFFIX,
    AUDIT_SYMBOL,
    BUFFER_BYTES,
    CENTRAL,
    CHANNEL_SYMBOL,
    CLIENT_REGIONS,
    CONFIG,
    LARGE_PAGE_BYTES,
    PAGE_BYTES,
    TICKER,
    AuditRecords,
    FlowClass,
    FrameMapping,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

Domain: TypeAlias = SystemDescription.ProtectionDomain

_DEFAULT_TICK = Tick()
# `sdfgen` keeps numbers in so many bits, and cuts longer ones without a word.
_BITS_OF_PRIORITY = 8
_BITS_OF_TIME = 32
_BITS_OF_SIZE = 64


class _Channel(SystemDescription.Channel):
    """A channel that can also be dropped if it could not be made. That of `sdfgen` would end the process."""

    def __del__(self) -> None:
        if getattr(self, "_obj", None) is not None:
            super().__del__()  # type: ignore[no-untyped-call]


class Ferry:
    """Central and the ticker, in a system to which clients and flows are added."""

    def __init__(
        self,
        sdf: SystemDescription,
        *,
        tick: Tick | None = _DEFAULT_TICK,
        priority: int = CENTRAL.priority,
        cpu: int | None = None,
    ) -> None:
        """Adds central and the ticker to a system.

        Args:
            sdf: The system. It must not have been rendered.
            tick: How often central looks after clients that never signal. None: never, and no ticker.
            priority: Central's priority, above those of all clients and below that of the ticker.
            cpu: The processor core of central and the ticker, on a board with several.
        """
        where = "Ferry"
        _fits(where, "priority", priority, _BITS_OF_PRIORITY)
        if cpu is not None:
            _fits(where, "cpu", cpu, _BITS_OF_PRIORITY)
        if tick is not None:
            _fits(where, "tick.priority", tick.priority, _BITS_OF_PRIORITY)
            _fits(where, "tick.period_us", tick.period_us, _BITS_OF_TIME)
            _fits(where, "tick.budget_us", tick.budget_us, _BITS_OF_TIME)
        self._sdf = sdf
        self._tick = tick
        self._clients: dict[str, Client] = {}
        self._flows: dict[tuple[str, str], Flow] = {}
        self._trusted: list[Trust] = []
        self._restarts: dict[str, int] = {}
        self._audit: Audit | None = None
        self._schedule: tuple[TimeSlot, ...] = ()
        self._members: dict[str, str] = {}
        self._announcers: list[str] = []
        self._ticker: Domain | None = None
        self._page_bytes: dict[str, int] = {}
        self._is_rendered = False
        self._description: Description | None = None
        self._central = Domain(
            CENTRAL.name, CENTRAL.image, priority=priority, stack_size=CENTRAL.stack_bytes, cpu=cpu
        )
        if tick is not None:
            ticker = Domain(
                TICKER.name,
                TICKER.image,
                priority=tick.priority,
                budget=tick.budget_us,
                period=tick.period_us,
                stack_size=TICKER.stack_bytes,
                cpu=cpu,
            )
            sdf.add_pd(ticker)
            self._connect(where, ticker)
            self._ticker = ticker
        sdf.add_pd(self._central)

    @property
    def central(self) -> Domain:
        """The protection domain that carries all messages."""
        return self._central

    @property
    def ticker(self) -> Domain | None:
        """The protection domain that wakes central periodically. None without a tick."""
        return self._ticker

    def add_client(
        self,
        domain: Domain,
        *,
        transmit_bytes: int = BUFFER_BYTES,
        receive_bytes: int = BUFFER_BYTES,
        large_frames: bool = True,
        bytes_per_round: int | str | None = None,
        messages_per_round: int | None = None,
        fpu: bool = True,
    ) -> Client:
        """Makes a protection domain a client: it gets four memory regions and a channel to central.

        Args:
            domain: A protection domain. It is added to the system with `sdf.add_pd`, before or after.
            transmit_bytes: Bytes of the region `_tx`, rounded up to whole pages. `UNUSED_BUFFER_BYTES` is
                right for a client that does not send.
            receive_bytes: The same for `_rx`.
            large_frames: Make these two of pages of 2 MiB, which central maps once for a batch of messages.
                Without them, each message costs maps and unmaps of its pages of 4 KiB.
            bytes_per_round: How much central copies for the client in one round: bytes, or as in "64 KiB".
            messages_per_round: How many messages central takes from the client in one round.
            fpu: Whether its program uses floating-point and vector registers. Without them, switching to it
                costs the kernel less.

        Raises:
            UsageError: It cannot be made a client.
        """
        self._open("Ferry.add_client")
        name = _name("Ferry.add_client", domain)
        where = f"Ferry.add_client({name})"
        if name in self._clients:
            raise UsageError(where, "it is a client already", "keep what the first call returned")
        if name in (CENTRAL.name, TICKER.name):
            raise UsageError(where, f"the name `{name}` belongs to Ferry", "choose another name")
        for argument, size in (("transmit_bytes", transmit_bytes), ("receive_bytes", receive_bytes)):
            _fits(where, argument, size, _BITS_OF_SIZE)
        page = LARGE_PAGE_BYTES if large_frames else PAGE_BYTES
        buffers = {"tx": _whole_pages(transmit_bytes, page), "rx": _whole_pages(receive_bytes, page)}
        channel = self._connect(where, domain)
        for part in CLIENT_REGIONS:
            size = buffers[part.suffix] if part.bytes is None else part.bytes
            region = self._region(f"{name}_{part.suffix}", size, page if part.bytes is None else PAGE_BYTES)
            _map(domain, region, part.permissions, part.address_symbol, part.size_symbol)
            if part.central_permissions is not None:
                _map(self._central, region, part.central_permissions)
        client = Client(
            domain=domain,
            transmit_bytes=buffers["tx"],
            receive_bytes=buffers["rx"],
            large_frames=large_frames,
            bytes_per_round=bytes_per_round,
            messages_per_round=messages_per_round,
            fpu=fpu,
            channel=channel,
        )
        self._clients[name] = client
        return client

    def add_flow(
        self,
        source: Client,
        target: Client,
        *,
        flow_class: FlowClass | None = None,
        mapping: FrameMapping | None = None,
        max_message: int | str | None = None,
        guards: Sequence[Client | Quorum] = (),
        verdict_within: int | None = None,
        one_way: bool = False,
        return_path: str | None = None,
        audit: AuditRecords | None = None,
    ) -> Flow:
        """Lets one client send to another. What no flow allows cannot happen.

        Args:
            source: The client that sends.
            target: The client that receives.
            flow_class: "normal", or "urgent": may use the urgent class, which central serves first.
            mapping: "each": frames are unmapped before the sender sees `Done`; "keep": they stay mapped while
                there is work, which is faster and isolates less.
            max_message: The longest message: bytes, or as in "64 KiB".
            guards: Who has to pass each message, one stage after the other: a client that has no flow of its
                own, or so many of several.
            verdict_within: Ticks in which the guards of a stage have to answer.
            one_way: Nothing about the receiver comes back to the sender.
            return_path: Why it is right that the receiver of a one-way flow can influence the sender in
                another way. The isolation report prints it.
            audit: "refusals": the audit log gets what is refused or judged; "all": every message too.

        Raises:
            UsageError: There cannot be such a flow.
        """
        self._open("Ferry.add_flow")
        members = [
            guard for stage in guards for guard in (stage.of if isinstance(stage, Quorum) else (stage,))
        ]
        for end in (source, target, *members):
            if not isinstance(end, Client) or self._clients.get(end.name) is not end:
                raise UsageError(
                    "Ferry.add_flow",
                    f"{end!r} is no client of this system",
                    "give what `add_client` returned",
                )
        pair = (source.name, target.name)
        where = f"Ferry.add_flow({source.name}, {target.name})"
        if source is target:
            raise UsageError(
                where, "a client reaches its own memory without central", "give two different clients"
            )
        if pair in self._flows:
            raise UsageError(where, "there is this flow already", "remove one of the two calls")
        _is_word(where, "flow_class", flow_class, get_args(FlowClass))
        _is_word(where, "mapping", mapping, get_args(FrameMapping))
        _is_word(where, "audit", audit, get_args(AuditRecords))
        flow = Flow(
            source=source,
            target=target,
            flow_class=flow_class,
            mapping=mapping,
            max_message=max_message,
            guards=tuple(guards),
            verdict_within=verdict_within,
            one_way=one_way,
            return_path=return_path,
            audit=audit,
        )
        self._flows[pair] = flow
        return flow

    def set_audit(
        self,
        reader: Domain,
        *,
        log_bytes: int = 0x1_0000,
        records: AuditRecords | None = None,
        region: str = "audit_log",
    ) -> None:
        """Lets central write an audit log, which one protection domain reads.

        Args:
            reader: A protection domain that is no client. Central signals it.
            log_bytes: Bytes of the log, rounded up to whole pages. A page holds 32 records.
            records: Of flows that do not say it themselves, "refusals": what is refused or judged; "all":
                every message too.
            region: The name of its memory region.

        Raises:
            UsageError: There is a log already, or the reader cannot be connected.
        """
        self._open("Ferry.set_audit")
        where = f"Ferry.set_audit({_name('Ferry.set_audit', reader)})"
        if self._audit is not None:
            raise UsageError(where, "there is an audit log already", "remove one of the two calls")
        _fits(where, "log_bytes", log_bytes, _BITS_OF_SIZE)
        _is_word(where, "records", records, get_args(AuditRecords))
        log = self._region(region, _whole_pages(log_bytes, PAGE_BYTES), PAGE_BYTES)
        _map(self._central, log, "rw")
        _map(reader, log, "r", AUDIT_SYMBOL, f"{AUDIT_SYMBOL}_size")
        self._connect(where, reader, symbol=None)
        self._audit = Audit(region, records)

    def set_schedule(self, slots: Sequence[TimeSlot], members: Mapping[str, Iterable[Domain]]) -> None:
        """Gives the system a domain schedule, for which sdfgen has no call.

        Args:
            slots: The time slots, which the kernel goes through again and again.
            members: The protection domains in each scheduling domain. Each one of the system is in one of
                them; `Ferry.central` and `Ferry.ticker` too.

        Raises:
            UsageError: There is a schedule already, or a protection domain is in two scheduling domains.
        """
        where = "Ferry.set_schedule"
        self._open(where)
        if self._schedule:
            raise UsageError(where, "there is a schedule already", "remove one of the two calls")
        for slot in slots:
            _fits(where, "duration_us", slot.duration_us, _BITS_OF_SIZE)
        found: dict[str, str] = {}
        for scheduling, domains in members.items():
            for domain in domains:
                name = _name(where, domain)
                if name in found:
                    problem = f"`{name}` is in `{found[name]}` and in `{scheduling}`"
                    raise UsageError(where, problem, "leave it out of one of them")
                found[name] = scheduling
        self._schedule, self._members = tuple(slots), found

    def add_partition(self, scheduling: str, *, period_us: int, priority: int = ANNOUNCER_PRIORITY) -> Domain:
        """Makes a scheduling domain a partition: central serves its clients only after its own time slots.

        Each scheduling domain with clients is a partition, or none is.

        Args:
            scheduling: The scheduling domain, of those that `set_schedule` was given.
            period_us: Microseconds after which its announcer runs again: at most half the time from the
                beginning of one of its time slots to the beginning of the next.
            priority: The announcer's priority, above those of all others in the scheduling domain.

        Returns:
            The announcer, a protection domain that tells central of the time slots.

        Raises:
            UsageError: There is no such scheduling domain, or it is a partition already.
        """
        self._open("Ferry.add_partition")
        where = f"Ferry.add_partition({scheduling})"
        known = list(dict.fromkeys(slot.domain for slot in self._schedule))
        if scheduling not in known:
            names = " or ".join(f'"{name}"' for name in known)
            remedy = f"give {names}" if known else "call `set_schedule` before"
            raise UsageError(where, "the schedule has no scheduling domain of that name", remedy)
        name = f"{scheduling}{ANNOUNCER_SUFFIX}"
        if name in self._announcers:
            raise UsageError(where, "it is a partition already", "remove one of the two calls")
        _fits(where, "period_us", period_us, _BITS_OF_TIME)
        _fits(where, "priority", priority, _BITS_OF_PRIORITY)
        announcer = Domain(
            name,
            TICKER.image,
            priority=priority,
            budget=min(ANNOUNCER_BUDGET_US, period_us // 2),
            period=period_us,
            stack_size=TICKER.stack_bytes,
        )
        self._sdf.add_pd(announcer)
        self._connect(where, announcer)
        self._announcers.append(name)
        self._members[name] = scheduling
        return announcer

    def trust_domain(self, domain: Domain, *, reason: str) -> None:
        """Takes the responsibility for a protection domain that stands between two clients.

        Args:
            domain: A protection domain that carries nothing from one client to another.
            reason: Why that is so. The isolation report prints it.
        """
        self._open("Ferry.trust_domain")
        self._trusted.append(Trust("domain", _name("Ferry.trust_domain", domain), reason))

    def trust_device(self, device: str, *, reason: str) -> None:
        """Takes the responsibility for a device that reaches no memory but its driver's.

        Args:
            device: The name of the region of its registers, or as `ferry check` names it.
            reason: Why that is so. The isolation report prints it.
        """
        self._open("Ferry.trust_device")
        self._trusted.append(Trust("device", device, reason))

    def set_restarts(self, domain: Domain, times: int) -> None:
        """Says how often a protection domain is started again after a fault, before it is given up."""
        self._open("Ferry.set_restarts")
        self._restarts[_name("Ferry.set_restarts", domain)] = times

    def render(self) -> Description:
        """Returns the texts of both files. Nothing can be added to the system any more.

        Use this in place of the `render` of the system.

        Raises:
            UsageError: A client is not in the system, or the system was rendered before.
        """
        if self._description is None:
            self._open("Ferry.render")
            self._is_rendered = True
            needed = CONFIG.bytes + CONFIG.bytes_per_client * len(self._clients)
            needed += CONFIG.bytes_per_flow * len(self._flows)
            needed += CONFIG.bytes_per_stage * sum(len(flow.guards) for flow in self._flows.values())
            config = self._region(CONFIG.region, _whole_pages(needed, PAGE_BYTES), PAGE_BYTES)
            _map(self._central, config, CONFIG.permissions, CONFIG.address_symbol, CONFIG.size_symbol)
            clients = self._clients.values()
            programs = [CENTRAL, *([TICKER] if self._tick else [])]
            without_fpu = [program.name for program in programs if not program.fpu]
            without_fpu += self._announcers
            without_fpu += [client.name for client in clients if not client.fpu]
            system = complete(
                self._sdf.render(),
                page_bytes=self._page_bytes,
                without_fpu=without_fpu,
                clients=list(self._clients),
                schedule=self._schedule,
                members=self._members,
            )
            flows = flows_text(
                tick=self._tick,
                audit=self._audit,
                clients=clients,
                flows=self._flows.values(),
                partitions=self._announcers,
                trusted=self._trusted,
                restarts=self._restarts,
            )
            self._description = Description(system, flows)
        return self._description

    def write(self, directory: str | os.PathLike[str], *, program: str | None = "ferry") -> None:
        """Writes `system.xml` and `flows.toml`, if `ferry check` finds no mistake in them.

        Args:
            directory: The directory of the project. It is made if it does not exist.
            program: Name or path of Ferry's command line. None: the files are written unchecked, and whoever
                builds the system checks them.

        Raises:
            UsageError: A client is not in the system, or the system was rendered before.
            CheckError: The files would break rules.
            ProgramError: Ferry's command line cannot be started.
        """
        description = self.render()
        if program is not None:
            description.check(program)
        description.write(directory)

    def _open(self, where: str) -> None:
        if self._is_rendered:
            raise UsageError(
                where,
                "the system was rendered, and sdfgen renders a system only once",
                "add everything before `render` or `write`",
            )

    def _region(self, name: str, size: int, page: int) -> SystemDescription.MemoryRegion:
        region = SystemDescription.MemoryRegion(self._sdf, name, size)
        self._sdf.add_mr(region)
        self._page_bytes[name] = page
        return region

    def _connect(self, where: str, domain: Domain, symbol: str | None = CHANNEL_SYMBOL) -> int:
        """Makes a channel to central. Returns its number in the protection domain."""
        try:
            channel = _Channel(self._central, domain, pd_b_setvar_id=symbol)
        except Exception as cause:
            problem = f"sdfgen cannot connect it to central: {cause}"
            remedy = "give up one of its channels or interrupts; a protection domain has numbers for 62"
            raise UsageError(where, problem, remedy) from cause
        self._sdf.add_channel(channel)
        return channel.pd_b_id


def _map(
    domain: Domain,
    region: SystemDescription.MemoryRegion,
    permissions: str,
    address_symbol: str | None = None,
    size_symbol: str | None = None,
) -> None:
    place = domain.get_map_vaddr(region)
    domain.add_map(
        SystemDescription.Map(
            region, place, permissions, setvar_vaddr=address_symbol, setvar_size=size_symbol
        )
    )


def _whole_pages(size: int, page: int) -> int:
    return -(-size // page) * page


def _name(where: str, domain: Domain) -> str:
    if not isinstance(domain, Domain):
        raise UsageError(
            where, f"{domain!r} is no protection domain", "give a `SystemDescription.ProtectionDomain`"
        )
    return domain.name


def _fits(where: str, argument: str, value: int, bits: int) -> None:
    if not 0 <= value < 1 << bits:
        raise UsageError(where, f"{argument} is {value}", f"give a whole number from 0 to {(1 << bits) - 1}")


def _is_word(where: str, argument: str, word: str | None, words: tuple[str, ...]) -> None:
    if word is not None and word not in words:
        known = " or ".join(f'"{known}"' for known in words)
        raise UsageError(where, f"{argument} is {word!r}", f"give {known}, or leave it out")
