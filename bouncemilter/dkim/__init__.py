"""DKIM signatures of ours in the headers that come back (RFC 6376), checked by keys from files, never by DNS."""

from bouncemilter.dkim.key import Key, PublicKeyError, load, parse
from bouncemilter.dkim.signature import LIFE, SIGNATURES, Signed, Verifier

__all__ = ["LIFE", "SIGNATURES", "Key", "PublicKeyError", "Signed", "Verifier", "load", "parse"]
