"""The checks of our own side of this host: sockets, metrics, passed mail."""
