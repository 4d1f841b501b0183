"""Why a system cannot be described. Each message says what, where and the remedy."""

from __future__ import annotations

from dataclasses import dataclass


class FerryError(Exception):
    """The base of all errors of this module."""


class UsageError(FerryError, ValueError):
    """A call that this module cannot follow.

    Attributes:
        where: The call, with the name that it was made for.
        problem: What is wrong with it.
        remedy: What to do.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        """Keeps the parts and makes one line of them."""
        super().__init__(f"{where}: {problem}; {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy


class ProgramError(FerryError):
    """The command line of Ferry could not be started, or did not answer as it should."""

    def __init__(self, program: str, problem: str, remedy: str) -> None:
        """Keeps the parts and makes one line of them."""
        super().__init__(f"`{program}` {problem}; {remedy}")
        self.program = program
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class Mistake:
    """A broken rule of Ferry or of Microkit. `docs/system.md` lists the rules."""

    rule: str
    file: str
    line: int
    what: str
    remedy: str
    text: str
    """The line itself. The file was not written."""

    def __str__(self) -> str:
        """One line as `ferry check` prints it, and the line that it is about."""
        return f"{self.file}:{self.line}: {self.what}; {self.remedy}\n    {self.text}"


class CheckError(FerryError):
    """The description breaks rules, says `ferry check`.

    Attributes:
        mistakes: All of them, in the order of the rules.
    """

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        """Keeps the mistakes and lists them."""
        lines = "\n".join(str(mistake) for mistake in mistakes)
        super().__init__(f"the description has mistakes, so nothing was written:\n{lines}")
        self.mistakes = mistakes
