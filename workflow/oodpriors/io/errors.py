"""Errors that a user can mend."""


class UserError(ValueError):
    """Bad data, a bad configuration or a lacking device; the message says how to mend it.

    A job ends with the message alone; any other error keeps its traceback.
    """
