"""How a database is reached: variables such as POSTGRES_HOST."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """One field a variable: POSTGRES_HOST, or CRM_HOST where the connection is called CRM."""

    host: str
    port: int = 5432
    user: str
    password: str = field(default="", repr=False)
    database: str
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"

    def __str__(self) -> str:
        return f"PostgreSQL: {self.user}@{self.host}:{self.port}/{self.database}"
