"""From settings to the plain values that the parts are made of, so that no part knows the settings.

A module for each part that is assembled; they are imported one by one, so that a command loads only what it uses.
"""
