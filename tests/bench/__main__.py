"""`make bench`: each speed beside a peer or a bare loop, as a ratio within one run."""

from tests.bench import lookup, reading, scrubbing, storing

reading.main()
storing.main()
lookup.main()
scrubbing.main()
