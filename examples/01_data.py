"""The drawings: 12 circles and 12 squares to train on, 2 and 2 to test with."""

from pathlib import Path

import numpy as np

from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.figures import montage, png
from tinygrad_cnn.circle_square.tasks import TASKS

data = bundled(TASKS["circle-square"])
print("drawings to train on:", data.train.grey.shape, data.train.grey.dtype)  # (24, 28, 28) uint8
print("their targets:       ", data.train.y[:, 0].astype(int))  # 0 is a circle, 1 a square

# Dark strokes on white become bright strokes on 0, and 0..255 becomes 0..10. The reason that the article gives: with
# 0..1 the ReLU may let nothing through. (Example 07 tries that.)
x = Scaling()(data.train.grey)
print("as the model sees them:", x.shape, x.dtype, "from", x.min(), "to", x.max())

# The order is shuffled in every epoch, images and targets alike.
order = np.random.RandomState(230129).permutation(24)
print("shuffled targets:    ", data.train.y[order, 0].astype(int))

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
labels = [data.classes[int(target)] for target in data.train.y[:, 0]]
(out / "01_drawings.png").write_bytes(png(montage(data.train.grey, labels, "Training images")))
print("picture:", out / "01_drawings.png")
