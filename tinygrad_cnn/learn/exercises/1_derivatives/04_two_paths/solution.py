def backward(x):
    u = x**2
    v = 3 * x + 1
    dL_du = v  # blank
    dL_dv = u  # blank
    dL_dx = dL_du * 2 * x + dL_dv * 3  # blank
    return dL_du, dL_dv, dL_dx
