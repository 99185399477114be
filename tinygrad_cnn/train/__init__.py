"""Training: `fit`, mini-batches, checkpoints; and trees in files, `tg.save` and `tg.load`."""

from tinygrad_cnn.train.data import Batch, DataLoader
from tinygrad_cnn.train.loop import Epoch, Fitted, fit
from tinygrad_cnn.train.saving import DamagedFileError, load, save

__all__ = ["Batch", "DamagedFileError", "DataLoader", "Epoch", "Fitted", "fit", "load", "save"]
