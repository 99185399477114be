"""Geodesy, astronomy, weather and water."""

import numpy as np

from public_programs.case import case, weighted


@case("pvlib", "solarposition.declination_spencer71, equation_of_time_spencer71", [100.0, 200.0])
def pvlib_declination():
    from pvlib.solarposition import declination_spencer71, equation_of_time_spencer71

    return lambda day: weighted(declination_spencer71(day), equation_of_time_spencer71(day))


@case("pvlib", "irradiance.haydavies", [30.0, 170.0, 120.0, 700.0])
def pvlib_haydavies():
    from pvlib.irradiance import haydavies

    return lambda x: haydavies(x[0], x[1], x[2], x[3], 1360.0, 40.0, 160.0)


@case("pvlib", "irradiance.disc", [700.0, 40.0], scale=0.3)
def pvlib_disc():
    from pvlib.irradiance import disc

    return lambda x: disc(x[0], x[1], 150)["dni"]


@case("pvlib", "atmosphere.get_relative_airmass", [10.0, 50.0, 80.0])
def pvlib_airmass():
    from pvlib.atmosphere import get_relative_airmass

    return lambda zenith: weighted(get_relative_airmass(zenith, "kastenyoung1989"))


@case("pvlib", "iam.physical", [10.0, 50.0, 80.0])
def pvlib_incidence_angle():
    from pvlib.iam import physical

    return lambda aoi: weighted(physical(aoi))


@case("pvlib", "singlediode.bishop88", [7.0, 1e-9, 0.3, 300.0, 1.5])
def pvlib_single_diode():
    from pvlib.singlediode import bishop88

    return lambda x: weighted(bishop88(30.0, x[0], x[1], x[2], x[3], x[4]))


@case("pvlib", "pvsystem.calcparams_desoto, i_from_v", [800.0, 45.0])
def pvlib_i_from_v():
    from pvlib.pvsystem import calcparams_desoto, i_from_v

    def f(x):
        params = calcparams_desoto(x[0], x[1], 0.003, 1.5, 7.0, 1e-9, 300.0, 0.3)
        return i_from_v(30.0, *params)

    return f


@case("pvlib", "temperature.sapm_cell", [800.0, 25.0, 3.0])
def pvlib_cell_temperature():
    from pvlib.temperature import sapm_cell

    return lambda x: sapm_cell(x[0], x[1], x[2], -3.47, -0.0594, 3.0)


@case("astropy", "cosmology.FlatLambdaCDM.comoving_distance", [70.0, 0.3], scale=0.3)
def astropy_distance():
    from astropy.cosmology import FlatLambdaCDM

    return lambda x: FlatLambdaCDM(H0=x[0], Om0=x[1]).comoving_distance(1.5).value


@case("astropy", "modeling.models.Sersic1D", [2.0, 1.5, 2.5])
def astropy_sersic():
    from astropy.modeling.models import Sersic1D

    radii = np.array([0.5, 1.0, 2.0, 4.0])
    return lambda x: weighted(Sersic1D.evaluate(radii, x[0], x[1], x[2]))


@case("astropy", "modeling.models.Lorentz1D, Moffat1D", [0.3, 2.0, 1.5, 0.7])
def astropy_lorentz():
    from astropy.modeling.functional_models import Lorentz1D, Moffat1D

    at = np.array([-1.0, 0.2, 0.9, 2.0])
    return lambda x: weighted(
        Lorentz1D.evaluate(at, x[1], x[0], x[2]), Moffat1D.evaluate(at, x[1], x[0], x[2], 1.0 + x[3])
    )


@case("astropy", "stats.biweight_location", [1.0, 1.3, 0.8, 1.1, 2.0, 0.4])
def astropy_biweight():
    from astropy.stats import biweight_location

    return lambda x: biweight_location(x)


@case("astropy", "coordinates.angular_separation", [0.3, 0.2, 1.1, -0.4])
def astropy_separation():
    from astropy.coordinates import angular_separation

    return lambda x: angular_separation(x[0], x[1], x[2], x[3])


@case(
    "skyfield",
    "keplerlib.propagate",
    [1.0, 0.1, 0.2, -0.002, 0.017, 0.001],
    scale=0.1,
    limit="a root found by bisection, where comparisons alone decide: declare it with tg.implicit",
)
def skyfield_orbit():
    from skyfield.constants import GM_SUN_Pitjeva_2005_km3_s2
    from skyfield.keplerlib import propagate

    km, day = 149597870.7, 86400.0
    mu = GM_SUN_Pitjeva_2005_km3_s2 * day**2 / km**3

    def f(x):
        position, velocity = propagate(x[:3], x[3:], 0.0, np.array([20.0, 50.0]), mu)
        return weighted(position, velocity)

    return f


@case("skyfield", "functions.to_spherical, angle_between", [1.0, 0.5, 0.2])
def skyfield_spherical():
    from skyfield.functions import angle_between, to_spherical

    return lambda x: weighted(to_spherical(x), angle_between(x, np.array([0.3, 1.0, 0.2])))


@case("sgp4", "propagation.sgp4 (Python)", [0.3, 1.2, 0.001, 0.06], scale=0.1)
def sgp4_orbit():
    from sgp4.model import WGS72, Satrec

    def f(x):
        satellite = Satrec()
        satellite.sgp4init(WGS72, "i", 5, 18441.785, 0.00002, 0.0, 0.0, x[2] + 0.18, x[0], x[1], 1.2, x[3], 5.2)
        return weighted(satellite.sgp4_tsince(60.0)[1:])

    return f


@case("galpy", "potential.PlummerPotential", [1.0, 0.3])
def galpy_plummer():
    from galpy.potential import PlummerPotential

    potential = PlummerPotential(amp=1.0, b=0.5)
    return lambda x: weighted(potential(x[0], x[1]), potential.Rforce(x[0], x[1]), potential.dens(x[0], x[1]))


@case("galpy", "potential.MiyamotoNagaiPotential", [0.5, 0.1])
def galpy_miyamoto():
    from galpy.potential import MiyamotoNagaiPotential

    return lambda x: MiyamotoNagaiPotential(amp=1.0, a=x[0], b=x[1])(1.2, 0.3)


@case("colossus", "halo.profile_nfw.NFWProfile", [1e7, 20.0])
def colossus_profile():
    from colossus.cosmology import cosmology
    from colossus.halo.profile_nfw import NFWProfile

    cosmology.setCosmology("planck18", persistence="")

    def f(x):
        profile = NFWProfile(rhos=x[0], rs=x[1])
        return weighted(profile.density(np.array([10.0, 50.0])), profile.enclosedMass(np.array([30.0])))

    return f


@case("colossus", "halo.profile_einasto", [1e7, 20.0, 0.2])
def colossus_einasto():
    from colossus.cosmology import cosmology
    from colossus.halo.profile_einasto import EinastoProfile

    cosmology.setCosmology("planck18", persistence="")
    return lambda x: weighted(EinastoProfile(rhos=x[0], rs=x[1], alpha=x[2]).density(np.array([10.0, 50.0])))


@case("pyorbital", "astronomy.cos_zen, sun_zenith_angle", [10.0, 48.0])
def pyorbital_sun():
    from datetime import datetime

    from pyorbital.astronomy import cos_zen, sun_zenith_angle

    when = datetime(2020, 6, 1, 9, 30)
    return lambda x: weighted(cos_zen(when, x[0], x[1]), sun_zenith_angle(when, x[0], x[1]))


@case("pymap3d", "geodetic2ecef", [40.0, -75.0, 1000.0])
def pymap3d_ecef():
    from pymap3d import geodetic2ecef

    return lambda x: weighted(geodetic2ecef(x[0], x[1], x[2]))


@case("pymap3d", "ecef2geodetic", [660675.0, -4700949.0, 4245738.0], scale=0.1)
def pymap3d_geodetic():
    from pymap3d import ecef2geodetic

    return lambda x: weighted(ecef2geodetic(x[0], x[1], x[2]))


@case("pymap3d", "aer2geodetic", [33.0, 70.0, 1000.0])
def pymap3d_aer():
    from pymap3d import aer2geodetic

    return lambda x: weighted(aer2geodetic(x[0], x[1], x[2], 42.0, -82.0, 200.0))


@case("pymap3d", "vincenty.vdist", [48.0, 11.0, 41.0, 2.0])
def pymap3d_vincenty():
    from pymap3d.vincenty import vdist

    return lambda x: weighted(vdist(x[0], x[1], x[2], x[3]))


@case("geographiclib", "geodesic.Geodesic.WGS84.Inverse", [48.0, 11.0, 41.0, 2.0])
def geographiclib_inverse():
    from geographiclib.geodesic import Geodesic

    return lambda x: Geodesic.WGS84.Inverse(x[0], x[1], x[2], x[3])["s12"]


@case("utm", "from_latlon", [48.1, 11.6], scale=0.1)
def utm_easting():
    from utm import from_latlon

    return lambda x: weighted(from_latlon(x[0], x[1])[:2])


@case("utm", "to_latlon", [691600.0, 5334700.0], scale=0.1)
def utm_latitude():
    from utm import to_latlon

    return lambda x: weighted(to_latlon(x[0], x[1], 32, "U"))


@case("haversine", "haversine", [48.0, 11.0, 41.0, 2.0])
def haversine_distance():
    from haversine import haversine

    return lambda x: haversine((x[0], x[1]), (x[2], x[3]))


@case("boule", "WGS84.normal_gravity", [45.0, 1000.0])
def boule_gravity():
    import boule

    return lambda x: boule.WGS84.normal_gravity((0.0, x[0], x[1]))


@case("ppigrf", "igrf_gc (Legendre functions)", [6600.0, 60.0, 30.0])
def ppigrf_field():
    from datetime import datetime

    from ppigrf import igrf_gc

    return lambda x: weighted(igrf_gc(x[0], x[1], x[2], datetime(2020, 1, 1)))


@case("thermofeel", "calculate_utci_polynomial", [25.0, 3.0, 5.0, 1.5])
def thermofeel_utci():
    from thermofeel import thermofeel

    return lambda x: thermofeel.calculate_utci_polynomial(x[0], x[2], x[3], x[1])


@case("thermofeel", "calculate_saturation_vapour_pressure, humidex", [300.0, 290.0])
def thermofeel_humidex():
    from thermofeel import thermofeel

    return lambda x: weighted(
        thermofeel.calculate_saturation_vapour_pressure(x[0]), thermofeel.calculate_humidex(x[0], x[1])
    )


@case("pythermalcomfort", "models.pmv_ppd_iso", [25.0, 26.0, 0.15, 50.0], scale=0.3)
def thermal_comfort():
    from pythermalcomfort.models import pmv_ppd_iso

    return lambda x: pmv_ppd_iso(x[0], x[1], x[2], x[3], met=1.4, clo=0.5, round_output=False).pmv


@case("psychrolib", "GetHumRatioFromRelHum", [25.0, 0.5])
def psychrolib_humidity():
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    return lambda x: psychrolib.GetHumRatioFromRelHum(x[0], x[1], 101325.0)


@case("psychrolib", "GetTDewPointFromVapPres (Newton's iteration)", [25.0, 1500.0])
def psychrolib_dew_point():
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    psychrolib.PSYCHROLIB_TOLERANCE = 1e-12  # so that differences see no steps of the iteration
    return lambda x: psychrolib.GetTDewPointFromVapPres(x[0], x[1])


@case("seawater", "eos80.dens", [35.0, 12.0, 1500.0])
def seawater_density():
    from seawater.eos80 import dens

    return lambda x: weighted(dens(x[0], x[1], x[2]))


@case("seawater", "eos80.svel", [35.0, 12.0, 1500.0])
def seawater_sound():
    from seawater.eos80 import svel

    return lambda x: weighted(svel(x[0], x[1], x[2]))


@case("ambiance", "Atmosphere.density, speed_of_sound", [1000.0, 5000.0, 15000.0])
def ambiance_density():
    from ambiance import Atmosphere

    def f(height):
        air = Atmosphere(height)
        return weighted(air.density, air.speed_of_sound)

    return f


@case("windpowerlib", "wind_speed.logarithmic_profile, density.barometric", [5.0, 10.0, 0.15, 80.0])
def windpowerlib_profile():
    from windpowerlib.density import barometric
    from windpowerlib.wind_speed import hellman, logarithmic_profile

    return lambda x: weighted(
        logarithmic_profile(x[0], x[1], x[3], x[2]),
        hellman(x[0], x[1], x[3], x[2]),
        barometric(1000.0, x[1], x[3], 280.0),
    )


@case("hydroeval", "evaluator(kge, nse)", [1.2, 2.9, 3.1, 4.8, 3.9])
def hydroeval_efficiency():
    from hydroeval import evaluator, kge, nse

    observed = np.array([1.0, 2.5, 3.5, 4.4, 4.1])

    return lambda simulated: weighted(evaluator(kge, simulated, observed), evaluator(nse, simulated, observed))


@case("HydroErr", "kge_2012, sa, d1", [1.4, 2.9, 3.0, 4.9, 3.8], adopt=["HydroErr"])
def hydroerr_scores():
    from HydroErr import HydroErr

    observed = np.array([1.0, 2.5, 3.5, 4.4, 4.1])
    return lambda simulated: weighted(
        HydroErr.kge_2012(simulated, observed), HydroErr.sa(simulated, observed), HydroErr.d1(simulated, observed)
    )


@case("iapws", "iapws97: region 1", [500.0, 3.0])
def iapws_water():
    from iapws.iapws97 import _Region1

    return lambda x: weighted([_Region1(x[0], x[1])[key] for key in ("v", "h", "s", "cp")])


@case("iapws", "_iapws._Tension, _Viscosity, _Dielectric", [400.0, 950.0])
def iapws_transport():
    from iapws._iapws import _Dielectric, _Tension, _Viscosity

    return lambda x: weighted(_Tension(x[0]), _Viscosity(x[1], x[0]), _Dielectric(x[1], x[0]))
