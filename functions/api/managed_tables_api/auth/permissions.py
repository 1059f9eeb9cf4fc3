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

    @property
    def action(self) -> str:
        """What it allows, as people say it."""
        return _ACTIONS[self]


_ACTIONS = {
    Permission.LIST: "ver as tabelas e os envios",
    Permission.CREATE: "criar tabelas",
    Permission.UPDATE: "alterar tabelas",
    Permission.DELETE: "excluir tabelas e desfazer envios",
    Permission.UPLOAD: "enviar arquivos",
    Permission.DATA_READ: "ver os dados",
    Permission.DATA_WRITE: "alterar os dados",
    Permission.CONNECT: "ligar outros programas ao banco de dados",
}
