"""List the permissions that a token can carry."""

from enum import StrEnum

ALL_PERMISSIONS = "managed-tables:*"


class Permission(StrEnum):
    """One permission of the contract or its extensions; `ALL_PERMISSIONS` grants every one.

    `action` is what it allows, as people say it.
    """

    action: str

    LIST = "managed-tables:list", "ver as tabelas e os envios"
    CREATE = "managed-tables:create", "criar tabelas"
    UPDATE = "managed-tables:update", "alterar tabelas"
    DELETE = "managed-tables:delete", "excluir tabelas e desfazer envios"
    UPLOAD = "managed-tables:upload", "enviar arquivos"
    DATA_READ = "managed-tables:data-read", "ver os dados"
    DATA_WRITE = "managed-tables:data-write", "alterar os dados"
    CONNECT = "managed-tables:connect", "ligar outros programas ao banco de dados"

    def __new__(cls, value: str, action: str) -> "Permission":
        """Make a member of its text in a token and its action."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.action = action
        return member
