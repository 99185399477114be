"""The article's last section: circles and triangles, with a longer step and 701 epochs."""

from tinygrad_cnn.circle_square.data import bundled
from tinygrad_cnn.circle_square.experiment import Settings, run
from tinygrad_cnn.circle_square.tasks import TASKS

task = TASKS["circle-triangle"]
data = bundled(task)
for recipe in ("published", "robust"):
    result = run(Settings(task, recipe=recipe), data)
    how = result.settings.resolved()
    print(f"{recipe}: step {how['learning_rate']}, {len(result.losses)} epochs, loss {result.losses[-1]:.4f}")
    print(f"  training images right: {result.train_accuracy:.0%}, test images right: {result.test_accuracy:.0%}")
    for target, sigma in zip(data.test.y[:, 0], result.test.sigma[0], strict=True):
        print(f"  it is a {data.classes[int(target)]:8}  the model says {data.classes[int(sigma > 0.5)]}")
