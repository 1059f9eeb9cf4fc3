"""Read and write the bucket, every way in and out, and the documents of jobs in it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.document import Document
from managed_tables.documents.recipes import Recalled
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.documents.workbooks import MergePlan
from managed_tables.errors import ANALYSIS_GONE, STORAGE_UNAVAILABLE, ApiError
from managed_tables.object_keys import merge_plan_key
from managed_tables.observability import get_logger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

Answer = TypeVar("Answer")

_MISSING = frozenset({"404", "NoSuchKey"})
_REPLACED = frozenset({"412", "PreconditionFailed"})
_GONE = _MISSING | _REPLACED
# Without permission to list the bucket, which no function has, S3 answers AccessDenied for a missing key.
_NOT_THERE = _GONE | {"403", "AccessDenied"}


COPY_MAX_BYTES = 256 * 1024**2  # in one request, which S3 answers when it is done: 5 GiB would take minutes
COPY_PART_BYTES = 64 * 1024**2
COPY_PARTS_AT_ONCE = 8


class ObjectMissing(ApiError):  # noqa: N818 - named for what it tells
    """JOB_ANALYSIS_GONE: the object is not there, and trying again would not help."""

    def __init__(self) -> None:
        super().__init__(ANALYSIS_GONE)


class ObjectReplaced(Exception):  # noqa: N818 - an outcome, not a fault
    """The object of this key is no longer the one that was meant."""


@dataclass(frozen=True)
class Storage:
    """The deployment's bucket."""

    client: "S3Client"
    bucket_name: str

    def presigned_post(self, key: str, size_bytes: int, expires_seconds: int) -> dict[str, Any]:
        """Return the `url` and `fields` of a form that posts one object: this key, exactly this size."""
        return self.client.generate_presigned_post(
            self.bucket_name,
            key,
            Conditions=[
                ["content-length-range", size_bytes, size_bytes],
                ["starts-with", "$Content-Type", ""],
            ],
            Fields={"Content-Type": "application/octet-stream"},
            ExpiresIn=expires_seconds,
        )

    def presigned_get(self, key: str, file_name: str, content_type: str, expires_seconds: int) -> str:
        """Return a URL that downloads the object under this name, until it expires."""
        is_plain = file_name.isascii() and not set(file_name) & set('"\\\r\n')  # others as RFC 6266 has them
        name = f'filename="{file_name}"' if is_plain else f"filename*=UTF-8''{quote(file_name, safe='')}"
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket_name,
                "Key": key,
                "ResponseContentDisposition": f"attachment; {name}",
                "ResponseContentType": content_type,
            },
            ExpiresIn=expires_seconds,
        )

    def _do(self, operation: Callable[..., Answer], key: str, **arguments: Any) -> Answer:
        """Do one of the client's operations on an object."""
        with _translated():
            return operation(Bucket=self.bucket_name, Key=key, **arguments)

    def _do_if_same(self, operation: Callable[..., Answer], key: str, **arguments: Any) -> Answer | None:
        """Do one of the client's operations; None where the object is gone, or was replaced."""
        with _translated(passing=_GONE):
            return operation(Bucket=self.bucket_name, Key=key, **arguments)
        return None

    def find_metadata(self, key: str, etag: str) -> dict[str, str] | None:
        """Return the object's own metadata, names in lower case; None if it is gone or was replaced."""
        head = self._do_if_same(self.client.head_object, key, IfMatch=etag)
        return None if head is None else {name.lower(): value for name, value in head["Metadata"].items()}

    def find_size(self, key: str) -> int | None:
        """Return how many bytes an object has; None if there is none, or it may not be read."""
        with _translated(passing=_NOT_THERE):
            return self.client.head_object(Bucket=self.bucket_name, Key=key)["ContentLength"]
        return None

    def copy(self, source_key: str, etag: str, size_bytes: int, key: str, content_type: str) -> bool:
        """Copy an object without its metadata and tags; False if it is gone or was replaced."""
        if size_bytes > COPY_MAX_BYTES:
            return self._copy_parts(source_key, etag, size_bytes, key, content_type)
        copied = self._do_if_same(
            self.client.copy_object,
            key,
            CopySource={"Bucket": self.bucket_name, "Key": source_key},
            CopySourceIfMatch=etag,
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
            ContentType=content_type,
        )
        return copied is not None

    def _copy_parts(self, source_key: str, etag: str, size_bytes: int, key: str, content_type: str) -> bool:
        """Copy a large object by its ranges, several at once: none takes longer than a request may."""
        upload_id = self.begin_parts(key, content_type)

        def copy_range(number: int) -> "CompletedPartTypeDef":
            first = (number - 1) * COPY_PART_BYTES
            copied = self._do_if_same(
                self.client.upload_part_copy,
                key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource={"Bucket": self.bucket_name, "Key": source_key},
                CopySourceIfMatch=etag,
                CopySourceRange=f"bytes={first}-{min(first + COPY_PART_BYTES, size_bytes) - 1}",
            )
            if copied is None:
                raise ObjectReplaced(source_key)
            return {"ETag": copied["CopyPartResult"]["ETag"], "PartNumber": number}

        numbers = range(1, -(-size_bytes // COPY_PART_BYTES) + 1)
        try:
            with ThreadPoolExecutor(COPY_PARTS_AT_ONCE) as pool:
                parts = list(pool.map(copy_range, numbers))
        except BaseException as error:
            self.abort_parts(key, upload_id)
            if isinstance(error, ObjectReplaced):
                return False
            raise
        self.complete_parts(key, upload_id, parts)
        return True

    def tag(self, key: str, name: str, value: str) -> None:
        """Give the object this tag and no other; one that is gone is no fault."""
        tags = {"TagSet": [{"Key": name, "Value": value}]}
        self._do_if_same(self.client.put_object_tagging, key, Tagging=tags)

    def put_json(self, key: str, value: Any) -> None:
        """Write a JSON object, numbers exactly."""
        self.put(key, exact_json.dumps(value), "application/json")

    def put(self, key: str, body: bytes | IO[bytes], content_type: str = "application/octet-stream") -> None:
        """Write an object in one request; a seekable stream is read as it is sent.

        The managed transfer of boto3 would hold ten parts of such a stream in memory, 80 MB.
        """
        self._do(self.client.put_object, key, Body=body, ContentType=content_type)

    def begin_parts(self, key: str, content_type: str) -> str:
        """Begin an object that is written in parts and return the id of its upload."""
        return self._do(self.client.create_multipart_upload, key, ContentType=content_type)["UploadId"]

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> "CompletedPartTypeDef":
        """Write part `number`, counted from 1, and return what completes the object with it."""
        part = {"UploadId": upload_id, "PartNumber": number, "Body": body}
        return {"ETag": self._do(self.client.upload_part, key, **part)["ETag"], "PartNumber": number}

    def complete_parts(self, key: str, upload_id: str, parts: "list[CompletedPartTypeDef]") -> None:
        """Make the object of its parts: from now on it is there, whole."""
        whole = {"UploadId": upload_id, "MultipartUpload": {"Parts": parts}}
        self._do(self.client.complete_multipart_upload, key, **whole)

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Drop the parts of an object that is not complete."""
        self._do(self.client.abort_multipart_upload, key, UploadId=upload_id)

    def find_json(self, key: str) -> Any | None:
        """Read a JSON object with exact numbers; None if there is none, or it may not be read."""
        with _translated(passing=_NOT_THERE):
            return self._read_json(key)
        get_logger("storage").warning("no such object, or it may not be read", key=key)
        return None

    def get_json(self, key: str) -> Any:
        """Read a JSON object that is known to be there, numbers exactly."""
        with _translated():
            return self._read_json(key)

    def _read_json(self, key: str) -> Any:
        return exact_json.loads(self.client.get_object(Bucket=self.bucket_name, Key=key)["Body"].read())

    def upload_file(self, path: Path, key: str) -> None:
        """Write a file, in parts in parallel."""
        with _translated():
            self.client.upload_file(str(path), self.bucket_name, key)

    def download(self, key: str, path: Path, report: Callable[[int], None] | None = None) -> None:
        """Write the object to a file, by ranges in parallel; `report` gets the bytes of each that arrives."""
        with _translated():
            self.client.download_file(self.bucket_name, key, str(path), Callback=report)

    def etag(self, key: str) -> str:
        """Return what tells the object's bytes from those of another one under its key."""
        return self._do(self.client.head_object, key)["ETag"]

    def read_range(self, key: str, first: int, last: int, etag: str | None = None) -> bytes:
        """Return bytes `first` through `last` that exist; raises ObjectReplaced for another `etag`."""
        get = partial(self.client.get_object, Bucket=self.bucket_name, Key=key, Range=f"bytes={first}-{last}")
        with _translated(passing=_REPLACED):
            return (get() if etag is None else get(IfMatch=etag))["Body"].read()
        raise ObjectReplaced(key)

    def delete(self, key: str) -> None:
        """Delete the object; one that is not there is no fault."""
        self._do(self.client.delete_object, key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins so, in order."""
        with _translated():
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket_name, Prefix=prefix
            )
            for page in pages:
                yield from (found["Key"] for found in page.get("Contents", []))

    def delete_all(self, prefix: str) -> None:
        """Delete every object whose key begins so."""
        for key in self.keys(prefix):
            self.delete(key)


@contextmanager
def _translated(passing: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turn faults into STORAGE_UNAVAILABLE, and 404 into ObjectMissing; the codes `passing` end the block."""
    from boto3.exceptions import Boto3Error  # boto3 takes 0.1 s of a cold start: not before it is needed

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in passing:
            return
        if code in _MISSING:
            raise ObjectMissing from error
        raise ApiError(STORAGE_UNAVAILABLE) from error
    except (BotoCoreError, Boto3Error) as error:
        raise ApiError(STORAGE_UNAVAILABLE) from error


Kind = TypeVar("Kind", bound=Document)

CACHED_DOCUMENTS = 64  # a console polls few jobs at a time; a document of 1,500 columns takes about 1 MB


class JobDocuments:
    """The documents of jobs, the last ones used kept: none changes under its key once written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._read_once = lru_cache(CACHED_DOCUMENTS)(self._read)  # what it raises is not kept

    def find_analysis(self, job: JobRecord) -> AnalysisDocument | None:
        """Return the analysis (docs/data.md); None before there is one, and once it is deleted."""
        return self.find(AnalysisDocument, job.analysis_key)

    def get_analysis(self, job: JobRecord) -> AnalysisDocument:
        """Return the analysis of a job that has one; raises JOB_ANALYSIS_GONE."""
        analysis = self.find_analysis(job)
        if analysis is None:
            raise ObjectMissing
        return analysis

    def find_confirmed(self, job: JobRecord) -> ConfirmedDocument | None:
        """Return the last confirmed schema; None before there is one, and once it is deleted."""
        return self.find(ConfirmedDocument, job.confirmed_key)

    def find_recalled(self, job: JobRecord) -> Recalled | None:
        """Return what the job's table remembers; None where it does not, and once it is deleted."""
        return self.find(Recalled, job.recipe_key)

    def find_merge_plan(self, job: JobRecord) -> MergePlan | None:
        """Return what a workbook that has come back changes, as it was planned last; None of another job."""
        if job.mode != "merge" or job.analysis_key is None:
            return None
        stored = self._storage.find_json(merge_plan_key(job.analysis_key))
        return MergePlan.read(stored) if stored else None

    def find(self, kind: type[Kind], key: str | None) -> Kind | None:
        """Return the document of this key; None without one, and once it is deleted."""
        try:
            document: Kind | None = self._read_once(kind, key) if key else None
        except ObjectMissing:  # the bucket's lifecycle deletes them; the job's record lives longer
            return None
        return document

    def _read(self, kind: type[Document], key: str) -> Any:
        stored = self._storage.find_json(key)
        if stored is None:
            raise ObjectMissing
        return kind.read(stored)
