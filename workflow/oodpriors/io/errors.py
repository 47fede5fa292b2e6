"""Errors that a user can correct."""


class UserError(ValueError):
    """Bad data, a bad configuration or a missing device; the message says how to fix it.

    A job ends with this message only. Any other error keeps its traceback.
    """
