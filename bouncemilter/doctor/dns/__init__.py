"""The checks of DNS: what the world is told of the return paths and From domains."""
