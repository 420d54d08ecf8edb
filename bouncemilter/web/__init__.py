"""HTTP on loopback: metrics and health."""
