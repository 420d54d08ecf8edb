"""What the mail server must know of bouncemilter: what `config` prints, and the values that the doctor looks for."""
