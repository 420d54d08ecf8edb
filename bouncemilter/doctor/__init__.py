"""`bouncemilter doctor`: does this host's mail really reach us, and would it be kept if we were away?"""
