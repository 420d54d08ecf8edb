"""Access look-ups by Postfix itself, without a milter: a table by socketmap, and a policy service, on one socket."""

from bouncemilter.fronts.access.server import AccessFront, AccessOptions

__all__ = ["AccessFront", "AccessOptions"]
