"""What happens without the inversion, and with 1/255 instead of 10/255: the experiment that the article invites to.

Each is tried with the article's recipe and with the robust one, from five initialisations each.
"""

import numpy as np

from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.experiment import Settings, epochs_of
from tinygrad_cnn.circle_square.model import forward
from tinygrad_cnn.circle_square.tasks import TASKS

task = TASKS["circle-square"]
data = bundled(task)
seeds = {"published": [230129, *range(4)], "robust": range(5)}

print("recipe     strokes  scale    died   trained all 24   images right, on average")
for recipe in ("published", "robust"):
    for invert in (True, False):
        for top in (10.0, 1.0):
            scaling, died, right = Scaling(invert, top), 0, []
            x = scaling(data.train.grey)
            for seed in seeds[recipe]:
                for epoch in epochs_of(Settings(task, recipe, seed=seed, scaling=scaling), data):
                    if epoch.trouble:
                        died += 1
                        break
                sigma = forward(x, epoch.after).sigma
                right.append(np.mean((sigma > 0.5) == (data.train.y.T > 0.5)))
            strokes, fitted = "bright" if invert else "dark", sum(r == 1 for r in right)
            print(f"{recipe:10} {strokes:8} 0..{top:<4.0f} {died:6}   {fitted:14}   {np.mean(right):.0%}")
