"""The configuration file: its keys, their checks, and the reference made from them."""

from bouncemilter.settings.load import DEFAULT_PATH, Fault, SettingsError, load, parse
from bouncemilter.settings.types import Settings

__all__ = ["DEFAULT_PATH", "Fault", "Settings", "SettingsError", "load", "parse"]
