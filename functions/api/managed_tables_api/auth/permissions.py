"""List the permissions that a token can carry."""

from enum import StrEnum

ALL_PERMISSIONS = "managed-tables:*"


class Permission(StrEnum):
    """One permission of the contract or its extensions; `ALL_PERMISSIONS` grants every one."""

    LIST = "managed-tables:list"
    CREATE = "managed-tables:create"
    UPDATE = "managed-tables:update"
    DELETE = "managed-tables:delete"
    UPLOAD = "managed-tables:upload"
    DATA_READ = "managed-tables:data-read"
    DATA_WRITE = "managed-tables:data-write"
    CONNECT = "managed-tables:connect"
