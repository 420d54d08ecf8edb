"""Mails to the operator: what is worth one, how it reads, and how often one may be sent."""
