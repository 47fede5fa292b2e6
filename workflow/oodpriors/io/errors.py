"""Errors that a user can correct."""


class UserError(ValueError):
    """Bad data, a bad configuration or a missing device; the message says how to fix it.

    A job ends with this message only. Any other error keeps its traceback.
    """


AS_UINT8 = (
    "for pixels x in [0, 1]: (255 * x).round() as uint8; "
    "for whole numbers from 0 to 255: x as uint8"
)
