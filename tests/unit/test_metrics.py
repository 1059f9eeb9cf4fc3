"""The steps' metrics."""

import json

import pytest

from managed_tables.aws.metrics import count_step


def test_a_step_is_one_line_of_the_embedded_metric_format(capsys: pytest.CaptureFixture[str]) -> None:
    count_step("insert", "done", seconds=1.5, rows=2_500, size_bytes=303_457)
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    (directive,) = event["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ManagedTables"
    assert sorted(directive["Dimensions"][0]) == ["outcome", "service"]
    assert (event["service"], event["outcome"]) == ("insert", "done")
    assert (event["Rows"], event["Bytes"], event["Duration"]) == ([2_500.0], [303_457.0], [1.5])


def test_counts_that_a_step_does_not_know_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    count_step("insert", "failed", seconds=1.5)
    event = json.loads(capsys.readouterr().out)
    assert not {"Rows", "Bytes"} & set(event)
