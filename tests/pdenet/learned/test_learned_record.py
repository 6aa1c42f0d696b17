from __future__ import annotations

import json

import numpy as np
import pytest

from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.learned.record import Learned, TrainedOn, digest

EQUATIONS = (Equation.parse("u_t = -0.1*u*u_x + 0.30000000000000004*u_xx"), Equation("v_t", (), ()))


def learned() -> Learned:
    values = np.arange(24.0).reshape(1, 3, 2, 4)
    values[0, 0, 0, 0] = np.nan  # a gap
    field = Field(values=values, dt=0.1, dx=(0.3,), names=("u", "v"), boundary=("periodic",), origin=(-1.0,))
    return Learned(
        equations=EQUATIONS,
        recipe="default",
        dt=field.dt,
        dx=field.dx,
        covariance=np.array([[1e-8, 1e-9 / 3], [1e-9 / 3, 4e-8]]),
        data=TrainedOn.of(field),
    )


def test_it_is_read_back_exactly_through_json() -> None:
    before = learned()
    after = Learned.from_dict(json.loads(json.dumps(before.as_dict())))
    assert (after.equations, after.recipe, after.dt, after.dx) == (EQUATIONS, "default", 0.1, (0.3,))
    assert (
        after.data
        == before.data
        == TrainedOn(shape=(4,), origin=(-1.0,), boundary=("periodic",), ranges={"u": (1.0, 19.0), "v": (4.0, 23.0)})
    )
    assert after.covariance is not None
    np.testing.assert_array_equal(after.covariance, before.covariance)
    assert after.as_dict() == before.as_dict()


def test_the_digest_is_of_what_stands_there_not_of_its_layout() -> None:
    record = learned().as_dict()
    again = json.loads(json.dumps(record, indent=7, sort_keys=True))
    assert digest(again) == record["sha256"]
    again["equations"][0]["terms"][0]["coef"] += 1e-17 * 100
    assert digest(again) != record["sha256"]


def test_records_of_earlier_versions_hold_less() -> None:
    old = Learned.from_dict({"equations": [EQUATIONS[0].as_dict()], "recipe": "default", "dt": 1, "dx": [2]})
    assert (old.covariance, old.data, old.names) == (None, None, ("u",))


def test_no_terms_have_an_empty_covariance() -> None:
    empty = Learned(equations=EQUATIONS[1:], recipe="default", dt=1.0, dx=(1.0,), covariance=np.zeros((0, 0)))
    again = Learned.from_dict(json.loads(json.dumps(empty.as_dict())))
    assert again.covariance is not None
    assert again.covariance.shape == (0, 0)


def test_a_covariance_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 3\) for 2 coefficients"):
        Learned(equations=EQUATIONS, recipe="default", dt=1.0, dx=(1.0,), covariance=np.eye(3))
