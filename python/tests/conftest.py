"""What all tests use: Ferry's command line, and a small system."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sdfgen import SystemDescription

from ferry_sdfgen import UNUSED_BUFFER_BYTES, Client, Ferry

ROOT = Path(__file__).parents[2]


def domain(
    name: str, *, priority: int = 100, program: str | None = None
) -> SystemDescription.ProtectionDomain:
    """A protection domain as `ferry add client` makes it."""
    return SystemDescription.ProtectionDomain(
        name, program or f"{name}.elf", priority=priority, stack_size=0x10000
    )


@dataclass
class Pair:
    """A system in which `alice` may send to `bob`."""

    sdf: SystemDescription
    ferry: Ferry
    alice: Client
    bob: Client


def system() -> SystemDescription:
    """A system without anything in it."""
    return SystemDescription(SystemDescription.Arch.X86_64, 0x8000_0000)


@pytest.fixture
def pair() -> Pair:
    """A system in which `alice` may send to `bob`."""
    sdf = system()
    ferry = Ferry(sdf)
    domains = [domain("alice"), domain("bob")]
    for each in domains:
        sdf.add_pd(each)
    alice = ferry.add_client(domains[0], receive_bytes=UNUSED_BUFFER_BYTES)
    bob = ferry.add_client(domains[1], transmit_bytes=UNUSED_BUFFER_BYTES)
    ferry.add_flow(alice, bob)
    return Pair(sdf, ferry, alice, bob)


@pytest.fixture(scope="session")
def program() -> str:
    """Ferry's command line: the one that FERRY_PROGRAM names, or the installed one."""
    return os.environ.get("FERRY_PROGRAM", "ferry")


def run(program: str, *arguments: str, cwd: Path) -> str:
    """Runs the command line. Returns what it prints."""
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout
