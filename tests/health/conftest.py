"""The store of the tests of reports, with its clock."""

from tests.statistics.conftest import clock, store

__all__ = ["clock", "store"]
