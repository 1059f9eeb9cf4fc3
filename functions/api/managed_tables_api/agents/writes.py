"""Plan a write, then do it: what it would change, what that depends on, and the call that takes it back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict

from pydantic import JsonValue
from starlette.concurrency import run_in_threadpool

from managed_tables.errors import JOB_NOT_WAITING, ApiError
from managed_tables.exact_json import digest, for_doubles
from managed_tables_api.agents.desk import MAX_ROWS, Arguments, CallRefused, Desk, fit
from managed_tables_api.http.answers import say

_EXAMPLES = 5
_INFERRED = ("name", "display_name", "type")


class Plan(TypedDict):
    """What a write would do: to how many rows, some of them, and what to think of before."""

    rows: int
    examples: Sequence[object]
    warnings: list[str]


class Undo(TypedDict):
    """The call of a tool that takes a write back."""

    tool: str
    arguments: dict[str, JsonValue]


@dataclass(frozen=True)
class PlannedWrite:
    """A write that has been planned: `state` is what else the plan depends on, `do` carries it out."""

    plan: Plan
    do: Callable[[], Awaitable[Any]]
    state: Sequence[JsonValue] = field(default=())


async def plan_first(name: str, write: PlannedWrite, asked: Arguments, desk: Desk, token: str | None) -> Any:
    """Return the plan with its token; given the token of a plan for the same, do it."""
    plan = write.plan
    bound = [name, asked, list(write.state), plan["rows"], digest(plan["examples"])]
    if token is not None:
        await run_in_threadpool(desk.plans.take, token, bound)
        return await write.do()
    plan["warnings"] = [say(warning) for warning in plan["warnings"]]
    return {"plan": plan, "confirm": await run_in_threadpool(desk.plans.offer, bound)}


async def plan_confirmation(desk: Desk, asked: Arguments) -> PlannedWrite:
    """Plan to insert a job's rows, as they were read, or into the columns that are stated."""
    named = {"job_id": asked["job_id"]}
    job = await desk.call("get_upload_job", named)
    table_id = job["user_table_id"]
    table = await desk.call("get_table", {"table_id": table_id}) if table_id else {}
    if (schema := job["inferred_schema"]) is None or job["status"] != "waiting_confirm":
        raise ApiError(JOB_NOT_WAITING)
    state = [job["status"], job["updated_at"], table.get("version")]
    if merge := job["merge_plan"]:
        return PlannedWrite(_merging(merge, asked), _confirming(desk, asked), state)
    body = {
        **asked,
        "display_name": asked.get("display_name")
        or table.get("display_name")
        or schema["suggested_table_name"],
        "columns": asked.get("columns") or _columns(schema["columns"], job["append_plan"]),
    }

    return PlannedWrite(_loading(job, table, asked), _confirming(desk, body), state)


def _confirming(desk: Desk, body: Arguments) -> Callable[[], Awaitable[Any]]:
    """Return what confirms a job, and names the call that takes it back."""

    async def confirm() -> Any:
        done = await desk.call("confirm_upload_job", body)
        return {"done": done, "undo": Undo(tool="undo_job", arguments={"job_id": body["job_id"]})}

    return confirm


def _loading(job: Any, table: Any, asked: Arguments) -> Plan:
    """Return what a load does: to how many rows, as far as that is known before it."""
    schema, misfits = job["inferred_schema"], (job["append_plan"] or {"conflicts": []})["conflicts"]
    warnings = [warning["text"] for warning in job["warnings"]]
    mended = bool(asked.get("repairs"))
    warnings += [f"{each['count']} valores não cabem na coluna {each['column']}" for each in misfits]
    warnings += ["Os consertos ainda não estão descontados destes números"] * mended
    examples = schema["sample_rows"][:_EXAMPLES]
    plan = Plan(rows=schema["total_row_count_estimate"], examples=examples, warnings=warnings)
    if asked.get("on_misfit") == "skip":
        counts, has_key = [each["count"] for each in misfits], bool(table.get("key"))
        _leave_out(plan, counts, job["checks"], has_key=has_key, mended=mended)
    return plan


def _merging(plan: Any, asked: Arguments) -> Plan:
    """Return what a merge does: rows that change, are new or go, and what a person has to decide."""
    rows, examples = plan["inserted"] + plan["updated"], [*plan["conflicts"], *plan["changes"]]
    warnings = []
    if refused := plan["refused_total"]:
        warnings.append(f"{refused} linhas não entram: merge_plan de get_job diz por quê")
    if (cells := plan["conflicts_total"]) and "conflicts" not in asked:
        warnings.append(f"{cells} células foram mudadas dos dois lados: diga em conflicts qual valor fica")
    if (absent := plan["absent"]) and asked.get("delete_absent"):
        rows += absent
        warnings.append(f"Até {absent} linhas que não estão na planilha são excluídas")
    return Plan(rows=rows, examples=examples[:_EXAMPLES], warnings=warnings)


def _columns(inferred: list[Any], plan: Any) -> list[dict[str, JsonValue]]:
    """Return the table's columns that are fed, or the columns as inferred; new ones take NULL."""
    return [
        {**{name: column[name] for name in _INFERRED}, "nullable": True, "source": column["name"], **own}
        for column in inferred
        if (own := column.get("table_column") or {}) or plan is None or column["name"] in plan["new"]
    ]


def _leave_out(plan: Plan, misfits: list[int], checks: list[Any], *, has_key: bool, mended: bool) -> None:
    """Have a plan say how many rows go in: which have which misfit, or whose key, the load alone knows.

    What is `mended` may leave no row out.
    """
    out = misfits + [check["broken"] for check in checks if check["severity"] == "refuse"]
    least = max(0, plan["rows"] - sum(out))
    plan["rows"] -= 0 if mended else max(out, default=0)
    if has_key:
        most = f"Até {plan['rows']} linhas entram: outras têm o que não cabe, ou uma chave que se repete"
        plan["warnings"].append(most)
    elif any(out):
        plan["warnings"].append(f"De {least} a {plan['rows']} linhas entram: outras têm o que não cabe")


CHANGES: Mapping[str, str] = {
    "insert": "insert_rows",
    "update": "patch_rows",
    "delete": "delete_rows",
    "restore": "restore_rows",
}


@dataclass(frozen=True)
class RowChange:
    """A change of rows that is asked: of those that it names, or of all that a condition means."""

    desk: Desk
    table_id: str
    action: str
    asked: Arguments  # as the routes take it

    @classmethod
    async def plan(cls, desk: Desk, asked: Arguments) -> PlannedWrite:
        """Plan the change, counted by the statement that will make it."""
        others = {name: value for name, value in asked.items() if name not in ("table_id", "action")}
        return await cls(desk, asked["table_id"], asked["action"], others)._plan()

    async def _plan(self) -> PlannedWrite:
        table = await self.desk.call("get_table", {"table_id": self.table_id})
        counted = await self.desk.rehearse(CHANGES[self.action], self._request)
        before = await self._rows_before()
        plan = Plan(
            rows=next(iter(counted.values())),
            examples=(before or self._rows)[:_EXAMPLES],
            warnings=[] if table["history"] else ["A tabela não guarda histórico: não há volta"],
        )
        state = [table["version"], digest(await self._changing())]
        return PlannedWrite(plan, partial(self._do, before), state)

    async def _do(self, before: list[Any]) -> Any:
        returned = {"return": "ids"} if self.action == "insert" else {}
        done = await self.desk.call(CHANGES[self.action], self._request, **returned)
        answer = {"done": done, "undo": self._undo_of(done, before)}
        is_cut = fit(for_doubles(answer))["truncated"]  # and so are values, which are not to be written
        return {**answer, "undo": None} if is_cut else answer

    @property
    def _request(self) -> Arguments:
        return {"table_id": self.table_id, **self.asked}

    @property
    def _rows(self) -> list[Any]:
        return list(self.asked.get("rows", ()))

    @property
    def _condition(self) -> Arguments:
        return dict(self.asked.get("where", {}))

    async def _rows_before(self) -> list[Any]:
        """Return the rows that change as they are now, up to the most that an answer has."""
        if self.action not in ("update", "delete"):
            return []
        ids = self.asked.get("ids") or [row.get("id") for row in self._rows]
        where = {"column": "id", "op": "in", "value": ids} if ids else self._condition
        try:
            page = await self._query(where=where)
        except CallRefused:  # rows too wide for one answer
            page = await self._query(where=where, per_page=_EXAMPLES)
        return list(page["records"])

    async def _changing(self) -> list[str]:
        """Return the ids of all rows that a condition means now: as many others are another plan."""
        if self.action not in ("update", "delete") or self.asked.get("ids") or self._rows:
            return []
        ids: list[str] = []
        cursor: Arguments = {}
        while True:
            page = await self._query(where=self._condition, fields=["id"], **cursor)
            ids += (row["id"] for row in page["records"])
            if page["next_cursor"] is None:
                return ids
            cursor = {"cursor": page["next_cursor"]}

    async def _query(self, **asked: Any) -> Any:
        return await self.desk.call("query_rows", {"table_id": self.table_id, "per_page": MAX_ROWS, **asked})

    def _undo_of(self, done: Any, before: list[Any]) -> Undo | None:
        """Return the call that takes the change back; None where too many rows changed for one."""
        ids = self.asked.get("ids") or [row["id"] for row in before]
        if self.action == "insert":
            return self._call("delete", ids=done["ids"])
        if next(iter(done.values())) != len(ids):  # a row that was there is not to be deleted
            return None
        if self.action in ("delete", "restore"):
            return self._call("delete" if self.action == "restore" else "restore", ids=ids)
        changed = {"id"}.union(*(self._rows or [self.asked.get("set", {})]))
        rows = [{name: value for name, value in row.items() if name in changed} for row in before]
        return self._call("update", rows=rows)

    def _call(self, action: str, **what: Any) -> Undo:
        return Undo(tool="change_rows", arguments={"table_id": self.table_id, "action": action, **what})


async def plan_undo(desk: Desk, asked: Arguments) -> PlannedWrite:
    """Plan to take an upload back, counted by the statements that will do it."""
    job = await desk.call("get_upload_job", {"job_id": asked["job_id"]})
    table_id = job.get("user_table_id")
    table = await desk.call("get_table", {"table_id": table_id}) if table_id else {}
    undone = await desk.rehearse("undo_upload_job", asked)
    warnings = ["A tabela que este envio criou será excluída"] if job["mode"] == "create" else []
    plan = Plan(rows=undone["removed"] + undone["restored"], examples=[undone], warnings=warnings)

    async def undo() -> Any:
        return {"done": await desk.call("undo_upload_job", asked), "undo": None}

    return PlannedWrite(plan, undo, [table.get("version")])
