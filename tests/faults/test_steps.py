"""Every step of a job and every operation on tables, with every fault at every boundary."""

import json
import os
import random
import traceback
from pathlib import Path

import pytest
from bulk_steps import BulkDelete, BulkUpdate, InsertOnConflict, InsertReturning
from cancelling import Cancel, FailAdding
from export_steps import Export, StartExport
from injection import Fault, run_step
from merging import Merge, PlanMerge
from remembering import ConfirmItself, ReadAgain, Recall
from reviewing import AnalyzeAgain, InsertSkipping, Reanalyze
from sharing import AnalyzeGivingOn, IngestWaiting, InsertGivingOn, WaitForSlot
from steps import (
    Analyze,
    ChangeColumns,
    Confirm,
    Create,
    Deactivate,
    Delete,
    Ingest,
    Insert,
    InsertRows,
    Provision,
    Rename,
    Scenario,
    repeat_until_ended,
)
from undoing import SetKey, SetRules, Undo, Upsert
from worlds import World

SCENARIOS = [
    Insert("create"),
    Insert("append"),
    Insert("append", new_column=True),
    Insert("replace"),
    Insert("create", misfit=True),
    Insert("replace", misfit=True),
    Analyze(),
    Ingest(),
    IngestWaiting(),
    AnalyzeGivingOn(),
    InsertGivingOn(),
    WaitForSlot(),
    Confirm("create"),
    Confirm("append"),
    Reanalyze(),
    AnalyzeAgain(),
    InsertSkipping(),
    Recall(),
    ConfirmItself(),
    ReadAgain(confirmed=False),
    ReadAgain(confirmed=True),
    Cancel("waiting"),
    Cancel("inserting"),
    Cancel("adding"),
    Cancel("committed"),
    FailAdding("insert"),
    FailAdding("sweep"),
    Create(),
    Rename(),
    ChangeColumns(),
    Deactivate(),
    InsertRows(),
    InsertReturning(),
    InsertOnConflict(),
    BulkUpdate(),
    BulkDelete(),
    Delete(),
    Provision(),
    StartExport(),
    *(Export(form) for form in ("csv", "xlsx", "parquet", "jsonl")),
    SetKey(),
    SetRules(),
    Upsert(),
    Undo("create"),
    Undo("append"),
    Undo("upsert"),
    Undo("replace"),
    PlanMerge(),
    Merge(),
]

# Requests that find out whether a commit was done whose answer was lost.
FIND_OUT = (Create, Rename, ChangeColumns, Deactivate, Delete, SetKey, SetRules, Undo)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "_"))
def test_a_fault_at_any_boundary_loses_and_repeats_nothing(
    scenario: Scenario, world: World, pytestconfig: pytest.Config, run_folder: Path
) -> None:
    """Whatever fails, once the step is repeated everything is there exactly once and nothing is left over."""
    faults = _faults(scenario, world)
    wanted = min(pytestconfig.getoption("--faults") or len(faults), len(faults))
    places = random.Random(scenario.name).sample(range(len(faults)), wanted)  # noqa: S311
    chosen = [faults[place] for place in sorted(places)]
    failures = [told for fault, name in chosen if (told := _try(scenario, world, fault, name))]
    figures = {
        "scenario": scenario.name,
        "possible": len(faults),
        "faults": len(chosen),
        "survived": len(chosen) - len(failures),
    }
    with (run_folder / "faults.jsonl").open("a") as file:
        file.write(json.dumps(figures) + "\n")
    assert not failures, f"{len(failures)} of {len(chosen)} faults:\n\n" + "\n\n".join(failures)


def _faults(scenario: Scenario, world: World) -> list[tuple[Fault, str]]:
    """Run the step without a fault, which must succeed, and return every fault that it can meet."""
    world.empty()
    step = scenario.set_up(world)
    whole = run_step(step)
    assert whole.ended_well, whole.error
    scenario.check(world, whole.value)
    world.assert_sound()
    return [
        (Fault(number, way), boundary.name)
        for number, boundary in enumerate(whole.boundaries)
        for way in boundary.ways
    ]


def _try(scenario: Scenario, world: World, fault: Fault, name: str) -> str | None:
    """Inject one fault; return what does not hold afterwards."""
    told = f"{fault.way} #{fault.number} ({name})"
    try:
        world.empty()
        step = scenario.set_up(world)
        faulty = run_step(step, fault, world.admin_dsn)
        if not scenario.repeats and faulty.error:  # a user's request, whose error the API answers
            assert faulty.error.startswith(("ApiError", "PasswordRefused")), faulty.error
        if isinstance(scenario, FIND_OUT) and (fault.way, name) == ("lost", "COMMIT"):
            assert faulty.ended_well, faulty.error
        attempt = repeat_until_ended(scenario, step, faulty)
        scenario.check(world, attempt.last.value)
        world.assert_sound()
    except Exception:
        return f"{told}\n{traceback.format_exc(limit=-4)}"
    if os.environ.get("FAULTS_TOLD"):
        print(f"{scenario.name}: {told}: {attempt.repeats} repeats")
    return None
