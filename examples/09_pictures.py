"""The computation graph of the model: as a table, as a picture with what flows through it, and as a page."""

from pathlib import Path

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import published_start

drawings = bundled(TASKS["circle-square"]).train
x = tg.Tensor(Scaling()(drawings.grey), "x")  # (24, 28, 28)
start = published_start(np.random.RandomState(230129))
p = Parameters(**{name: tg.Tensor(value, name) for name, value in vars(start).items()})
loss = tg.named(loss_shifted(forward(x, p).sigma, drawings.y), "loss")

# Each line is a step, in the order of execution; x is data, of which no gradient is taken.
print(tg.graph(loss, inputs="x", depth=2))

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
for name in ("09_graph.svg", "09_graph.html"):  # the page: open it, and press the right arrow key
    tg.render(loss, out / name, backward=True, values="thumbnails", inputs="x", depth=2)
    print("picture:", out / name)
