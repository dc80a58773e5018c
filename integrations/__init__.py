"""Everything outside: meeting platforms, mail, the signed outgoing webhook, the rehearsal.

``PLATFORMS`` is the one list; register by hand, no discovery.
"""
