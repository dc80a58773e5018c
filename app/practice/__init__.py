"""Practising in the running service: a made-up evening in a process of its own.

Nothing of it touches what is real: another process with another store, other keys, a
simulated platform and no way out for mail or alarms (docs/decisions/0018). ``hall`` leads
the browsers that practise there, ``room`` is that process, ``call`` the pretended call.
"""
