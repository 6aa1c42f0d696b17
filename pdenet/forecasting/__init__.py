"""Forecasts by what a run of `learn` found: from a state, through the equations or the network, against measurements.

In the order of the work: `source`, the run; `snapshots`, the state and the measurements; `schedule`, the times; `plan`,
all of them; `rolling`, the models run forward; `ensemble`, what the uncertainty of the coefficients does; `comparison`,
errors; `report`, all of it in words.
"""
