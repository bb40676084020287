"""Where something is, and how far."""

import math
from typing import Any

import pytest
from django.db import connection

from clinics import places
from clinics.places import Point, UnknownPlace


class TestNear:
    @pytest.mark.parametrize("text", ["44011", " 44011 ", "44011-1234"])
    def test_it_knows_zip_codes(self, text: str):
        assert places.parse_near(text) == Point(41.4467, -82.0204)

    @pytest.mark.parametrize(
        ("text", "point"),
        [("41.45,-82.02", Point(41.45, -82.02)), (" +41 , -82 ", Point(41, -82)), ("-90,180", Point(-90, 180))],
    )
    def test_it_knows_points(self, text: str, point: Point):
        assert places.parse_near(text) == point

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Avon",
            "00000",
            "4401",
            "440111",
            "91,0",
            "0,181",
            "nan,nan",
            "1e3,0",
            "41.45",
            "41,-82,0",
            "٤٤٠١١",
            "1,2\n3",
        ],
    )
    def test_it_refuses_what_is_no_place(self, text: str):
        with pytest.raises(UnknownPlace) as refused:
            places.parse_near(text)
        assert "44011" in refused.value.detail


class TestDistance:
    @staticmethod
    def metres(*numbers: float | None) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT metres_between(%s, %s, %s, %s)", numbers)
            return cursor.fetchone()[0]

    def test_it_is_that_of_the_great_circle(self, db: None):
        quarter = math.pi / 2 * 6_371_008.8

        assert self.metres(0, 0, 90, 7) == round(quarter)
        assert self.metres(0, 0, 0, 90) == round(quarter)

    def test_it_goes_half_around_the_earth_at_most(self, db: None):
        assert self.metres(0, 0, 0, 180) == self.metres(90, 0, -90, 33) == round(math.pi * 6_371_008.8)

    def test_it_is_exact_nearby_and_the_same_both_ways(self, db: None):
        avon, elsewhere = (41.4467, -82.0204), (41.4468, -82.0204)

        assert self.metres(*avon, *avon) == 0
        assert self.metres(*avon, *elsewhere) == self.metres(*elsewhere, *avon) == 11

    def test_it_crosses_the_date_line(self, db: None):
        assert self.metres(0, 179.5, 0, -179.5) == self.metres(0, -0.5, 0, 0.5)

    def test_it_is_unknown_from_an_unknown_place(self, db: None):
        assert self.metres(None, 0, 0, 0) is None

    def test_it_is_read_in_miles(self):
        assert places.miles(1_609) == 1.0
        assert places.metres(1) == 1_610
