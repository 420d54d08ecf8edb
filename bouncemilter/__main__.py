"""`python -m bouncemilter`."""

from bouncemilter.cli import main

main()
