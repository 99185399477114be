"""What is wrong with what a person gave."""


class InputError(Exception):
    """Something that was given cannot be used. The message is one line, which names it and says why."""


def reason(error: Exception) -> str:
    """Why, in one line and without the file's name."""
    return " ".join((getattr(error, "strerror", None) or str(error)).split())
