def forward_difference(f, x, h):
    forward = (f(x + h) - f(x)) / h  # blank
    return forward


def central_difference(f, x, h):
    central = (f(x + h) - f(x - h)) / (2 * h)  # blank
    return central


def cube(x):
    return x**3
