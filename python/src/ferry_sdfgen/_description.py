"""The two files of a system as text: they are checked by `ferry check`, which knows the rules, and written.

This module has no rule of its own. So what it writes is what the `ferry` that builds the system accepts.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import CheckError, Mistake, ProgramError

if TYPE_CHECKING:
    import os

SYSTEM_FILE = "system.xml"
FLOWS_FILE = "flows.toml"


@dataclass(frozen=True)
class Description:
    """The texts of `system.xml` and `flows.toml`."""

    system: str
    flows: str

    def check(self, program: str = "ferry") -> None:
        """Asks `ferry check` whether a system can be built of the two files.

        Args:
            program: Name or path of Ferry's command line.

        Raises:
            CheckError: The files break rules.
            ProgramError: The command line cannot be started, or is of another version.
        """
        with tempfile.TemporaryDirectory() as directory:
            system, flows = (Path(directory, name) for name in (SYSTEM_FILE, FLOWS_FILE))
            system.write_text(self.system, encoding="utf-8")
            flows.write_text(self.flows, encoding="utf-8")
            command = [program, "check", "--system", str(system), "--flows", str(flows), "--format", "json"]
            try:
                done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
            except OSError as cause:
                remedy = "run `cargo install --locked --path ferry` in Ferry's sources, or give its path"
                raise ProgramError(program, f"cannot be started: {cause.strerror}", remedy) from cause
        mistakes = self._mistakes(program, done)
        if mistakes:
            raise CheckError(mistakes)
        if done.returncode != 0:
            raise _unexpected(program, done)

    def write(self, directory: str | os.PathLike[str]) -> None:
        """Writes both files into a directory. It is made if it does not exist.

        Each file is written beside its place and then renamed, so a reader sees an old or a new file.
        """
        place = Path(directory)
        place.mkdir(parents=True, exist_ok=True)
        for name, text in ((SYSTEM_FILE, self.system), (FLOWS_FILE, self.flows)):
            with tempfile.TemporaryDirectory(dir=place, prefix=".ferry-") as beside:
                new = Path(beside, name)
                new.write_text(text, encoding="utf-8")
                new.replace(place / name)

    def _mistakes(self, program: str, done: subprocess.CompletedProcess[str]) -> tuple[Mistake, ...]:
        try:
            rows = json.loads(done.stdout)["mistakes"]
            return tuple(self._mistake(row) for row in rows)
        except (ValueError, KeyError, TypeError) as cause:
            raise _unexpected(program, done) from cause

    def _mistake(self, row: dict[str, Any]) -> Mistake:
        file, line = Path(str(row["file"])).name, int(row["line"])
        lines = (self.flows if file == FLOWS_FILE else self.system).splitlines()
        text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        rule, what, remedy = (str(row[key]) for key in ("rule", "what", "remedy"))
        return Mistake(rule=rule, file=file, line=line, what=what, remedy=remedy, text=text)


def _unexpected(program: str, done: subprocess.CompletedProcess[str]) -> ProgramError:
    said = done.stderr.strip() or "nothing"
    problem = f"ended with {done.returncode} and without a report that this module can read; it said: {said}"
    return ProgramError(program, problem, "use the `ferry` of the same sources as this module")
