"""MySQL and MariaDB, with PyMySQL."""

from polster_runtime.sources.mysql.source import (
    MySQL,
    MySQLSettings,
    connect_mysql,
    fetch_mysql_data,
)

__all__ = ["MySQL", "MySQLSettings", "connect_mysql", "fetch_mysql_data"]
