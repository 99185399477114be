"""The gradient, three times: derived by hand, by automatic differentiation, and by differences."""

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS

data = bundled(TASKS["circle-square"])
images, y = Scaling()(data.train.grey), data.train.y
rng = np.random.default_rng(0)
x = images + rng.uniform(0, 1e-3, images.shape)  # no two pixels alike, so that no pooling window is tied
p = Parameters(*[0.1 * rng.standard_normal(shape) for shape in ((3, 3), (1, 1), (1, 196), (1, 1))])

# By hand: ten lines of calculus, each of which could be wrong.
hand = hand_derived(x, y, p)

# By autodiff: the loss, written down, and the word grad.
auto = tg.grad(lambda p: loss_shifted(forward(x, p).sigma, y))(p)


def apart(a, b):
    return np.max(np.abs(a - b)) / np.max(np.abs(b))


print("the shifted loss, autodiff against hand:")
for name in ("Wc", "Bc", "Wf", "Bf"):
    print(f"  {name}  {apart(getattr(auto, name), getattr(hand, 'dL_d' + name)):.1e}")

# By differences: no calculus at all, and six digits fewer.
step = np.zeros((1, 1)) + 1e-5
up, down = (loss_shifted(forward(x, Parameters(p.Wc, p.Bc, p.Wf, p.Bf + sign * step)).sigma, y) for sign in (1, -1))
print(f"dL/dBf   by hand {hand.dL_dBf.item():.10f}   by differences {(up - down) / 2e-5:.10f}")

# But it is not the gradient of the loss that the article prints.
printed = tg.grad(lambda p: loss_as_printed(forward(x, p).sigma, y))(p)
print("the printed loss, autodiff against hand:")
for name in ("Wc", "Bc", "Wf", "Bf"):
    print(f"  {name}  {apart(getattr(printed, name), getattr(hand, 'dL_d' + name)):.1e}")

# And where elements of a pooling window tie, it gives the whole cotangent to each of them. A positive bias makes the
# whole background tie:
tied = Parameters(p.Wc, np.array([[0.5]]), p.Wf, p.Bf)
hand = hand_derived(images, y, tied)
for ties, at_zero in (("share", 0.0), ("all", 1.0)):
    auto = tg.grad(lambda p: loss_shifted(forward(images, p, ties=ties, at_zero=at_zero).sigma, y))(tied)  # noqa: B023
    print(f"with ties, ties={ties!r}:  Bc {apart(auto.Bc, hand.dL_dBc):.1e}   Wf {apart(auto.Wf, hand.dL_dWf):.1e}")

# Tapes work too: the cotangent of every step is there to be looked at.
tensors = Parameters(*[tg.Tensor(value, name=name) for name, value in vars(p).items()])
steps = forward(x, tensors)
loss_shifted(steps.sigma, y).backward()
print("dL/dfc of the first three images:", steps.fc.grad[0, :3])
