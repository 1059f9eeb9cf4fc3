"""The names and passwords of a company's database roles: derived, stored nowhere."""

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class CompanyRoles:
    """The database of one connection and its two roles, the owner and the reader.

    `reader_generation` counts how often the reader got another password.
    """

    connection_id: str
    master_secret: str
    reader_generation: int = 0

    @property
    def database(self) -> str:
        """The database's name: opaque, since every role of a cluster can list databases."""
        return f"co_{self.connection_id}"

    @property
    def owner(self) -> str:
        """The role that owns the database and everything in it."""
        return self.database

    @property
    def reader(self) -> str:
        """The role for the Data API and BI tools."""
        return f"{self.database}_ro"

    def password(self, role: str) -> str:
        """Return the role's password: HMAC-SHA256 of connection and role under the master secret."""
        message = f"{self.connection_id}:{role}"
        if role == self.reader and self.reader_generation:
            message += f":{self.reader_generation}"
        return hmac.new(self.master_secret.encode(), message.encode(), hashlib.sha256).hexdigest()
