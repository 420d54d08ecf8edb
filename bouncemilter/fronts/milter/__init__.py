"""The inbound milter: libmilter in a thread of the process, its callbacks waiting on the asyncio loop.

`MilterFront` is the whole interface; `MilterOptions` says where it listens and how patient it is.
"""

from bouncemilter.fronts.milter.front import MilterFront, SocketError
from bouncemilter.fronts.milter.options import MilterOptions

__all__ = ["MilterFront", "MilterOptions", "SocketError"]
