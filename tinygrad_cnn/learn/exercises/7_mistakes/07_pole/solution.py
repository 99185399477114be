import numpy as np

epsilon = 1e-4


def slope(fc, y):
    sigma = 1 / (1 + np.exp(-fc))
    dL_dsigma = -(y / (sigma + epsilon) - (1 - y) / (1 - sigma - epsilon))
    dL_dfc = sigma - y  # given: dL_dfc = dL_dsigma * sigma * (1 - sigma)
    return dL_dfc
