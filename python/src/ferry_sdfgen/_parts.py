"""The shape of what Ferry adds to a system. `_pattern.py` has the values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A protection domain of Ferry's own."""

    name: str
    image: str
    priority: int
    stack_bytes: int
    fpu: bool


@dataclass(frozen=True)
class Config:
    """The region with central's configuration, and how it is mapped."""

    region: str
    permissions: str
    address_symbol: str
    size_symbol: str
    bytes: int
    bytes_per_client: int
    bytes_per_flow: int
    bytes_per_stage: int


@dataclass(frozen=True)
class ClientRegion:
    """One of a client's memory regions, and how it is mapped."""

    suffix: str
    bytes: int | None
    """None for a buffer, whose size the client chooses."""
    permissions: str
    address_symbol: str
    size_symbol: str
    central_permissions: str | None
    """None if central does not map it from the start."""
