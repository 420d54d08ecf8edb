"""What Sendmail must know of bouncemilter."""
