import numpy as np


def pole(epsilon):
    sigma = 1 - epsilon  # blank
    fc = np.log(sigma / (1 - sigma))  # blank
    return sigma, fc


def slope(fc, y):
    sigma = 1 / (1 + np.exp(-fc))
    dL_dfc = sigma - y  # blank
    return dL_dfc
