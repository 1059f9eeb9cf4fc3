"""The steps' metrics."""

import json

import pytest

from managed_tables.aws.metrics import count_failed_check, count_step


def test_a_step_is_one_line_of_the_embedded_metric_format(capsys: pytest.CaptureFixture[str]) -> None:
    count_step("insert", "done", seconds=1.5)
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    (directive,) = event["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ManagedTables"
    assert sorted(directive["Dimensions"][0]) == ["outcome", "service"]
    assert (event["service"], event["outcome"]) == ("insert", "done")
    assert (event["Jobs"], event["Duration"]) == ([1.0], [1.5])


def test_a_failed_check_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    count_failed_check()
    event = json.loads(capsys.readouterr().out)
    assert (event["service"], event["FailedChecks"]) == ("analyze", [1.0])
