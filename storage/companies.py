"""Companies, and whose number a message came to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, Generic, TypeVar

from flows.values import valueclass
from storage import queries
from storage.pool import Connection, Pool, connection

_Q = queries.of("companies")
_T = TypeVar("_T")

_GOOD_FOR_S: Final = 60.0
_ABSENT_FOR_S: Final = 1.0
_MOST_REMEMBERED: Final = 50_000


@valueclass(frozen=True, slots=True)
class CompanyRow:
    """A company as operators list it."""

    id: int
    name: str
    vertical: str
    phone_number_id: str
    waba_id: str | None
    timezone: str
    phone: str | None


class Directory:
    """Knows which company a WhatsApp number or account belongs to, without asking each time.

    What is found is good for a minute, what is not for a second: a company added later is found.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._numbers = _Remembered(_read_numbers, monotonic)
        self._accounts = _Remembered(_read_accounts, monotonic)

    async def of_numbers(self, pool: Pool, wanted: Collection[str]) -> dict[str, int]:
        """Map phone_number_ids to the companies that have them; the others are left out."""
        return await self._numbers.get(pool, wanted)

    async def of_accounts(self, pool: Pool, wanted: Collection[str]) -> dict[str, tuple[int, ...]]:
        """Map waba_ids to the companies that share them; the others are left out."""
        return await self._accounts.get(pool, wanted)

    def forget(self) -> None:
        """Read everything anew: a company has gone."""
        self._numbers.forget()
        self._accounts.forget()


async def _read_numbers(conn: Connection, wanted: list[str]) -> dict[str, int]:
    rows = await _Q["by_phone_number_id"].many(conn, phone_number_ids=wanted)
    return {row["phone_number_id"]: row["id"] for row in rows}


async def _read_accounts(conn: Connection, wanted: list[str]) -> dict[str, tuple[int, ...]]:
    rows = await _Q["by_waba_id"].many(conn, waba_ids=wanted)
    found: dict[str, tuple[int, ...]] = {}
    for row in rows:
        found[row["waba_id"]] = (*found.get(row["waba_id"], ()), row["id"])
    return found


class _Remembered(Generic[_T]):
    """Answers of the database, each with the moment from which it has to be asked again."""

    def __init__(
        self,
        read: Callable[[Connection, list[str]], Awaitable[dict[str, _T]]],
        monotonic: Callable[[], float],
    ) -> None:
        self._read, self._monotonic = read, monotonic
        self._known: dict[str, tuple[float, _T | None]] = {}

    async def get(self, pool: Pool, wanted: Collection[str]) -> dict[str, _T]:
        now = self._monotonic()
        found: dict[str, _T] = {}
        unknown: list[str] = []
        for name in wanted:
            until, answer = self._known.get(name, (now, None))
            if until <= now:
                unknown.append(name)
            elif answer is not None:
                found[name] = answer
        if unknown:
            found |= await self._ask(pool, unknown, now)
        return found

    async def _ask(self, pool: Pool, names: list[str], now: float) -> dict[str, _T]:
        async with connection(pool) as conn:
            found = await self._read(conn, names)
        if len(self._known) + len(names) > _MOST_REMEMBERED:
            self._known.clear()
        for name in names:
            lifetime = _GOOD_FOR_S if name in found else _ABSENT_FOR_S
            self._known[name] = (now + lifetime, found.get(name))
        return found

    def forget(self) -> None:
        self._known.clear()


async def add(
    conn: Connection,
    *,
    name: str,
    phone_number_id: str,
    timezone: str,
    waba_id: str = "",
    vertical: str = "general",
    locale: str = "en",
    currency: str = "USD",
    country: str = "US",
    phone: str = "",
    address: str = "",
) -> int:
    """Add a company and return its id; ConstraintViolated names the rule that a value breaks."""
    company_id: int = await _Q["add"].value(
        conn,
        name=name,
        phone_number_id=phone_number_id,
        timezone=timezone,
        waba_id=waba_id,
        vertical=vertical,
        locale=locale,
        currency=currency,
        country=country,
        phone=phone,
        address=address,
    )
    return company_id


async def all_of_them(conn: Connection) -> list[CompanyRow]:
    """List every company in the order they came."""
    return [CompanyRow(*row) for row in await _Q["all_of_them"].many(conn)]


async def settings(conn: Connection, company_id: int) -> dict[str, Any]:
    """What is set for a company, its rules among it; nothing for one that is not there."""
    return await _Q["settings"].value(conn, company_id=company_id) or {}


async def set_settings(conn: Connection, company_id: int, settings: Mapping[str, Any]) -> None:
    """Set all of it; the catalogue has a new version then."""
    await _Q["set_settings"].exec(conn, company_id=company_id, settings=settings)
