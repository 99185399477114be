import numpy as np


def log_sigmoid(fc):
    result = -np.logaddexp(0, -fc)  # given: result = -np.log(1 + np.exp(-fc))
    return result
