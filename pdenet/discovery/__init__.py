"""The default recipe, `discover`: which terms the equation of the data has, by regression and held-out roll-outs.

In the order of the work: `resolution` chooses the `collocation`; `groups`, `normal_equations` and `unavoidable`
condense the data; `ladder` climbs the library and `select` its terms; `rollout` scores and `refine` refits.
"""
