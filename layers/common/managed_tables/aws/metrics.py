"""Write the steps' metrics: lines of the log that CloudWatch counts (embedded metric format).

Dimensions are the step (`service`) and its outcome, or a function's version: a company or a job as one would
make a metric of each.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "ManagedTables"


def count_answer(name: str, version: str) -> None:
    """Count one answer of the API, `Faults` or `Busy`, for the service and for its published version."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="api")
    metrics.add_dimensions(service="api", version=version)
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()


def measure_oldest_ticket(seconds: float) -> None:
    """Tell how long the job has waited for a slot that has waited longest: `OldestTicketSeconds`."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="sweep")
    metrics.add_metric(name="OldestTicketSeconds", unit=MetricUnit.Seconds, value=seconds)
    metrics.flush_metrics()


def count_failed_check() -> None:
    """Count one failure of a check of an upload's files that only tells: `FailedChecks`."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="analyze")
    metrics.add_metric(name="FailedChecks", unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()


def count_step(step: str, outcome: str, *, seconds: float) -> None:
    """Count one run of a job's step: `Jobs` and `Duration` (seconds)."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=step)
    metrics.add_dimension(name="outcome", value=outcome)
    metrics.add_metric(name="Jobs", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="Duration", unit=MetricUnit.Seconds, value=seconds)
    metrics.flush_metrics()
