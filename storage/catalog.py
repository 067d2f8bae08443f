"""The catalogue: all that conversations read about a business, kept until it changes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from pydantic import ValidationError

from flows.areas import Area
from flows.model import (
    Catalog,
    Company,
    DatedShift,
    Policy,
    Resource,
    Service,
    Shift,
    Span,
    Staff,
    StaffOffer,
)
from storage import queries
from storage.errors import Corrupt
from storage.pool import Connection

log = structlog.get_logger("usual.catalog")

_Q = queries.of("catalog")
_COMPANIES_KEPT: Final = 256

_Rows = Sequence[Sequence[Any]]


class CatalogCache:
    """The catalogues used last, by company; read again when the version has changed."""

    def __init__(self, *, size: int = _COMPANIES_KEPT) -> None:
        self._size = size
        self._kept: OrderedDict[int, Catalog] = OrderedDict()
        self._loading: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def get(self, conn: Connection, company_id: int, version: int) -> Catalog:
        """The catalogue of that version or of a later one."""
        kept = self.kept(company_id, version)
        if kept is not None:
            return kept
        # Conversations that come at once after a change share one read.
        async with self._loading.setdefault(company_id, asyncio.Lock()):
            kept = self.kept(company_id, version)
            if kept is None:
                kept = self._kept[company_id] = await load(conn, company_id=company_id)
                self._kept.move_to_end(company_id)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
        return kept

    def kept(self, company_id: int, version: int) -> Catalog | None:
        """The same if it is here; None when it has to be read."""
        kept = self._kept.get(company_id)
        if kept is None or kept.version < version:
            return None
        self._kept.move_to_end(company_id)
        return kept


async def load(conn: Connection, *, company_id: int) -> Catalog:
    """Read a company's catalogue.

    A setting that is not valid has its default, and the log says so. Corrupt when the company is
    not there, or its time zone is unknown: every time would be told wrong.
    """
    row = await _Q["load"].one(conn, company_id=company_id)
    if row is None:
        raise Corrupt(f"there is no company {company_id}")
    if not is_zone(row["timezone"]):
        raise Corrupt(f"the time zone of company {company_id} is unknown")
    return Catalog(
        company=_company(company_id, row),
        services=tuple(_service(values) for values in row["services"]),
        staff=tuple(_staff(company_id, row)),
        holidays=frozenset(map(date.fromisoformat, row["holidays"])),
        flags=row["flags"],
        version=row["catalog_version"],
        resources=tuple(Resource(*values) for values in row["resources"]),
        areas=tuple(_areas(company_id, row["areas"])),
    )


def policy(settings: Mapping[str, Any], *, company_id: int) -> Policy:
    """A company's rules; what is not valid in its settings is logged and left at its default."""
    try:
        return Policy.model_validate(settings)
    except ValidationError as exc:
        wrong = {str(error["loc"][0]) for error in exc.errors() if error["loc"]}
    for field in sorted(wrong):
        log.warning("catalog.setting_refused", company_id=company_id, field=field)
    valid = {key: settings[key] for key in settings if wrong and key not in wrong}
    return Policy.model_validate(valid)


def _company(company_id: int, row: asyncpg.Record) -> Company:
    return Company(
        id=company_id,
        name=row["name"],
        vertical=row["vertical"],
        timezone=row["timezone"],
        locale=row["locale"],
        currency=row["currency"],
        country_code=row["country_code"],
        phone_number_id=row["phone_number_id"],
        phone=row["phone"],
        address=row["address"],
        policy=policy(row["settings"], company_id=company_id),
    )


def _service(values: Sequence[Any]) -> Service:
    id_, name, minutes, price, description, category, translations, before, after, *rules = values
    lead, horizon, grid, offset, processing_from, processing, capacity, resources = rules
    return Service(
        id=id_,
        name=name,
        minutes=minutes,
        price_minor=price,
        description=description,
        category=category,
        names=_names(translations),
        buffer_before_minutes=before,
        buffer_after_minutes=after,
        lead_minutes=lead,
        horizon_days=horizon,
        grid_minutes=grid,
        grid_offset_minutes=offset,
        processing=processing and (processing_from, processing_from + processing),
        capacity=capacity,
        resources=tuple(resources),
    )


def _names(translations: object) -> Mapping[str, str]:
    """The names in `{"ru": {"name": "Стрижка"}}`; whatever else stands there is passed over."""
    if not isinstance(translations, dict):
        return {}
    return {
        language: entry["name"]
        for language, entry in translations.items()
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"].strip()
    }


def _staff(company_id: int, row: asyncpg.Record) -> Iterable[Staff]:
    offers: dict[int, dict[int, StaffOffer]] = defaultdict(dict)
    for staff_id, service_id, minutes, price in row["offers"]:
        offers[staff_id][service_id] = StaffOffer(minutes, price)
    shifts, dated_shifts = _by_person(row["shifts"]), _by_person(row["dated_shifts"])
    time_off = _by_person(row["time_off"])
    for id_, name, timezone, most_visits, weight in row["staff"]:
        if timezone is not None and not is_zone(timezone):
            log.warning("catalog.staff_refused", company_id=company_id, field="timezone")
            continue
        yield Staff(
            id=id_,
            name=name,
            timezone=timezone,
            offers=offers[id_],
            shifts=tuple(
                Shift(weekday, _time(starts), _time(ends), kind)
                for weekday, starts, ends, kind in shifts[id_]
            ),
            dated_shifts=tuple(
                DatedShift(
                    date.fromisoformat(day),
                    kind,
                    None if starts is None else _time(starts),
                    None if ends is None else _time(ends),
                )
                for day, kind, starts, ends in dated_shifts[id_]
            ),
            time_off=tuple(
                Span(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
                for start, end in time_off[id_]
            ),
            most_visits_a_day=most_visits,
            weight=weight,
        )


def _areas(company_id: int, rows: _Rows) -> Iterable[Area]:
    for values in rows:
        area = Area(*values)
        if is_zone(area.timezone):
            yield area
        else:
            log.warning("catalog.area_refused", company_id=company_id, field="timezone")


def _by_person(rows: _Rows) -> Mapping[int, list[Sequence[Any]]]:
    """Rows that begin with a staff id, without it, by that id."""
    grouped: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for staff_id, *values in rows:
        grouped[staff_id].append(values)
    return grouped


def _time(text: str) -> time:
    return time() if text == "24:00:00" else time.fromisoformat(text)


def is_zone(name: str) -> bool:
    """Tell whether a time zone is known here."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there, not a name, a folder
        return False
    return True
