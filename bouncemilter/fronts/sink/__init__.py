"""The sink: an SMTP and LMTP server for the return-path domain (`Sink`), and what it is made from (`SinkOptions`)."""

from bouncemilter.fronts.sink.options import Listener, Protocol, SinkOptions
from bouncemilter.fronts.sink.server import Sink

__all__ = ["Listener", "Protocol", "Sink", "SinkOptions"]
