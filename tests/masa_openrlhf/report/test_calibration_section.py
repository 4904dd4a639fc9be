from masa_control import CalibrationPoints
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections.calibration import read_calibration_points

from tests.masa_openrlhf.report import factories


def folder(tmp_path, name="a", evals=(), steps=10):
    folder = factories.make_run(tmp_path / name, steps=steps)
    for step in range(1, steps + 1):
        folder.write_calibration(
            step, "train", CalibrationPoints([(step / 10, 0.5)], [(float(step), 9.0)])
        )
    for step in evals:
        folder.write_calibration(step, "eval", CalibrationPoints([(step / 100, 0.25)], []))
    return read_run(folder.path)


def test_held_out_problems_are_taken_where_there_are_two_evaluations(tmp_path):
    found = read_calibration_points([folder(tmp_path, evals=(0, 5, 10))], "pass_rate")
    assert found[:2] == ([(0.0, 0.25)], [(0.1, 0.25)])
    assert found.where.startswith("held-out")


def test_else_the_first_and_the_last_fifth_of_the_steps(tmp_path):
    runs = [folder(tmp_path, evals=(10,)), folder(tmp_path, "b", steps=3)]
    found = read_calibration_points(runs, "pass_rate")
    assert found.before == [(0.1, 0.5), (0.2, 0.5), (0.1, 0.5)]
    assert found.after == [(0.9, 0.5), (1.0, 0.5), (0.3, 0.5)]
    assert read_calibration_points(runs, "length").before == [(1.0, 9.0), (2.0, 9.0), (1.0, 9.0)]


def test_a_run_that_recorded_none(tmp_path):
    factories.make_run(tmp_path / "a")
    assert read_calibration_points([read_run(tmp_path / "a")], "length")[:2] == ([], [])
