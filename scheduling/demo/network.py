"""Organizations, clinics, their hours and rooms. The partners are real; streets and telephone numbers are invented."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from clinics.models import Calendar, Clinic, OpeningHours, Organization, Room
from scheduling import intervals
from scheduling.demo.chance import key

EASTERN, PACIFIC = "America/New_York", "America/Los_Angeles"
CLEVELAND, HARTFORD, VIRGINIA_MASON = "cleveland-clinic", "hartford-healthcare", "virginia-mason-franciscan"
EMPLOYER, CARE_COMPANY = "lakeshore-tool-works", "sameday-care"
OPEN_SINCE = date(2024, 3, 4)

ORGANIZATIONS = [
    (CLEVELAND, Organization.Kind.HEALTH_SYSTEM, "Cleveland Clinic"),
    (HARTFORD, Organization.Kind.HEALTH_SYSTEM, "Hartford HealthCare"),
    (VIRGINIA_MASON, Organization.Kind.HEALTH_SYSTEM, "Virginia Mason Franciscan Health"),
    (EMPLOYER, Organization.Kind.EMPLOYER, "Lakeshore Tool Works (invented)"),
    (CARE_COMPANY, Organization.Kind.CARE_COMPANY, "Sameday Care"),
]


class Site(NamedTuple):
    """A clinic to be. `opens_in` is in days from the first seed; 0 means that it has been open for long."""

    slug: str
    name: str
    system: str
    street: str
    city: str
    state: str
    postal_code: str
    point: tuple[float, float]
    zone: str
    area_code: str
    clinicians: int
    patients: int
    opens_in: int = 0


SITES = [
    Site(
        "avon",
        "Avon",
        CLEVELAND,
        "100 Example Road",
        "Avon",
        "OH",
        "44011",
        (41.4517, -82.0354),
        EASTERN,
        "440",
        2,
        240,
    ),
    Site(
        "shaker-heights",
        "Shaker Heights",
        CLEVELAND,
        "200 Example Boulevard",
        "Shaker Heights",
        "OH",
        "44122",
        (41.4654, -81.5367),
        EASTERN,
        "216",
        2,
        30,
        opens_in=30,
    ),
    Site(
        "hartford",
        "Hartford",
        HARTFORD,
        "10 Example Street",
        "Hartford",
        "CT",
        "06103",
        (41.7672, -72.676),
        EASTERN,
        "860",
        3,
        110,
    ),
    Site(
        "glastonbury",
        "Glastonbury",
        HARTFORD,
        "20 Example Street",
        "Glastonbury",
        "CT",
        "06033",
        (41.7123, -72.6081),
        EASTERN,
        "860",
        3,
        110,
    ),
    Site(
        "southington",
        "Southington",
        HARTFORD,
        "30 Example Avenue",
        "Southington",
        "CT",
        "06489",
        (41.6005, -72.8783),
        EASTERN,
        "860",
        3,
        110,
    ),
    Site(
        "seattle-downtown",
        "Seattle Downtown",
        VIRGINIA_MASON,
        "1 Example Way",
        "Seattle",
        "WA",
        "98101",
        (47.6114, -122.3345),
        PACIFIC,
        "206",
        5,
        90,
    ),
    Site(
        "ballard",
        "Ballard",
        VIRGINIA_MASON,
        "2 Example Avenue NW",
        "Seattle",
        "WA",
        "98107",
        (47.6687, -122.3763),
        PACIFIC,
        "206",
        5,
        90,
    ),
    Site(
        "bellevue",
        "Bellevue",
        VIRGINIA_MASON,
        "3 Example Street NE",
        "Bellevue",
        "WA",
        "98004",
        (47.6155, -122.2),
        PACIFIC,
        "425",
        5,
        90,
    ),
    Site(
        "kirkland",
        "Kirkland",
        VIRGINIA_MASON,
        "4 Example Street",
        "Kirkland",
        "WA",
        "98033",
        (47.6769, -122.206),
        PACIFIC,
        "425",
        4,
        70,
    ),
    Site(
        "issaquah",
        "Issaquah",
        VIRGINIA_MASON,
        "5 Example Drive",
        "Issaquah",
        "WA",
        "98027",
        (47.5301, -122.0326),
        PACIFIC,
        "425",
        4,
        70,
    ),
    Site(
        "lynnwood",
        "Lynnwood",
        VIRGINIA_MASON,
        "6 Example Street SW",
        "Lynnwood",
        "WA",
        "98036",
        (47.8209, -122.3151),
        PACIFIC,
        "425",
        4,
        70,
    ),
    Site(
        "federal-way",
        "Federal Way",
        VIRGINIA_MASON,
        "7 Example Avenue S",
        "Federal Way",
        "WA",
        "98003",
        (47.3223, -122.3126),
        PACIFIC,
        "253",
        4,
        70,
    ),
    Site(
        "tacoma",
        "Tacoma",
        VIRGINIA_MASON,
        "8 Example Street",
        "Tacoma",
        "WA",
        "98402",
        (47.2529, -122.4443),
        PACIFIC,
        "253",
        4,
        70,
    ),
]

# Weekdays, then the weekend.
DOORS = {weekday: (time(7), time(21)) if weekday < 5 else (time(8), time(20)) for weekday in range(7)}


def plant(*, now: datetime) -> None:
    """Make what of the network is missing. A clinic that is there keeps its dates, however late the second run is."""
    names = {slug: name for slug, _, name in ORGANIZATIONS}
    Organization.objects.bulk_create(
        [
            Organization(pk=key("organization", slug), kind=kind, name=name, slug=slug)
            for slug, kind, name in ORGANIZATIONS
        ],
        ignore_conflicts=True,
    )
    Clinic.objects.bulk_create(
        [clinic(site, brand=f"Sameday with {names[site.system]}", now=now) for site in SITES], ignore_conflicts=True
    )
    OpeningHours.objects.bulk_create(
        [
            OpeningHours(clinic_id=key("clinic", site.slug), weekday=weekday, opens=opens, closes=closes)
            for site in SITES
            for weekday, (opens, closes) in DOORS.items()
        ],
        ignore_conflicts=True,
    )
    rooms = [room for site in SITES for room in rooms_of(site)]
    Calendar.objects.bulk_create(
        [Calendar(pk=room.pk, kind=Calendar.Kind.ROOM) for room in rooms], ignore_conflicts=True
    )
    Room.objects.bulk_create(rooms, ignore_conflicts=True)


def clinic(site: Site, *, brand: str, now: datetime) -> Clinic:
    planted = Clinic(
        pk=key("clinic", site.slug),
        health_system_id=key("organization", site.system),
        name=site.name,
        slug=site.slug,
        brand=brand,
        street=site.street,
        city=site.city,
        state=site.state,
        postal_code=site.postal_code,
        latitude=site.point[0],
        longitude=site.point[1],
        time_zone=site.zone,
        phone=f"+1{site.area_code}5550100",
        opens_on=OPEN_SINCE,
    )
    if site.opens_in:
        planted.opens_on = intervals.local_date(now, planted.zone) + timedelta(days=site.opens_in)
    return planted


def rooms_of(site: Site) -> list[Room]:
    """An exam room for each clinician and one more, and a procedure room."""
    kinds = [("exam", f"Exam {number}") for number in range(1, site.clinicians + 2)] + [("procedure", "Procedure 1")]
    return [
        Room(pk=key("room", site.slug, name), clinic_id=key("clinic", site.slug), kind=kind, name=name)
        for kind, name in kinds
    ]
