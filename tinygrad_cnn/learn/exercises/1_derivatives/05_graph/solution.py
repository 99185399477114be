x, y = 2.0, 3.0


def loss(w, b):
    p = w * x
    z = p + b
    return (z - y) ** 2


def backward(w, b):
    p = w * x
    z = p + b
    dL_dz = 2 * (z - y)  # blank
    dL_dp = dL_dz  # blank
    dL_db = dL_dz  # blank
    dL_dw = dL_dp * x  # blank
    return dL_dz, dL_dp, dL_db, dL_dw
