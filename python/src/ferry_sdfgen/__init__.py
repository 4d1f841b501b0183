"""Adds Ferry's central, clients and flows to a Microkit system that is made with `sdfgen`.

The system is an ordinary one of `sdfgen`. A client is one of its protection domains. This module adds
memory, maps and channels as `ferry add client` does, and writes `system.xml` and `flows.toml`:

    from ferry_sdfgen import Ferry
    from sdfgen import SystemDescription

    sdf = SystemDescription(SystemDescription.Arch.AARCH64, 0x8000_0000)
    ferry = Ferry(sdf)
    sensor = SystemDescription.ProtectionDomain("sensor", "sensor.elf", priority=100)
    logger = SystemDescription.ProtectionDomain("logger", "logger.elf", priority=100)
    for domain in (sensor, logger):
        sdf.add_pd(domain)
    ferry.add_flow(ferry.add_client(sensor), ferry.add_client(logger), max_message="4 KiB")
    ferry.write(".")

Names, sizes and symbols come from Ferry's own sources, and the rules are those of `ferry check`, which
`Ferry.write` asks.
"""

from ._clients import Client, Flow, Quorum, Tick, TimeSlot, Trust
from ._description import Description
from ._errors import CheckError, FerryError, Mistake, ProgramError, UsageError
from ._pattern import BUFFER_BYTES, UNUSED_BUFFER_BYTES, AuditRecords, FlowClass, FrameMapping
from ._system import Ferry

__all__ = [
    "BUFFER_BYTES",
    "UNUSED_BUFFER_BYTES",
    "AuditRecords",
    "CheckError",
    "Client",
    "Description",
    "Ferry",
    "FerryError",
    "Flow",
    "FlowClass",
    "FrameMapping",
    "Mistake",
    "ProgramError",
    "Quorum",
    "Tick",
    "TimeSlot",
    "Trust",
    "UsageError",
]
