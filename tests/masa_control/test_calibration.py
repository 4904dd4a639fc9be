import asyncio

from masa_control import CalibrationPoints, calibration_points, run_episode

from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    make_completion,
    make_prediction_text,
    make_settings,
)


def episode(predicted, lengths):
    """Predictions (of 8, tokens) and the lengths of right solutions beside a wrong one."""
    engine = ScriptedEngine(
        meta=[
            make_completion(make_prediction_text(rate, length), tokens=6)
            for rate, length in predicted
        ],
        solution=[make_completion("it is 4", tokens=length) for length in lengths]
        + [make_completion("it is 5", tokens=2)],
    )
    return asyncio.run(
        run_episode(
            PROBLEM,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=make_settings(len(predicted), len(lengths) + 1),
        )
    )


def test_the_means_of_a_problem_beside_the_truth():
    """Of 8 predicted 2 and 6: 0.5; right were 3 of 4, of 5, 6 and 10 tokens: 7."""
    assert calibration_points([episode([(2, 5), (6, 8)], (5, 6, 10))]) == CalibrationPoints(
        [(0.5, 0.75)], [(6.5, 7.0)]
    )


def test_no_length_without_a_right_solution_and_no_pair_without_a_prediction():
    assert calibration_points([episode([(0, 5)], ())]) == CalibrationPoints([(0.0, 0.0)], [])
    assert calibration_points([episode([], (5,))]) == CalibrationPoints([], [])
    assert calibration_points([]) == CalibrationPoints([], [])
