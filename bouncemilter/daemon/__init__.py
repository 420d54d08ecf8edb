"""The process: everything wired together, started, watched, reloaded and stopped."""

from bouncemilter.daemon.service import Daemon, StartError

__all__ = ["Daemon", "StartError"]
