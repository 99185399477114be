import numpy as np


def col2im(dL_dwindows):
    dL_dx = np.zeros(5)
    for i in range(3):
        dL_dx[i : i + 3] = dL_dx[i : i + 3] + dL_dwindows[i]  # given: dL_dx[i : i + 3] = dL_dwindows[i]
    return dL_dx
