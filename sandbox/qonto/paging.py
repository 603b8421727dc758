"""Qonto's offset pages: `page` and `per_page`."""

from dataclasses import dataclass

from sandbox.qonto.errors import refused
from sandbox.wire import Call

_PER_PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list are asked for."""

    number: int
    per_page: int

    @property
    def start(self) -> int:
        """The position of its first row."""
        return (self.number - 1) * self.per_page

    @property
    def stop(self) -> int:
        """The position after its last row."""
        return self.number * self.per_page

    def meta(self, total: int) -> dict[str, int | None]:
        """What Qonto tells about a list of so many rows beside its rows."""
        pages = -(-total // self.per_page)
        return {
            "current_page": self.number,
            "next_page": self.number + 1 if self.number < pages else None,
            "prev_page": self.number - 1 if self.number > 1 else None,
            "total_pages": pages,
            "total_count": total,
            "per_page": self.per_page,
        }


def read_page(call: Call) -> Page:
    """The page a request asks for; `current_page` is what older clients send. Raises Refused."""
    number = _positive(call, "page") or _positive(call, "current_page") or 1
    return Page(number, min(_PER_PAGE_MAX, _positive(call, "per_page") or _PER_PAGE_MAX))


def _positive(call: Call, name: str) -> int | None:
    text = call.parameter(name)
    if text is None:
        return None
    if not text.isdigit() or int(text) < 1:
        raise refused(400, "bad_request", f"{name} must be a positive number", name)
    return int(text)
