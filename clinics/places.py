"""Where something is: what a person types as a place, and how far it is from there."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import zipcodes
from django.db import models
from django.db.models import F, Func, Value

from clinics.refusals import Refused

METRES_PER_MILE = 1609.344  # the international mile
ZIP_CODE = re.compile(r"(\d{5})(?:-\d{4})?", re.ASCII)
NUMBER = r"[+-]?\d{1,3}(?:\.\d{1,12})?"
LATITUDE_AND_LONGITUDE = re.compile(rf"\s*({NUMBER})\s*,\s*({NUMBER})\s*", re.ASCII)


class UnknownPlace(Refused):
    """Not a ZIP code of the United States, nor a point."""

    code = "unknown_place"
    status = 400
    detail = "Give `near` as a five-digit US ZIP code, such as 44011, or as latitude,longitude, such as 41.45,-82.02."


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees north and degrees east, WGS 84."""

    latitude: float
    longitude: float


def parse_near(text: str) -> Point:
    """The point that `text` names: a ZIP code (its centre, from the `zipcodes` package) or `latitude,longitude`.

    Raises UnknownPlace.
    """
    if zip_code := ZIP_CODE.fullmatch(text.strip()):
        point = centre(zip_code[1])
        if point is None:
            raise UnknownPlace(f"We know no ZIP code {zip_code[1]}. {UnknownPlace.detail}")
        return point
    if numbers := LATITUDE_AND_LONGITUDE.fullmatch(text):
        latitude, longitude = float(numbers[1]), float(numbers[2])
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return Point(latitude, longitude)
    raise UnknownPlace


@lru_cache(maxsize=50_000)  # there are 42,789 codes, and looking for one reads them all (1 ms; 0.5 s the first time)
def centre(zip_code: str) -> Point | None:
    """The centre of a five-digit ZIP code, or None: of a few military ones the package knows no point."""
    found: list[dict[str, str]] = zipcodes.matching(zip_code)  # type: ignore[no-untyped-call]
    if not found or not (found[0]["lat"] and found[0]["long"]):
        return None
    return Point(float(found[0]["lat"]), float(found[0]["long"]))


def metres_from(point: Point, *, latitude: str = "latitude", longitude: str = "longitude") -> Func:
    """The SQL expression of the distance in whole metres from `point` to the columns named, by `metres_between`."""
    return Func(
        Value(point.latitude),
        Value(point.longitude),
        F(latitude),
        F(longitude),
        function="metres_between",
        output_field=models.IntegerField(),
    )


def miles(metres: int) -> float:
    """Metres as miles, to a tenth: what people read."""
    return round(metres / METRES_PER_MILE, 1)


def metres(miles: float) -> int:
    """Miles as whole metres, rounded up, so that a place exactly as far is within."""
    return math.ceil(miles * METRES_PER_MILE)
