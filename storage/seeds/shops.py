"""The businesses that seeds make, on paper."""

from __future__ import annotations

from typing import Final

from storage.seeds.plan import CompanyPlan, ServicePlan, StaffPlan, on

_MON, _TUE, _WED, _THU, _FRI, _SAT = range(1, 7)
_HAIR: Final = ("Women's cut", "Men's cut", "Kids' cut", "Blow-dry")
_COLOUR: Final = ("Root touch-up", "Full colour", "Highlights")
_CARE: Final = ("Manicure", "Pedicure", "Brow shaping")

LUMI: Final = CompanyPlan(
    name="Salon Lumi",
    phone_number_id="100000000000001",
    waba_id="200000000000001",
    timezone="America/New_York",
    phone="+1 212 555 0100",
    address="214 Lumi Street, New York, NY 10012",
    settings={
        "lead_minutes": 60,
        "horizon_days": 30,
        "grid_minutes": 15,
        "cancel_notice_minutes": 24 * 60,
        "hold_minutes": 5,
    },
    services=(
        ServicePlan("Women's cut", 60, 8200, "Hair", names={"ru": "Женская стрижка"}),
        ServicePlan("Men's cut", 30, 4000, "Hair", names={"ru": "Мужская стрижка"}),
        ServicePlan("Kids' cut", 30, 3000, "Hair", names={"ru": "Детская стрижка"}),
        ServicePlan("Blow-dry", 45, 5500, "Hair", names={"ru": "Укладка"}),
        ServicePlan(
            "Root touch-up",
            90,
            9500,
            "Colour",
            names={"ru": "Окрашивание корней"},
            buffer_after=15,
        ),
        ServicePlan(
            "Full colour", 120, 14000, "Colour", names={"ru": "Окрашивание"}, buffer_after=15
        ),
        ServicePlan(
            "Highlights", 150, 19000, "Colour", names={"ru": "Мелирование"}, buffer_after=15
        ),
        ServicePlan("Manicure", 45, 3800, "Hands and brows", names={"ru": "Маникюр"}),
        ServicePlan("Pedicure", 60, 5500, "Hands and brows", names={"ru": "Педикюр"}),
        ServicePlan("Brow shaping", 20, 2500, "Hands and brows", names={"ru": "Коррекция бровей"}),
    ),
    staff=(
        StaffPlan(
            "Becky",
            on([_TUE, _WED, _THU, _FRI, _SAT], ("09:00", "18:00"), ("13:00", "13:45", "break")),
            (*_HAIR, *_COLOUR),
        ),
        StaffPlan(
            "Kelly",
            [
                *on([_MON, _WED, _FRI, _SAT], ("10:00", "19:00"), ("14:00", "14:30", "break")),
                *on([_THU], ("11:00", "20:00"), ("15:00", "15:30", "break")),
            ],
            (*_HAIR, *_COLOUR),
            {"Women's cut": (75, 9800), "Highlights": (165, 21000)},
        ),
        StaffPlan(
            "Marcus",
            on([_MON, _TUE, _WED, _THU, _FRI, _SAT], ("10:00", "14:00"), ("15:00", "19:00")),
            ("Men's cut", "Kids' cut"),
        ),
        StaffPlan(
            "Ines",
            [
                *on(
                    [_MON, _TUE, _WED, _THU, _FRI], ("09:00", "17:30"), ("12:30", "13:00", "break")
                ),
                *on([_SAT], ("10:00", "16:00")),
            ],
            (*_CARE, "Blow-dry"),
        ),
    ),
)
_DOORS: Final = ("Spring repair", "Opener repair", "Cable repair", "Tune-up", "New door quote")

GARAGE: Final = CompanyPlan(
    name="A1 Garage Doors",
    phone_number_id="100000000000002",
    waba_id="200000000000002",
    vertical="garage",
    timezone="America/Chicago",
    phone="+1 312 555 0120",
    address="77 Harbor Road, Chicago, IL 60608",
    settings={"lead_minutes": 120, "horizon_days": 21, "grid_minutes": 30},
    services=(
        ServicePlan("Spring repair", 90, 22000, buffer_before=30),
        ServicePlan("Opener repair", 60, 15000, buffer_before=30),
        ServicePlan("Cable repair", 60, 13500, buffer_before=30),
        ServicePlan("Tune-up", 60, 9900, buffer_before=30),
        ServicePlan("New door quote", 45, 0, buffer_before=30),
    ),
    staff=(
        StaffPlan("Joe", on([_MON, _TUE, _WED, _THU, _FRI], ("08:00", "17:00")), _DOORS),
        StaffPlan("Luis", on([_TUE, _WED, _THU, _FRI, _SAT], ("08:00", "17:00")), _DOORS),
        StaffPlan("Sam", on([_MON, _WED, _FRI, _SAT], ("07:00", "15:00")), _DOORS[1:]),
    ),
    areas=(
        ("60608", "Chicago", "IL", "America/Chicago"),
        ("60614", "Chicago", "IL", "America/Chicago"),
        ("60201", "Evanston", "IL", "America/Chicago"),
        ("46320", "Hammond", "IN", "America/Chicago"),
        ("46360", "Michigan City", "IN", "America/Chicago"),
        ("46601", "South Bend", "IN", "America/Indiana/Indianapolis"),
        ("46526", "Goshen", "IN", "America/Indiana/Indianapolis"),
        ("49120", "Niles", "MI", "America/Detroit"),
    ),
)

# Never sold out: whoever measures books as fast as they can.
_QUICK: Final = tuple(f"Quick visit {n:02}" for n in range(1, 13))
BENCH: Final = CompanyPlan(
    name="Bench",
    phone_number_id="100000000000003",
    waba_id="200000000000003",
    timezone="America/New_York",
    phone="+1 212 555 0130",
    address="1 Bench Lane, New York, NY 10001",
    settings={
        "lead_minutes": 0,
        "horizon_days": 365,
        "grid_minutes": 15,
        "cancel_notice_minutes": 0,
        "messages_per_second": 10_000,
    },
    services=tuple(ServicePlan(name, 15, 1000) for name in _QUICK),
    staff=tuple(
        StaffPlan(
            f"Person {n:02}",
            on(range(1, 8), ("00:00", "12:00"), ("12:00", "00:00")),
            _QUICK,
        )
        for n in range(1, 13)
    ),
)

_ZONES: Final = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney")
_TREATMENTS: Final = tuple(f"Treatment {n}" for n in range(1, 7))


def numbered(number: int) -> CompanyPlan:
    """One of many companies to measure with; they differ in number and time zone."""
    return CompanyPlan(
        name=f"Load {number:04}",
        phone_number_id=f"3{number:014}",
        timezone=_ZONES[number % len(_ZONES)],
        services=tuple(
            ServicePlan(name, 30 + 15 * (i % 3), 3000 + 500 * i)
            for i, name in enumerate(_TREATMENTS)
        ),
        staff=tuple(
            StaffPlan(f"Worker {n}", on(range(1, 8), ("09:00", "19:00")), _TREATMENTS)
            for n in range(1, 9)
        ),
    )
