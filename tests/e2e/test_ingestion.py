"""The inbox of the deployed stack: what a pipeline puts there, under the policy of docs/ingestion.md."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from botocore.exceptions import ClientError
from client import JOB_LIMIT_SECONDS, POLL_SECONDS, Console, Stack, column, until

from managed_tables_local import stack as local

PAGE = Path(__file__).parents[2] / "docs" / "ingestion.md"
RUNNING_JOBS_MAX = 2  # template.yaml has fewer of a company for an emulator
PART_BYTES = 5 * 1024 * 1024
UNATTENDED = {"table": "vendas", "auto-confirm": "true"}


def block(name: str) -> str:
    """Return the page's block with that name."""
    found = re.search(rf"^```{name}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="session")
def facts(stack_file: Path) -> local.Stack:
    """Where the stack's AWS is, and its administrator's keys."""
    return local.load(stack_file)


@pytest.fixture(scope="session")
def administrator(facts: local.Stack) -> Callable[[str], Any]:
    """Make clients with the administrator's keys."""
    return lambda service: boto3.client(
        service,
        endpoint_url=facts.aws_endpoint_url,
        region_name=facts.region,
        aws_access_key_id=facts.access_key_id,
        aws_secret_access_key=facts.secret_access_key,
    )


@pytest.fixture
def put(facts: local.Stack, company: Console, administrator: Callable[[str], Any]) -> Callable[..., str]:
    """Put an object into the company's inbox; return its key."""

    def run(content: str, name: str = "vendas.csv", **metadata: str) -> str:
        key = f"inbox/{company.company_id}/{name}"
        names = {name.replace("_", "-"): value for name, value in metadata.items()}
        administrator("s3").put_object(
            Bucket=facts.bucket_name, Key=key, Body=content.encode(), Metadata=names
        )
        return key

    return run


@pytest.fixture
def job_of(
    facts: local.Stack, company: Console, administrator: Callable[[str], Any]
) -> Callable[..., dict[str, Any]]:
    """Wait for the job of an object to have a status; return the job."""

    def run(key: str, *statuses: str) -> dict[str, Any]:
        s3 = administrator("s3")
        deadline = time.monotonic() + JOB_LIMIT_SECONDS
        while not (tags := s3.get_object_tagging(Bucket=facts.bucket_name, Key=key)["TagSet"]):
            assert time.monotonic() < deadline, "the object was not picked up"
            time.sleep(POLL_SECONDS)
        return company.wait(tags[0]["Value"], *statuses)

    return run


def rows_of(company: Console, name: str = "vendas") -> list[list[Any]]:
    """Return the values of the company's table, row by row."""
    (table,) = company.ok("GET", "", params={"search": name})["records"]
    return [[value for key, value in row.items() if key != "id"] for row in company.rows(table["_id"])]


def test_without_metadata_a_person_confirms(
    company: Console, put: Callable[..., str], job_of: Callable[..., dict[str, Any]]
) -> None:
    job = job_of(put("produto;valor\ncafé;1,50\n", "março/vendas de março.csv"), "waiting_confirm")
    assert job["inferred_schema"]["suggested_table_name"] == "vendas_de_marco"
    assert company.confirm(job).status == 200
    company.wait(job["_id"], "done")
    assert rows_of(company, "vendas_de_marco") == [["café", pytest.approx(1.5)]]


def test_unattended_files_put_at_once_all_reach_one_new_table(
    company: Console, put: Callable[..., str], job_of: Callable[..., dict[str, Any]]
) -> None:
    keys = [
        put(f"produto;n\np{number};{number}\n", f"{number}.csv", table="vendas", auto_confirm="true")
        for number in range(4)
    ]
    jobs = [job_of(key, "done") for key in keys]
    assert len({job["user_table_id"] for job in jobs}) == 1
    assert sorted(rows_of(company)) == [[f"p{number}", number] for number in range(4)]


def test_one_companys_backlog_delays_no_other(
    company: Console, put: Callable[..., str], job_of: Callable[..., dict[str, Any]], stack: Stack
) -> None:
    """Its first jobs hold its slots and cannot end here: its others wait, another company's does not."""
    table = company.create_table("vendas", column("produto"))
    database = f"co_{company.ok('GET', '/status')['connection_id']}"
    with psycopg.connect(stack.postgres_admin_dsn, dbname=database) as reader:
        reader.execute("LOCK TABLE vendas IN ACCESS EXCLUSIVE MODE")
        backlog = 3 * RUNNING_JOBS_MAX
        keys = [
            put(f"produto\np{number}\n", f"{number}.csv", table="vendas", auto_confirm="true")
            for number in range(backlog)
        ]
        held = {"inserting": RUNNING_JOBS_MAX, "queued": backlog - RUNNING_JOBS_MAX}
        until(lambda: statuses_of(company) == held or None, JOB_LIMIT_SECONDS)
        other = company.other_company()
        other.provision()
        other.loaded({"b.csv": "produto\ncafé\n"})
        assert statuses_of(company) == held
    assert {job_of(key, "done")["user_table_id"] for key in keys} == {table["_id"]}
    assert sorted(rows_of(company)) == [[f"p{number}"] for number in range(backlog)]


def statuses_of(company: Console) -> Counter[str]:
    """Return how many of the company's jobs have each status."""
    return Counter(job["status"] for job in company.ok("GET", "/upload-jobs?per_page=100")["records"])


def test_a_refused_file_is_a_failed_job(
    put: Callable[..., str], job_of: Callable[..., dict[str, Any]]
) -> None:
    assert job_of(put("olá", "vendas.pdf"), "failed")["error"]["code"] == "INBOX_FILE_REFUSED"


@pytest.fixture
def pipeline(facts: local.Stack, company: Console, administrator: Callable[[str], Any]) -> Any:
    """A pipeline's S3 client, under the page's policy."""
    iam, user = administrator("iam"), f"pipeline-{company.company_id}"
    policy = block("json policy").replace("BUCKET", facts.bucket_name)
    iam.create_user(UserName=user)
    iam.put_user_policy(
        UserName=user,
        PolicyName="inbox",
        PolicyDocument=json.dumps(json.loads(policy.replace("COMPANY_ID", company.company_id))),
    )
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return boto3.client(
        "s3",
        endpoint_url=facts.aws_endpoint_url,
        region_name=facts.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def test_the_pages_python_block_runs_under_the_pages_policy(
    facts: local.Stack,
    company: Console,
    pipeline: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    job_of: Callable[..., dict[str, Any]],
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"BUCKET": facts.bucket_name, "COMPANY": company.company_id}
    with monkeypatch.context() as patch:
        patch.setattr(boto3, "client", lambda _service: pipeline)
        exec(block("python"), names)  # noqa: S102 - the page's own code is what is tested
    job_of(names["key"], "done")
    assert company.job(names["find_job_id"]())["status"] == "done"
    assert [row[:2] for row in rows_of(company)] == [["Ana", "012.345.678-90"], ["João", "987.654.321-00"]]


def test_the_pages_policy_allows_multipart_uploads(
    facts: local.Stack, company: Console, pipeline: Any, job_of: Callable[..., dict[str, Any]]
) -> None:
    key = f"inbox/{company.company_id}/grande.csv"
    content = b"texto\n" + (b"y" * 99 + b"\n") * (2 * PART_BYTES // 100)
    upload = pipeline.create_multipart_upload(Bucket=facts.bucket_name, Key=key, Metadata=UNATTENDED)
    done = []
    for number, start in enumerate(range(0, len(content), PART_BYTES), start=1):
        part = {"Bucket": facts.bucket_name, "Key": key, "UploadId": upload["UploadId"], "PartNumber": number}
        etag = pipeline.upload_part(**part, Body=content[start : start + PART_BYTES])["ETag"]
        done.append({"PartNumber": number, "ETag": etag})
    pipeline.complete_multipart_upload(
        Bucket=facts.bucket_name, Key=key, UploadId=upload["UploadId"], MultipartUpload={"Parts": done}
    )
    job_of(key, "done")
    (table,) = company.ok("GET")["records"]
    assert table["row_count"] == 2 * PART_BYTES // 100


def test_the_pages_policy_denies_every_other_place(
    facts: local.Stack, company: Console, pipeline: Any, http: httpx.Client
) -> None:
    other = Console(company.stack, company.base_url, http)
    for key in (
        f"inbox/{other.company_id}/vendas.csv",
        f"uploads/{company.company_id}/{'0' * 24}/00.csv",
        f"jobs/{company.company_id}/{'0' * 24}/analysis.json",
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            pipeline.put_object(Bucket=facts.bucket_name, Key=key, Body=b"a")
    with pytest.raises(ClientError, match="AccessDenied"):
        pipeline.get_object(Bucket=facts.bucket_name, Key=f"inbox/{company.company_id}/vendas.csv")
