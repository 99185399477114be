"""The training loop of the article, to the draw: 501 passes over 24 images."""

import time

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS

data = bundled(TASKS["circle-square"])
x, y = Scaling()(data.train.grey), data.train.y

random = np.random.RandomState(230129)  # the article's seed, and the order of its draws
p = Parameters(Wc=random.randn(3, 3), Bc=random.randn(1, 1), Wf=random.randn(1, 196), Bf=random.randn(1, 1))
random.shuffle(np.arange(24))  # it shuffles once for a picture
descend = tg.SGD(learning_rate=0.01)


def loss(p, images, targets):
    sigma = forward(images, p, ties="all", at_zero=1.0).sigma  # the article's conventions at ties and kinks
    return loss_shifted(sigma, targets), sigma


began = time.perf_counter()
for epoch in range(501):
    order = np.arange(24)
    random.shuffle(order)
    images, targets = x[order], y[order]
    gradient, sigma = tg.grad(loss, has_aux=True)(p, images, targets)
    p = descend.step(p, gradient)
    if epoch % 50 == 0:
        right = np.sum((sigma > 0.5) == (targets.T > 0.5))
        print(f"epoch {epoch:3}   loss as printed {loss_as_printed(sigma, targets):10.6f}   {right} of 24 right")
print(f"{time.perf_counter() - began:.2f} s")

test = forward(Scaling()(data.test.grey), p).sigma[0]
print("test predictions:", test.round(4), " targets:", data.test.y[:, 0].astype(int))
