"""Runs: from a plan to a simulation to a recorded run; played again, resumed, verified, forked."""
