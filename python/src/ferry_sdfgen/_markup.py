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

_OPENING = " Written by ferry_sdfgen. Change the program that writes this file, and not the file. "


def complete(
    rendered: str, *, page_bytes: Mapping[str, int], without_fpu: Sequence[str], clients: Sequence[str]
) -> str:
    """Returns the system description with its page sizes and without needless floating-point registers.

    Args:
        rendered: What `sdfgen` has rendered.
        page_bytes: The size of the pages of each of Ferry's regions.
        without_fpu: Protection domains that use no floating-point registers.
        clients: Protection domains that must be in the system.
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
    root.insert(0, ET.Comment(_OPENING))
    ET.indent(root, "    ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
