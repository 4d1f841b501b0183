"""What `sdfgen` renders, completed by the attributes that it has no parameters for.

`sdfgen` renders a system once. Each later call returns the first text again, whatever was added since. So
this module looks whether the parts that it added last are there.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from ._errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._clients import TimeSlot

_OPENING = " Written by ferry_sdfgen. Change the program that writes this file, and not the file. "


def complete(
    rendered: str,
    *,
    page_bytes: Mapping[str, int],
    without_fpu: Sequence[str],
    clients: Sequence[str],
    schedule: Sequence[TimeSlot] = (),
    members: Mapping[str, str] | None = None,
) -> str:
    """Returns the system description with what `sdfgen` cannot say.

    That is page sizes, protection domains without floating-point registers, and a domain schedule.

    Args:
        rendered: What `sdfgen` has rendered.
        page_bytes: The size of the pages of each of Ferry's regions.
        without_fpu: Protection domains that use no floating-point registers.
        clients: Protection domains that must be in the system.
        schedule: The time slots of the domain schedule, if there is one.
        members: The scheduling domains of protection domains, by the names of these.
    """
    # The text is that of a library in this process, and not of somebody who could attack the parser.
    root = ET.fromstring(rendered)
    regions = {element.get("name"): element for element in root.iter("memory_region")}
    domains = {element.get("name"): element for element in root.iter("protection_domain")}
    for name, size in page_bytes.items():
        if name not in regions:
            raise UsageError(
                "Ferry.render",
                f"the system was rendered before it was complete: `{name}` is missing",
                "remove what calls `render()` of the system before; sdfgen renders a system only once",
            )
        regions[name].set("page_size", f"{size:#x}")
    for name in clients:
        if name not in domains:
            raise UsageError(
                "Ferry.render",
                f"the client `{name}` is not in the system",
                "add it with `sdf.add_pd`, or as a child of a protection domain that is there",
            )
    for name in without_fpu:
        domains[name].set("fpu", "false")
    for name, domain in (members or {}).items():
        if name not in domains:
            raise UsageError(
                "Ferry.render",
                f"`{name}` has a scheduling domain and is not in the system",
                "add it with `sdf.add_pd`, or leave it out of the schedule",
            )
        domains[name].set("domain", domain)
    if schedule:
        root.insert(0, _schedule(schedule))
    root.insert(0, ET.Comment(_OPENING))
    ET.indent(root, "    ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _schedule(slots: Sequence[TimeSlot]) -> ET.Element:
    """The element `<domains>`, which comes before all protection domains."""
    element = ET.Element("domains")
    for name in dict.fromkeys(slot.domain for slot in slots):
        ET.SubElement(element, "domain", name=name)
    cycle = ET.SubElement(element, "domain_schedule")
    for slot in slots:
        ET.SubElement(cycle, "schedule_entry", domain=slot.domain, duration=f"{slot.duration_us} us")
    return element
