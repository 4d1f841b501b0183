"""The program that `docs/sdfgen.md` shows works as it is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import ROOT

if TYPE_CHECKING:
    import pytest


def test_the_program_of_the_page_works(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/sdfgen.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    # The page takes the command line from PATH.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ferry").symlink_to(Path(program).absolute())
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    exec(compile(shown, "docs/sdfgen.md", "exec"), {})
    assert '<protection_domain name="sensor"' in (tmp_path / "system.xml").read_text()
    assert 'class = "urgent"' in (tmp_path / "flows.toml").read_text()
