"""What models of a company's life share: requests repeated as a user does, and how lives are run."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from injection import CALL_WAYS, REQUEST_WAYS, SQL_WAYS, Fault, Run, run_step
from worlds import World

from managed_tables.errors import TABLE_BUSY, ApiError
from managed_tables_api.services import ApiServices

ATTEMPTS = 6  # by a user who got no answer or found the table busy
FAULTS = st.none() | st.builds(
    Fault, st.integers(0, 60), st.sampled_from(sorted({*SQL_WAYS, *CALL_WAYS, *REQUEST_WAYS}))
)
PICKS = st.integers(0, 99)  # an index into the existing ones
SHORT = settings(max_examples=4, stateful_step_count=10, derandomize=True)
FOUND_IS_ENOUGH = (Phase.generate,)  # shrinking a life takes many minutes


class Life(RuleBasedStateMachine):
    """One company, from an empty catalog until everything that was started has ended."""

    def __init__(self, world: World) -> None:
        super().__init__()
        world.empty()
        self.world, self.services = world, connected_services(world)

    def _ask(self, step: Callable[[], Any], fault: Fault | None) -> str:
        """Repeat the request until it is answered, as a user does; return `ok` or the error's code."""

        def answered() -> str:
            try:
                step()
            except ApiError as error:
                if error.kind.status >= 500 or error.kind is TABLE_BUSY:
                    raise
                return error.kind.code
            return "ok"

        run = self._run(answered, fault)
        for _ in range(ATTEMPTS):
            if run.ended_well:
                return str(run.value)
            run = self._run(answered, None)
        raise AssertionError(run.error)

    def _run(self, step: Callable[[], Any], fault: Fault | None) -> Run:
        return run_step(step, fault, self.world.admin_dsn)


def connected_services(world: World) -> ApiServices:
    """Return services whose clients exist but have made no calls, so that child processes can use them."""
    made = world.fresh_services()
    assert all((made.dynamodb, made.s3, made.stepfunctions, made.eventbridge))
    return made


def live(make: Callable[[], Life], lives: int) -> None:
    """Run so many long lives, or a few short ones."""
    chosen = settings(max_examples=lives, stateful_step_count=40) if lives else SHORT
    checks = list(HealthCheck)
    chosen = settings(
        chosen, deadline=None, suppress_health_check=checks, database=None, phases=FOUND_IS_ENOUGH
    )
    run_state_machine_as_test(make, settings=chosen)
