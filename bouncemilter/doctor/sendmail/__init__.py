"""The checks of Sendmail, by its sendmail.cf and what the program makes of addresses."""
