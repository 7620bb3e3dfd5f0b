"""The parameters of each kind of action: what its call may set, and between which bounds. Anything else is refused.

Field names are AWS's own, so that the parameters are the call's.
"""
