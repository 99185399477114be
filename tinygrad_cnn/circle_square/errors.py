"""What is wrong with what a person gave."""


class InputError(Exception):
    """Something that was given cannot be used. The message is one line, which names it and says why."""
