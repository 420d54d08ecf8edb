"""How this host fares: what is seen of it, and what of that needs attention."""
