"""What Postfix must know of bouncemilter."""
