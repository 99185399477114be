"""Chemistry, fluids, heat, and what stands on atoms."""

import numpy as np

from public_programs.case import case, weighted


@case("fluids", "friction.Colebrook", [1e5, 1e-4])
def fluids_colebrook():
    from fluids.friction import Colebrook

    return lambda x: Colebrook(x[0], x[1])


@case("fluids", "friction.Clamond, Churchill_1977, Haaland", [1e5, 1e-4])
def fluids_friction():
    from fluids.friction import Churchill_1977, Clamond, Haaland

    return lambda x: weighted(Clamond(x[0], x[1]), Churchill_1977(x[0], x[1]), Haaland(x[0], x[1]))


@case("fluids", "atmosphere.ATMOSPHERE_1976", 5000.0)
def fluids_atmosphere():
    from fluids.atmosphere import ATMOSPHERE_1976

    def f(height):
        air = ATMOSPHERE_1976(height)
        return weighted(air.T, air.P, air.rho, air.v_sonic)

    return f


@case("fluids", "compressible.isothermal_gas", [11.3, 0.00185, 1000000.0, 800000.0, 0.5])
def fluids_isothermal():
    from fluids.compressible import isothermal_gas

    return lambda x: isothermal_gas(rho=x[0], fd=x[1], P1=x[2], P2=x[3], L=1000.0, D=x[4])


@case("fluids", "two_phase.Friedel", [0.6, 0.1, 915.0, 2.67, 180e-6, 14e-6, 0.0487])
def fluids_friedel():
    from fluids.two_phase import Friedel

    return lambda x: Friedel(x[0], x[1], x[2], x[3], x[4], x[5], 0.0487, 0.05, 0.0, 1.0)


@case("ht", "hx.effectiveness_from_NTU", [3.0, 0.6], adopt=["ht", "fluids"])
def ht_effectiveness():
    from ht.hx import effectiveness_from_NTU

    return lambda x: weighted(
        effectiveness_from_NTU(x[0], x[1], "crossflow, mixed Cmin"), effectiveness_from_NTU(x[0], x[1], "counterflow")
    )


@case("ht", "conv_internal.turbulent_Gnielinski", [1e5, 1.2, 0.0185], adopt=["ht", "fluids"])
def ht_gnielinski():
    from ht.conv_internal import turbulent_Gnielinski

    return lambda x: turbulent_Gnielinski(x[0], x[1], x[2])


@case("ht", "core.LMTD", [100.0, 60.0, 30.0, 40.0], adopt=["ht", "fluids"])
def ht_lmtd():
    from ht.core import LMTD

    return lambda x: LMTD(x[0], x[1], x[2], x[3])


@case("chemicals", "vapor_pressure.Wagner, Lee_Kesler", [300.0, 508.1], adopt=["chemicals", "fluids"])
def chemicals_vapour():
    from chemicals.vapor_pressure import Lee_Kesler, Wagner

    return lambda x: weighted(
        Wagner(x[0], x[1], 4.7e6, -7.670734, 1.965917, -2.445437, -2.899873), Lee_Kesler(x[0], x[1], 4.7e6, 0.31)
    )


@case("chemicals", "rachford_rice.Rachford_Rice_solution", [0.5, 0.3, 1.685, 0.742], adopt=["chemicals", "fluids"])
def chemicals_flash():
    from chemicals.rachford_rice import Rachford_Rice_solution

    def f(x):
        vapour, _, ys = Rachford_Rice_solution([x[0], x[1], 1.0 - x[0] - x[1]], [x[2], x[3], 0.532])
        return weighted(vapour, ys)

    return f


@case("chemicals", "iapws.iapws95_P", [400.0, 900.0], adopt=["chemicals", "fluids"])
def chemicals_iapws():
    from chemicals.iapws import iapws95_P

    return lambda x: iapws95_P(x[0], x[1])


@case("chemicals", "volume.Rackett, COSTALD", [300.0, 369.83], adopt=["chemicals", "fluids"])
def chemicals_volume():
    from chemicals.volume import COSTALD, Rackett

    return lambda x: weighted(Rackett(x[0], x[1], 4.25e6, 0.28), COSTALD(x[0], x[1], 2.0e-4, 0.152))


@case("thermo", "eos.PR: a Peng-Robinson equation of state", [299.0, 1e6], adopt=["thermo", "chemicals", "fluids"])
def thermo_peng_robinson():
    from thermo.eos import PR

    def f(x):
        eos = PR(Tc=507.6, Pc=3025000.0, omega=0.2975, T=x[0], P=x[1])
        return weighted(eos.V_l, eos.H_dep_l)

    return f


@case("thermo", "nrtl.NRTL_gammas", [0.252, 0.4, 1.1], adopt=["thermo", "chemicals", "fluids"])
def thermo_nrtl():
    from thermo.nrtl import NRTL_gammas

    return lambda x: weighted(
        NRTL_gammas([x[0], 1.0 - x[0]], [[0.0, x[1]], [x[2], 0.0]], [[0.0, 0.2974], [0.2974, 0.0]])
    )


@case("ase", "calculators: Lennard-Jones energy", [0.0, 0.0, 0.0, 1.1, 0.1, 0.0, 0.5, 1.0, 0.2])
def ase_lennard_jones():
    from ase import Atoms
    from ase.calculators.lj import LennardJones

    def f(positions):
        atoms = Atoms("Ar3", positions=positions.reshape(3, 3))
        atoms.calc = LennardJones(sigma=1.0, epsilon=1.0, rc=5.0)
        return atoms.get_potential_energy()

    return f


@case("ase", "geometry.get_dihedrals", [1.0, 0.2, -0.1, 0.1, 1.0, 0.3, -0.4, 0.2, 1.0])
def ase_dihedral():
    from ase.geometry import get_dihedrals

    return lambda v: weighted(get_dihedrals(v[:3].reshape(1, 3), v[3:6].reshape(1, 3), v[6:].reshape(1, 3)))


@case("biopython", "PDB.vectors.calc_dihedral", [1.0, 0.2, -0.1, 0.1, 1.0, 0.3], adopt=["Bio.PDB.vectors"])
def biopython_dihedral():
    from Bio.PDB.vectors import Vector, calc_angle, calc_dihedral

    def f(x):
        a, b = Vector(x[0], x[1], x[2]), Vector(x[3], x[4], x[5])
        c, d = Vector(0.5, 2.0, 0.3), Vector(-0.4, 1.2, 1.0)
        return weighted(calc_dihedral(a, b, c, d), calc_angle(a, b, c))

    return f


@case("biopython", "SVDSuperimposer", [1.0, 0.2, -0.1, 0.1, 1.0, 0.3, 0.4, 0.1, 2.0], adopt=["Bio.SVDSuperimposer"])
def biopython_superimposer():
    from Bio.SVDSuperimposer import SVDSuperimposer

    reference = np.array([[0.9, 0.3, 0.0], [0.3, 1.1, 0.2], [0.2, -0.1, 1.7]])

    def f(x):
        superimposer = SVDSuperimposer()
        superimposer.set(reference, x.reshape(3, 3))
        superimposer.run()
        return superimposer.get_rms()

    return f


@case("scikit-bio", "diversity.alpha.shannon, simpson, hill", [5.0, 2.0, 8.0, 1.5], adopt=["skbio.diversity"])
def skbio_diversity():
    from skbio.diversity.alpha import hill, renyi, shannon

    return lambda counts: weighted(shannon(counts), hill(counts, order=1.5), renyi(counts, order=2))
