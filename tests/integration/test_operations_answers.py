"""What an operator sees of a command that runs in the deployed function, and sees again."""

import json
import threading
import time
from typing import Any

import pytest

from managed_tables.ids import new_record_id
from managed_tables.services import Services
from managed_tables_operations import OperatorError, answers, handler
from managed_tables_operations import __main__ as command
from managed_tables_operations.answers import Answer, answer_key, follow, reader


@pytest.fixture
def events(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the operator's function was invoked with; it runs here, as Lambda would run it elsewhere."""
    monkeypatch.setattr(handler, "_services", lambda: services)
    monkeypatch.setattr(command, "load_services", lambda: services)
    events: list[dict[str, Any]] = []

    class Function:
        def get_function_configuration(self, **_: str) -> dict[str, Any]:
            return {"Environment": {"Variables": {"BUCKET_NAME": services.settings.bucket_name}}}

        def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
            assert (FunctionName, InvocationType) == ("operator", "Event"), "nobody waits for it"
            events.append(json.loads(Payload))
            assert handler.handler(events[-1], None)["output"] == ""

    clients = {"lambda": Function(), "s3": services.s3}
    monkeypatch.setattr(command.boto3, "client", lambda name, **_: clients[name])
    return events


def test_each_line_is_there_before_the_command_ends(services: Services) -> None:
    """And all of them for whoever asks later; what is not ended yet is not taken for a line."""
    request, shown = new_record_id(), threading.Event()
    storage = services.storage
    answer = Answer(lambda text: storage.put(answer_key(request), text, "text/plain"))
    heard: list[str | int] = []

    def listen() -> None:
        for said in follow(reader(services.s3, services.settings.bucket_name, request), 0.05):
            heard.append(said)
            shown.set()

    listening = threading.Thread(target=listen)
    listening.start()
    print("first\nsec", end="", file=answer)
    assert shown.wait(30)
    assert heard == ["first"]
    print("ond", file=answer)
    answer.end(3)
    listening.join(30)
    assert heard == ["first", "second", 3]
    again = list(follow(reader(services.s3, services.settings.bucket_name, request), 0.05))
    assert again == heard


def test_a_command_that_was_killed_shows_as_silent(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it lives it is written again, though it has nothing to say."""
    request, bucket = new_record_id(), services.settings.bucket_name
    monkeypatch.setattr(answers, "WRITE_SECONDS", 0.05)
    monkeypatch.setattr(answers, "ALIVE_SECONDS", 0.1)
    written: list[bytes] = []
    answer = Answer(written.append)
    deadline = time.monotonic() + 30
    while len(written) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    answer.end(0)
    assert written[:2] == [b"", b""]
    services.storage.put(answer_key(request), b"one\n", "text/plain")
    monkeypatch.setattr(answers, "SILENT_SECONDS", -1.0)
    with pytest.raises(OperatorError, match="nothing was heard"):
        list(follow(reader(services.s3, bucket, request), 0.05))
    monkeypatch.setattr(answers, "START_SECONDS", 0.0)
    with pytest.raises(OperatorError, match="no answer has begun"):
        list(follow(reader(services.s3, bucket, new_record_id()), 0.05))


@pytest.mark.parametrize("place", [["--function", "operator"], ["--function=operator"]])
def test_the_deployed_function_runs_the_command_once_and_its_answer_can_be_followed_again(
    place: list[str],
    services: Services,
    events: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its exit code and lines are the command's; Lambda may deliver a request twice, to no effect."""
    words = ["deleted-tables", "--company", new_record_id()]
    assert command.main([*place, *words]) == 1
    (event,) = events
    assert event["arguments"] == words
    said = _printed(capsys)
    assert said[0].startswith("error: ")
    assert command.main([*place, "follow", "--request", event["request"]]) == 1
    assert (_printed(capsys), len(events)) == (said, 1), "nothing is run"
    place_of: Any = {"Bucket": services.settings.bucket_name, "Key": answer_key(event["request"])}
    written = services.s3.get_object(**place_of)["LastModified"]
    again: handler.Event = {"arguments": ["erase-everything"], "request": event["request"]}
    assert handler.handler(again, None)["code"] == 0
    assert services.s3.get_object(**place_of)["LastModified"] == written
    assert command.main([*place, "follow", "--request", event["request"]]) == 1
    assert _printed(capsys) == said


def _printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what was printed, without the log's lines, which a function writes elsewhere."""
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
