def f(x):
    return x**2


def slope(x):
    return 2 * x  # blank
