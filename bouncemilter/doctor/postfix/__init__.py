"""The checks of Postfix, by what its own commands say."""
