"""Sound, signals and features of time series."""

import numpy as np

from public_programs.case import case, weighted

SERIES = [1.0, 2.5, 0.3, -1.2, 0.8, 1.9, 0.1, -0.7]


@case("python_speech_features", "logfbank", SERIES)
def speech_filterbank():
    from python_speech_features import logfbank

    return lambda x: weighted(logfbank(x, samplerate=16, winlen=0.5, winstep=0.25, nfilt=3, nfft=8, lowfreq=0))


@case("python_speech_features", "mfcc", SERIES)
def speech_mfcc():
    from python_speech_features import mfcc

    return lambda x: weighted(mfcc(x, samplerate=16, winlen=0.5, winstep=0.25, numcep=3, nfilt=4, nfft=8))


@case("python_speech_features", "delta, lifter", SERIES)
def speech_delta():
    from python_speech_features import delta
    from python_speech_features.base import lifter

    return lambda x: weighted(delta(x.reshape(4, 2), 2), lifter(x.reshape(4, 2)))


@case("PyWavelets", "threshold(soft, garrote)", [1.0, 2.5, 0.3, -1.2, 0.8], adopt=["pywt"])
def wavelet_threshold():
    import pywt

    return lambda x: weighted(pywt.threshold(x, 0.5, "soft"), pywt.threshold(x, 0.5, "garrote"))


@case("PyWavelets", "dwt, wavedec", SERIES, adopt=["pywt"])
def wavelet_transform():
    import pywt

    return lambda x: weighted(pywt.wavedec(x, "db2", level=1))


@case("nolds", "dfa", [1.0, 2.5, 0.3, -1.2, 0.8, 1.9, 0.1, -0.7, 0.6, 1.4, -0.5, 0.9])
def nolds_dfa():
    import nolds

    return lambda x: nolds.dfa(x, nvals=[4, 6], fit_exp="poly")


@case("nolds", "measures.delay_embedding, rowwise_euclidean", SERIES)
def nolds_embedding():
    from nolds.measures import delay_embedding, rowwise_euclidean

    def f(x):
        embedded = delay_embedding(x, 3, lag=1)
        return weighted(rowwise_euclidean(embedded[1:], embedded[0]))

    return f


@case("nolds", "hurst_rs", [1.0, 2.5, 0.3, -1.2, 0.8, 1.9, 0.1, -0.7, 0.6, 1.4, -0.5, 0.9])
def nolds_hurst():
    import nolds

    return lambda x: nolds.hurst_rs(x, nvals=[4, 6], fit="poly")


@case("tsfresh", "feature_calculators: cid_ce, c3, abs_energy, ...", SERIES)
def tsfresh_features():
    from tsfresh.feature_extraction import feature_calculators as features

    return lambda x: weighted(
        features.cid_ce(x, True),
        features.c3(x, 2),
        features.abs_energy(x),
        features.mean_second_derivative_central(x),
        features.time_reversal_asymmetry_statistic(x, 1),
    )


@case("tsfresh", "feature_calculators.autocorrelation, root_mean_square, variation_coefficient", SERIES)
def tsfresh_autocorrelation():
    from tsfresh.feature_extraction import feature_calculators as features

    return lambda x: weighted(
        features.autocorrelation(x, 2), features.root_mean_square(x), features.variation_coefficient(x)
    )


@case("tsfresh", "feature_calculators.fft_aggregated", SERIES)
def tsfresh_spectrum():
    from tsfresh.feature_extraction import feature_calculators as features

    def f(x):
        return weighted(
            [value for _, value in features.fft_aggregated(x, [{"aggtype": "centroid"}, {"aggtype": "variance"}])]
        )

    return f


@case("allantools", "oadev", SERIES)
def allan_deviation():
    from allantools import oadev

    return lambda x: weighted(oadev(x, rate=1.0, data_type="phase", taus=[1.0, 2.0])[1])


@case("allantools", "totdev", SERIES)
def total_deviation():
    from allantools import totdev

    return lambda x: weighted(totdev(x, rate=1.0, data_type="freq", taus=[1.0, 2.0])[1])


@case("peakutils", "baseline", [1.0, 1.4, 3.3, 2.1, 2.2, 2.8])
def peakutils_baseline():
    from peakutils import baseline

    return lambda y: weighted(baseline(y, 1))


@case("peakutils", "centroid, peak.gaussian", [1.0, 1.4, 3.3, 2.1])
def peakutils_centroid():
    from peakutils.peak import centroid, gaussian

    at = np.array([0.0, 1.0, 2.0, 3.0])
    return lambda y: weighted(centroid(at, y), gaussian(at, y[0], y[1], y[2]))


@case("similaritymeasures", "dtw", SERIES)
def similarity_dtw():
    from similaritymeasures import dtw

    other = np.array([[0.0, 0.1], [0.9, 0.6], [2.1, 0.3]])
    return lambda x: dtw(x.reshape(4, 2), other)[0]


@case("similaritymeasures", "area_between_two_curves", [0.0, 0.5, 1.0, 0.9, 2.0, 0.7, 3.1, 1.5])
def similarity_area():
    from similaritymeasures import area_between_two_curves

    other = np.array([[0.0, 0.1], [1.1, 0.4], [2.1, 0.3], [3.0, 0.6]])
    return lambda x: area_between_two_curves(x.reshape(4, 2), other)


@case("scipy", "signal.chirp, gausspulse, sawtooth", [0.1, 0.35, 0.7], adopt=["scipy.signal._waveforms"])
def scipy_waveforms():
    from scipy.signal import chirp, gausspulse, sawtooth

    return lambda t: weighted(chirp(t, 1.0, 1.0, 3.0), gausspulse(t, fc=5), sawtooth(t * 4.0, 0.5))


@case(
    "scipy",
    "integrate.simpson, trapezoid, cumulative_trapezoid",
    SERIES[:5],
    adopt=["scipy.integrate._quadrature", "scipy._lib"],
)
def scipy_simpson():
    from scipy.integrate import cumulative_trapezoid, simpson, trapezoid

    at = np.array([0.0, 0.4, 1.1, 1.5, 2.3])
    return lambda y: weighted(simpson(y, x=at), trapezoid(y, at), cumulative_trapezoid(y, at))


@case("scipy", "interpolate.BarycentricInterpolator", SERIES[:5], adopt=["scipy.interpolate._polyint", "scipy._lib"])
def scipy_barycentric():
    from scipy.interpolate import BarycentricInterpolator

    at = np.array([0.0, 0.4, 1.1, 1.5, 2.3])
    return lambda y: weighted(BarycentricInterpolator(at, y)(np.array([0.2, 1.3])))


@case("scikit-rf", "network.s2z, s2a", [0.1, 0.8, 0.2, 0.7], adopt=["skrf.network"])
def skrf_parameters():
    from skrf.network import s2a, s2z

    def f(x):
        s = (np.stack([x[0], x[1], x[1], x[2]]).reshape(1, 2, 2)) * (1.0 + 0.3j)
        return weighted(np.abs(s2z(s)), np.abs(s2a(s)))

    return f
