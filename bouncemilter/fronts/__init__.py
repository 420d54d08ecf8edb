"""Protocol shells: they move bytes and turn a Disposition into replies; they decide nothing."""
