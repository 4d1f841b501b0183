"""The example boots on seL4, and its number of sensors is a parameter."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import tomllib

from conftest import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples/sdfgen"


def meta(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the example's program."""
    command = [sys.executable, str(EXAMPLE / "meta.py"), "--ferry", program, *arguments]
    return subprocess.run(command, capture_output=True, check=False, encoding="utf-8")


def test_the_system_boots_on_classic(program: str) -> None:
    done = meta(program)
    assert done.returncode == 0, done.stderr
    said = run(program, "test", "--platform", "classic", cwd=EXAMPLE)
    assert "test result: ok. 2 passed; 0 failed; 0 ignored" in said


def test_there_are_as_many_sensors_as_are_asked_for(program: str, tmp_path: Path) -> None:
    done = meta(program, "--sensors", "31", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    flows = tomllib.loads((tmp_path / "flows.toml").read_text())["flow"]
    assert [flow["from"] for flow in flows] == [f"sensor_{number}" for number in range(31)]
    many = meta(program, "--sensors", "32", "--output", str(tmp_path / "many"))
    assert many.returncode == 1
    assert "33 clients are more than central can serve; keep to 32" in many.stderr
    assert not (tmp_path / "many").exists()
