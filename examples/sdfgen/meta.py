"""Describes a system with some sensors and a collector, and writes its `system.xml` and `flows.toml`.

Each sensor is a protection domain of its own. It shares no memory with the others, and can reach the
collector alone. How many there are is said here and nowhere else.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdfgen import SystemDescription

from ferry_sdfgen import UNUSED_BUFFER_BYTES, Ferry, FerryError

ProtectionDomain = SystemDescription.ProtectionDomain

STACK_BYTES = 0x1_0000


def describe(sensors: int) -> Ferry:
    """A system with so many sensors."""
    # sdfgen wants to know a board. Nothing of this system depends on it, so it can be built for all boards.
    sdf = SystemDescription(SystemDescription.Arch.X86_64, 0x8000_0000)
    ferry = Ferry(sdf)

    collector = ProtectionDomain("collector", "collector.elf", priority=110, stack_size=STACK_BYTES)
    sdf.add_pd(collector)
    target = ferry.add_client(collector, transmit_bytes=UNUSED_BUFFER_BYTES, fpu=False)
    for number in range(sensors):
        sensor = ProtectionDomain(f"sensor_{number}", "sensor.elf", priority=100, stack_size=STACK_BYTES)
        sdf.add_pd(sensor)
        source = ferry.add_client(sensor, receive_bytes=UNUSED_BUFFER_BYTES, fpu=False)
        ferry.add_flow(source, target, max_message="4 KiB")
    return ferry


def main() -> int:
    """Reads the arguments and writes the files."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sensors", type=int, default=3, help="how many sensors there are (default 3)")
    arguments.add_argument(
        "--output", type=Path, default=Path(__file__).parent, help="the project's directory"
    )
    arguments.add_argument("--ferry", default="ferry", help="Ferry's command line, which checks the files")
    given = arguments.parse_args()
    try:
        describe(given.sensors).write(given.output, program=given.ferry)
    except FerryError as error:
        print(f"meta.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
