"""What an operator does to a running deployment; not part of any function."""


class OperatorError(RuntimeError):
    """A command could not do all that was asked; the message says why."""
