"""Figures for people: bounce rates, reports, totals. Pure but for what the store is asked."""
