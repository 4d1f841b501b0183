"""What Ferry adds to a system: names, sizes, permissions and symbols.

`make python-pattern` writes this file from what `ferry new` and `ferry add client` write. A test of `ferry`
compares it.
"""

from typing import Final, Literal, TypeAlias

from ._parts import ClientRegion, Config, Program

CENTRAL: Final = Program(
    name="central",
    image="central.elf",
    priority=200,
    stack_bytes=0x10000,
    fpu=True,
)
TICKER: Final = Program(
    name="ticker",
    image="ticker.elf",
    priority=220,
    stack_bytes=0x2000,
    fpu=False,
)
TICK_BUDGET_US: Final = 1000
TICK_PERIOD_US: Final = 10000

CONFIG: Final = Config(
    region="ferry_config",
    permissions="r",
    address_symbol="ferry_config",
    size_symbol="ferry_config_size",
    bytes=56,
    bytes_per_client=184,
    bytes_per_flow=28,
    bytes_per_stage=8,
)

CLIENT_REGIONS: Final = (
    ClientRegion(
        suffix="out",
        bytes=0x3000,
        permissions="rw",
        address_symbol="ferry_out",
        size_symbol="ferry_out_size",
        central_permissions="r",
    ),
    ClientRegion(
        suffix="in",
        bytes=0x2000,
        permissions="r",
        address_symbol="ferry_in",
        size_symbol="ferry_in_size",
        central_permissions="rw",
    ),
    ClientRegion(
        suffix="tx",
        bytes=None,
        permissions="rw",
        address_symbol="ferry_tx",
        size_symbol="ferry_tx_size",
        central_permissions=None,
    ),
    ClientRegion(
        suffix="rx",
        bytes=None,
        permissions="r",
        address_symbol="ferry_rx",
        size_symbol="ferry_rx_size",
        central_permissions=None,
    ),
)
CHANNEL_SYMBOL: Final = "ferry_central"

BUFFER_BYTES: Final = 0x40000
UNUSED_BUFFER_BYTES: Final = 0x1000
PAGE_BYTES: Final = 0x1000
LARGE_PAGE_BYTES: Final = 0x200000

ANNOUNCER_SUFFIX: Final = "-begins"
ANNOUNCER_PRIORITY: Final = 230
ANNOUNCER_BUDGET_US: Final = 100

AUDIT_SYMBOL: Final = "ferry_audit"

FlowClass: TypeAlias = Literal["normal", "urgent"]
"""The class of a flow's messages."""
FrameMapping: TypeAlias = Literal["each", "keep"]
"""How long the frames of a flow stay mapped."""
AuditRecords: TypeAlias = Literal["refusals", "all"]
"""What the audit log gets of a flow."""
