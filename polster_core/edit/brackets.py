"""Items between brackets: put one in or take one out, and leave the layout as it is.

Taking out undoes putting in, byte for byte, whatever the layout. That is why lists are not laid
out again as ruff would: what was on one line and what had a line for each item would be the same
once it is too long for a line, and nothing would tell them apart when it is short again. So a
list keeps a line for each item, which is what a list that starts empty gets; and items on one line
go on on a second one below the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from polster_core.edit.sorting import moved
from polster_core.edit.splice import Span, Splice, Text

WIDTH = 100
"""Columns: the line length of generated projects."""
INDENT = b"    "
_TO_COMMENT = re.compile(rb"[ \t\f]*(#.*)?[\r\n]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its code, the comma behind it, and its text where it is a plain string."""

    value: Span
    comma: Span | None = None
    text: str | None = None

    @property
    def end(self) -> int:
        """Where the item ends, with its comma."""
        return self.comma.end if self.comma else self.value.end


@dataclass(frozen=True)
class Items:
    """The items of a list, a tuple or an import.

    `inside` is what the brackets enclose; `whole` includes them. `closes` says whether the
    statement ends with the closing bracket, so that the items may be laid out again.
    """

    source: Text
    items: tuple[Item, ...]
    whole: Span
    inside: Span
    is_tuple: bool = False
    closes: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether there are no brackets."""
        return self.whole == self.inside

    def with_item(self, index: int, code: bytes) -> list[Splice]:
        """Return the splices that put an item at `index`."""
        codes = [*self._codes[:index], code, *self._codes[index:]]
        if self._is_filled:
            return [Splice(self.inside, self._filled(codes))]
        if not self.items:
            return [Splice(_at(self.inside.start), self._first(code))]
        for gap in (b"", b" "):
            splices = list(self._inserted(index, code, gap))
            # Lines that are full by chance would be filled again when the item is taken out.
            if self._after(splices) != self._filled(codes):
                break
        return splices

    def without(self, index: int) -> list[Splice]:
        """Return the splices that take out the item at `index`."""
        if self._is_filled:
            rest = self._codes[:index] + self._codes[index + 1 :]
            return [Splice(self.inside, self._filled(rest))]
        if len(self.items) == 1:
            return [self._without_only()]
        if self._is_alone(self.items[index]):
            return list(self._without_line(index))
        return list(self._without_inline(index))

    def renamed(self, index: int, code: bytes, text: str) -> list[Splice]:
        """Return the splices that turn the item at `index` into another, and keep the order."""
        target = index if self._is_fixed() else moved(self._texts(), index, text)
        fresh = [*self._codes[:index], *self._codes[index + 1 :]]
        fresh.insert(target, code)
        return [
            Splice(item.value, new)
            for item, old, new in zip(self.items, self._codes, fresh, strict=True)
            if old != new
        ]

    def _texts(self) -> list[str]:
        return [item.text or "" for item in self.items]

    def _is_fixed(self) -> bool:
        """Whether the order cannot be judged, or comments belong to their items."""
        between = self.source.code(self.inside)
        for code in self._codes:
            between = between.replace(code, b"", 1)
        return b"#" in between or any(item.text is None for item in self.items)

    @cached_property
    def _codes(self) -> list[bytes]:
        return [self.source.code(item.value) for item in self.items]

    @cached_property
    def _is_filled(self) -> bool:
        """Whether the items are as `_filled` writes them."""
        if not self.closes or not (self.items or self.is_tuple):
            return False
        return self.source.code(self.inside) == self._filled(self._codes)

    def _filled(self, codes: Sequence[bytes]) -> bytes:
        """Write items on one line, or on as many full lines as they need."""
        if self.is_tuple and len(codes) == 1:
            return codes[0] + b","
        head = self.inside.start - self.source.line_start(self.inside.start)
        lines: list[bytes] = []
        for code in codes:
            if lines and head + len(lines[-1]) + len(b", ") + len(code) < WIDTH:
                lines[-1] += b", " + code
            else:
                lines.append(code)
        return (b"," + self.source.newline + b" " * head).join(lines)

    def _first(self, code: bytes) -> bytes:
        """Write the only item: on a line of its own where it will get company."""
        if self.is_tuple:
            return code + b","
        if not self.closes or not self.inside.is_empty:
            return code
        return self.source.newline + INDENT + code + b"," + self.source.newline

    def _inserted(self, index: int, code: bytes, gap: bytes) -> Iterator[Splice]:
        if index < len(self.items):
            return self._before(index, code, gap)
        return self._behind(code, gap)

    def _after(self, splices: Iterable[Splice]) -> bytes:
        """Return what the brackets enclose once splices are made."""
        grown = self.source.spliced(splices)
        tail = len(self.source.text) - self.inside.end
        return grown[self.inside.start : len(grown) - tail]

    def _begins_line(self, item: Item) -> bool:
        start = self.source.line_start(item.value.start)
        return start >= self.inside.start and self.source.is_blank(Span(start, item.value.start))

    def _ends_line(self, place: int) -> bool:
        """Whether only a comment may follow on the line of a place."""
        rest = self.source.code(Span(place, self.source.line_end(place)))
        return _TO_COMMENT.fullmatch(rest) is not None and place < self.inside.end

    def _is_alone(self, item: Item) -> bool:
        return self._begins_line(item) and self._ends_line(item.end)

    def _before(self, index: int, code: bytes, gap: bytes) -> Iterator[Splice]:
        item = self.items[index]
        if self._begins_line(item):
            floor = self.source.line_end(self.inside.start)
            if index:
                floor = max(floor, self.source.line_end(self.items[index - 1].end))
            place = self.source.above_comments(item.value.start, floor)
            yield Splice(_at(place), self._indent(item) + gap + code + b"," + self.source.newline)
            return
        yield Splice(_at(item.value.start), code + b", " + gap)
        if self._is_pair_to_be() and item.comma:
            yield Splice(item.comma)

    def _behind(self, code: bytes, gap: bytes) -> Iterator[Splice]:
        last = self.items[-1]
        if self._is_alone(last):
            comma = b"," if last.comma else b""
            line = self._indent(last) + gap + code + comma + self.source.newline
            if not last.comma:
                yield Splice(_at(last.value.end), b",")
            yield Splice(_at(self.source.line_end(last.end)), line)
        elif last.comma:
            comma = b"" if self._is_pair_to_be() else b","
            yield Splice(_at(last.end), b" " + gap + code + comma)
        else:
            yield Splice(_at(last.end), b", " + gap + code)

    def _is_pair_to_be(self) -> bool:
        """Whether this is a tuple of one, whose comma a tuple of two does not need."""
        return self.is_tuple and len(self.items) == 1 and not self._is_alone(self.items[0])

    def _without_only(self) -> Splice:
        (item,) = self.items
        outer = (Span(self.inside.start, item.value.start), Span(item.end, self.inside.end))
        if self.is_bare:
            return Splice(Span(item.value.start, item.end), b"()")
        if not self._is_alone(item):
            return Splice(Span(item.value.start, item.end))
        if all(self.source.is_blank(span) for span in outer):
            return Splice(self.inside)
        return Splice(self._line_of(item))

    def _without_line(self, index: int) -> Iterator[Splice]:
        item = self.items[index]
        yield Splice(self._line_of(item))
        before = self.items[index - 1]
        if not item.comma and index and before.comma:
            yield Splice(before.comma)

    def _without_inline(self, index: int) -> Iterator[Splice]:
        item, last = self.items[index], len(self.items) - 1
        leaves_one = self.is_tuple and last == 1 and not self.items[last].comma
        if index == last:
            before = self.items[last - 1]
            keeps_comma = item.comma or leaves_one
            yield Splice(Span(before.end if keeps_comma else before.value.end, item.end))
            return
        following = self.items[index + 1].value.start
        if index and self.source.line(following) != self.source.line(item.end):
            yield Splice(Span(self.items[index - 1].end, item.end))
        else:
            yield Splice(Span(item.value.start, following))
        if leaves_one:
            yield Splice(_at(self.items[last].value.end), b",")

    def _line_of(self, item: Item) -> Span:
        start = self.source.line_start(item.value.start)
        return Span(start, self.source.line_end(item.end))

    def _indent(self, item: Item) -> bytes:
        start = self.source.line_start(item.value.start)
        return self.source.code(Span(start, item.value.start))


def _at(place: int) -> Span:
    return Span(place, place)


__all__ = ["INDENT", "WIDTH", "Item", "Items"]
