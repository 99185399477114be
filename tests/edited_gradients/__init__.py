"""Right gradients of many models, edited: one place of their source is changed, and the check has to say which."""

from edited_gradients import networks, statistics  # noqa: F401 (they enter their models)
from edited_gradients.model import Model, models

MODELS: list[Model] = models()
