"""A resource of the machine or of a server that ran out while a level was measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Exhaustion:
    """One resource that workflows failed for.

    Attributes:
        resource: Its name for people: ``local ports``.
        errors: Errors of the whole level that were for lack of a resource, of this one or of
            others that are named beside it.
        used: Maximum that was in use in a sample; None if it was not measured.
        limit: What may be in use; None if that is unknown.
        source: Where the limit is set; may be empty.
        remedy: What to do.
    """

    resource: str
    errors: int
    used: float | None
    limit: float | None
    source: str
    remedy: str

    @property
    def sentence(self) -> str:
        """The finding with its figures, and what to do."""
        counted = ""
        if self.limit is not None:
            used = "an unknown number" if self.used is None else f"{self.used:,.0f}"
            counted = f": {used} of {self.limit:,.0f} in use at most ({self.source})"
        elif self.source:
            counted = f" ({self.source})"
        return f"{self.resource} ran out{counted}; {self.remedy}"
