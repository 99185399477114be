"""Programs of public packages that were not written for automatic differentiation: are their gradients right?

None of their code is here: a case imports what it calls from the package, which `running.environment` installs.
"""
