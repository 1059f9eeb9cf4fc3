"""Jobs whose table is deleted before they are confirmed end with that reason and do not wait."""

import pytest
from starlette.testclient import TestClient
from upload_flow import BASE, PRODUTO, declare, execution_status, make_table, record, waiting_job

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.clock import timestamp
from managed_tables.schema import Column
from managed_tables_api.services import ApiServices
from managed_tables_ingest.sweep import sweep_job


def assert_gone(api: ApiServices, client: TestClient, job_id: str) -> None:
    job = client.get(f"{BASE}/upload-jobs/{job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "TABLE_GONE")
    assert execution_status(api, job_id) == "ABORTED"


def test_deleting_a_table_ends_the_uploads_into_it(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    table_id = make_table(api, company, Column.model_validate(PRODUTO))
    waiting = waiting_job(api, client, f"/{table_id}/upload")
    queued = declare(client, f"/{table_id}/upload").json()["job_id"]
    other = waiting_job(api, client)
    assert client.delete(f"{BASE}/{table_id}").status_code == 204
    assert_gone(api, client, waiting)
    assert client.get(f"{BASE}/upload-jobs/{queued}").json()["error"]["code"] == "TABLE_GONE"
    assert client.get(f"{BASE}/upload-jobs/{other}").json()["status"] == "waiting_confirm"


@pytest.mark.parametrize("is_deleted", [True, False])
def test_the_sweep_ends_jobs_left_by_an_interrupted_deletion(
    api: ApiServices, client: TestClient, company: ConnectionRecord, is_deleted: bool
) -> None:
    table_id = make_table(api, company, Column.model_validate(PRODUTO))
    job_id = waiting_job(api, client, f"/{table_id}/upload")
    if is_deleted:
        api.table_operations.delete(company, table_id)
    ended = sweep_job(api, record(api, client, job_id), timestamp(), quiet_before="9999")
    assert ended == ("failed" if is_deleted else None)
    if is_deleted:
        assert_gone(api, client, job_id)
