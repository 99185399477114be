"""What the filter has learnt: the same images before training and after it."""

from pathlib import Path

import numpy as np

from tinygrad_cnn.circle_square.data import bundled
from tinygrad_cnn.circle_square.experiment import Settings, run
from tinygrad_cnn.circle_square.figures import maps_after, maps_before, png
from tinygrad_cnn.circle_square.tasks import TASKS

task = TASKS["circle-square"]
result = run(Settings(task), bundled(task))

print("the filter as it was drawn:\n", result.start.Wc.round(2))
print("the filter after training:\n", result.final.Wc.round(2))
print(f"bias {result.start.Bc.item():.2f} -> {result.final.Bc.item():.2f}")
alive = [np.mean(steps.relu > 0) for steps in (result.before, result.after)]
print(f"share of places that pass the ReLU: {alive[0]:.1%} -> {alive[1]:.1%}")

# Where the fully connected layer looks for squares (+) and for circles (-).
Wf = result.final.Wf.reshape(14, 14)
for row in Wf:
    print("".join("+" if w > 0.5 else "-" if w < -0.5 else "." for w in row))

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
for name, draw in (("05_before", maps_before), ("05_after", maps_after)):
    (out / f"{name}.png").write_bytes(png(draw(result)))
    print("picture:", out / f"{name}.png")
