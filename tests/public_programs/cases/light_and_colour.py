"""Optics, colour and pictures."""

import numpy as np

from public_programs.case import case, weighted


@case("tmm", "coh_tmm: thin films", [100.0, 250.0, 0.3])
def tmm_films():
    from tmm import coh_tmm

    def f(x):
        found = coh_tmm("s", [1.0, 2.2, 1.5 + 0.1j, 1.0], [np.inf, x[0], x[1], np.inf], x[2], 550.0)
        return weighted(found["R"], found["T"])

    return f


@case("tmm", "unpolarized_RT", [2.2, 1.5, 0.3])
def tmm_unpolarized():
    from tmm import unpolarized_RT

    return lambda x: weighted(unpolarized_RT([1.0, x[0], x[1], 1.0], [np.inf, 120.0, 80.0, np.inf], x[2], 550.0))


@case("prysm", "thinfilm.multilayer_stack_rt", [0.1, 0.25])
def prysm_stack():
    from prysm.thinfilm import multilayer_stack_rt

    def f(x):
        r, t = multilayer_stack_rt("p", 0.55, [(2.2, x[0]), (1.5, x[1]), (1.52, 1.0)], aoi=20.0)
        return weighted(np.abs(r), np.abs(t))

    return f


@case("prysm", "thinlens", [50.0, 300.0])
def prysm_lens():
    from prysm.thinlens import image_dist_epd_to_fno, object_to_image_dist, twolens_efl

    return lambda x: weighted(
        object_to_image_dist(x[0], x[1]), image_dist_epd_to_fno(x[0], 12.0), twolens_efl(x[0], x[1], 20.0)
    )


@case("prysm", "zernike: coma, spherical, trefoil", [0.3, 0.7])
def prysm_zernike():
    from prysm.zernike import primary_coma_x, primary_spherical, primary_trefoil_y

    return lambda x: weighted([term(x[0], x[1]) for term in (primary_coma_x, primary_spherical, primary_trefoil_y)])


@case("refnx", "reflect._reflect.abeles (Python)", [2.07, 3.47, 100.0, 3.0])
def refnx_reflectivity():
    from refnx.reflect._reflect import abeles

    q = np.array([0.01, 0.03, 0.08])

    def f(x):
        layers = np.array([[0.0, x[0], 0.0, 0.0], [x[2], x[1], 0.0, x[3]], [0.0, 6.36, 0.0, x[3]]])
        return weighted(np.log(abeles(q, layers)))

    return f


@case("colour-science", "XYZ_to_Lab", [0.2, 0.12, 0.05], adopt=["colour"])
def colour_lab():
    from colour import XYZ_to_Lab

    return lambda xyz: weighted(XYZ_to_Lab(xyz))


@case("colour-science", "delta_E (CIE 2000)", [48.9, 36.5, -13.0], adopt=["colour"])
def colour_difference():
    from colour.difference import delta_E_CIE2000

    return lambda lab: delta_E_CIE2000(lab, np.array([50.6, -30.4, 2.9]))


@case("colour-science", "appearance.XYZ_to_CIECAM02", [19.0, 20.0, 29.8], adopt=["colour"], scale=0.1)
def colour_appearance():
    from colour.appearance import XYZ_to_CIECAM02

    def f(xyz):
        found = XYZ_to_CIECAM02(xyz, np.array([95.05, 100.0, 108.88]), 318.31, 20.0)
        return weighted(found.J, found.C, found.h)

    return f


@case("colour-science", "colorimetry.planck_law", [500e-9, 5600.0], adopt=["colour"])
def colour_planck():
    from colour.colorimetry import planck_law

    return lambda x: np.log(planck_law(x[0], x[1]))


@case("colormath", "convert_color(sRGB to Lab)", [0.3, 0.6, 0.2])
def colormath_lab():
    from colormath.color_conversions import convert_color
    from colormath.color_objects import LabColor, sRGBColor

    def f(rgb):
        return weighted(convert_color(sRGBColor(rgb[0], rgb[1], rgb[2]), LabColor).get_value_tuple())

    return f


@case("colormath", "color_diff_matrix.delta_e_cie2000, delta_e_cmc", [48.9, 36.5, -13.0])
def colormath_difference():
    from colormath import color_diff_matrix

    others = np.array([[50.6, -30.4, 2.9]])
    return lambda lab: weighted(
        color_diff_matrix.delta_e_cie2000(lab, others), color_diff_matrix.delta_e_cmc(lab, others)
    )


@case("hsluv", "rgb_to_hsluv", [0.3, 0.6, 0.2])
def hsluv_colour():
    import hsluv

    return lambda rgb: weighted(hsluv.rgb_to_hsluv((rgb[0], rgb[1], rgb[2])))


@case("colorspacious", "cspace_convert(sRGB1 to CAM02-UCS)", [0.3, 0.6, 0.2])
def colorspacious_cam():
    from colorspacious import cspace_convert

    return lambda rgb: weighted(cspace_convert(rgb, "sRGB1", "CAM02-UCS"))


@case("scikit-image", "color.rgb2lab", [0.3, 0.6, 0.2, 0.8, 0.1, 0.5], adopt=["skimage"])
def skimage_lab():
    from skimage.color import rgb2lab

    return lambda rgb: weighted(rgb2lab(rgb.reshape(1, 2, 3)))


@case("scikit-image", "exposure.adjust_sigmoid, metrics.normalized_root_mse", [0.3, 0.6, 0.2, 0.8], adopt=["skimage"])
def skimage_exposure():
    from skimage.exposure import adjust_sigmoid
    from skimage.metrics import normalized_root_mse

    image = np.array([[0.4, 0.5], [0.1, 0.9]])
    return lambda x: weighted(adjust_sigmoid(x.reshape(2, 2)), normalized_root_mse(image, x.reshape(2, 2)))


@case(
    "scikit-image",
    "transform.AffineTransform",
    [0.3, 1.2, 0.8, 2.0, -1.0],
    adopt=["skimage"],
)
def skimage_affine():
    from skimage.transform import AffineTransform

    points = np.array([[0.0, 1.0], [2.0, 0.5]])

    def f(x):
        return weighted(AffineTransform(scale=(x[1], x[2]), rotation=x[0], translation=(x[3], x[4]))(points))

    return f
