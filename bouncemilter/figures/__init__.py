"""Figures for people: bounce rates, reports, totals, the state of the host. Pure but for what the store is asked."""
