"""Areas: the places a mobile business comes to, each with its own clock.

A visit takes place where the customer is. So everything that a customer reads or writes is meant by
the clock of their area: days, times, wishes, how far ahead can be booked, when it is night. What is
about the business stays with its own clocks: people's hours, breaks, dated rows and limits go by
their zone, or by the company's where they have none; holidays are dates on those same clocks.
Storage knows moments alone, and with each visit the zone whose clock its customer was told.

A catalogue that is `seen_from` an area shows its clock to whoever asks it for one. What was worked
out from a catalogue is shared by all areas with the same clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from flows.values import valueclass

if TYPE_CHECKING:
    from flows.model import Catalog

_WORDS = re.compile(r"[^\W_]+")
_LONGEST: Final = 40  # characters of a text that may be a code
_DIGITS, _LETTERS = re.compile(r"\d"), re.compile(r"[^\W\d_]")


@valueclass(frozen=True, slots=True)
class Area:
    """A place, by its postal code, and the time zone it is in."""

    id: int
    postal_code: str
    city: str
    state: str
    timezone: str

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone whose clock the customers there read."""
        return ZoneInfo(self.timezone)


def seen_from(catalog: Catalog, area_id: int | None) -> Catalog:
    """Return the catalogue as an area's customers see it; as the company does without one."""
    area = None if area_id is None else catalog.area_by_id.get(area_id)
    if area is catalog.area:
        return catalog
    clocks = catalog.memo.setdefault("clocks", {catalog.timezone: catalog.memo})
    timezone = catalog.company.timezone if area is None else area.timezone
    memo = clocks.setdefault(timezone, {"clocks": clocks})
    views = memo.setdefault("views", {})
    found: Catalog | None = views.get(area_id if area else None)
    if found is None:
        found = replace(catalog, area=area)
        object.__setattr__(found, "memo", memo)  # one for each clock, not for each area
        views[area and area.id] = found
    return found


def area_named(text: str, catalog: Catalog) -> Area | None:
    """Return the area whose postal code a text is or has in it, if that is clear.

    Spaces, hyphens and case say nothing; nor does what further digits add to a code (60608-1234).
    """
    words = _WORDS.findall(text.casefold())
    said = {"".join(words[at:end]) for at in range(len(words)) for end in (at + 1, at + 2)}
    codes = _codes(catalog)
    found = {area.id: area for area in map(codes.areas.get, said) if area is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def looks_like_a_code(text: str, catalog: Catalog) -> bool:
    """Tell whether a text alone has the shape of the postal codes that areas have."""
    return len(text) <= _LONGEST and _shape(_bare(text)) in _codes(catalog).shapes


class _Codes(NamedTuple):
    """The postal codes of a catalogue, bare, and what they look like."""

    areas: Mapping[str, Area]
    shapes: frozenset[str]


def _codes(catalog: Catalog) -> _Codes:
    """There may be thousands of codes, and every text is looked at: made once, kept with it."""
    found = catalog.memo.get("codes")
    if not isinstance(found, _Codes):
        areas = {_bare(area.postal_code): area for area in catalog.areas}
        areas.pop("", None)
        found = catalog.memo["codes"] = _Codes(areas, frozenset(map(_shape, areas)))
    return found


def _bare(code: str) -> str:
    return "".join(_WORDS.findall(code.casefold()))


def _shape(bare: str) -> str:
    return _LETTERS.sub("a", _DIGITS.sub("9", bare))
