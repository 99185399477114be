"""Finance."""

import numpy as np

from public_programs.case import case, weighted

RETURNS = [0.01, -0.02, 0.03, 0.005, -0.012, 0.018]


@case("numpy-financial", "pmt, pv, fv, ipmt", [0.05, 10.0, 1000.0])
def financial_payment():
    import numpy_financial as npf

    return lambda x: weighted(npf.pmt(x[0], x[1], x[2]), npf.pv(x[0], x[1], x[2]), npf.fv(x[0], x[1], -50.0, x[2]))


@case("numpy-financial", "npv, mirr", [-100.0, 39.0, 59.0, 55.0, 20.0])
def financial_value():
    import numpy_financial as npf

    return lambda flows: weighted(npf.npv(0.1, flows), npf.mirr(flows, 0.1, 0.12))


@case("numpy-financial", "rate (Newton's iteration)", [-50.0, 400.0])
def financial_rate():
    import numpy_financial as npf

    return lambda x: npf.rate(12, x[0], x[1], 0.0, tol=1e-14)


@case("numpy-financial", "irr", [-100.0, 39.0, 59.0, 55.0])
def financial_return():
    import numpy_financial as npf

    return lambda flows: npf.irr(flows)


@case("py_vollib", "ref_python.black_scholes", [100.0, 95.0, 0.5, 0.02, 0.25])
def vollib_black_scholes():
    from py_vollib.ref_python.black_scholes import black_scholes

    return lambda x: black_scholes("c", x[0], x[1], x[2], x[3], x[4])


@case("py_vollib", "ref_python.black_scholes.greeks.analytical", [100.0, 95.0, 0.5, 0.02, 0.25])
def vollib_greeks():
    from py_vollib.ref_python.black_scholes.greeks.analytical import delta, gamma, vega

    return lambda x: weighted([greek("c", x[0], x[1], x[2], x[3], x[4]) for greek in (delta, gamma, vega)])


@case("pysabr", "Hagan2002LognormalSABR.lognormal_vol", [0.02, 0.2, 0.4])
def sabr_lognormal():
    from pysabr.models.hagan_2002_lognormal_sabr import lognormal_vol

    return lambda x: lognormal_vol(0.025, 0.03, 1.5, x[0], 0.5, x[1], x[2])


@case("pysabr", "black.lognormal_call, normal_call", [0.025, 0.03, 0.2])
def sabr_black():
    from pysabr.black import lognormal_call, normal_call

    return lambda x: weighted(
        lognormal_call(x[0], x[1], 1.0, x[2], 0.01), normal_call(x[0], x[1], 1.0, x[2] * 0.05, 0.01)
    )


@case("nelson_siegel_svensson", "NelsonSiegelSvenssonCurve", [0.028, -0.03, -0.009, -0.015, 0.94, 3.2])
def svensson_curve():
    from nelson_siegel_svensson import NelsonSiegelSvenssonCurve

    def f(x):
        curve = NelsonSiegelSvenssonCurve(x[0], x[1], x[2], x[3], x[4], x[5])
        return weighted(curve(np.array([0.5, 2.0, 10.0])), curve.forward(np.array([1.0, 5.0])))

    return f


@case("empyrical-reloaded", "sharpe_ratio, sortino_ratio", RETURNS, adopt=["empyrical"])
def empyrical_sharpe():
    import empyrical

    return lambda returns: weighted(empyrical.sharpe_ratio(returns), empyrical.annual_volatility(returns))


@case("empyrical-reloaded", "cum_returns_final, max_drawdown", RETURNS, adopt=["empyrical"])
def empyrical_drawdown():
    import empyrical

    return lambda returns: weighted(empyrical.cum_returns_final(returns), empyrical.max_drawdown(returns))


@case("empyrical-reloaded", "beta, alpha", RETURNS, adopt=["empyrical"])
def empyrical_beta():
    import empyrical

    market = np.array([0.012, -0.015, 0.02, 0.001, -0.01, 0.02])
    return lambda returns: weighted(empyrical.beta(returns, market), empyrical.annual_return(returns))
