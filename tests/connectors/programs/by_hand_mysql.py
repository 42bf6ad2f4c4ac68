"""Print what becomes of queries by docs/connectors/connectors.py.template: PORT USER PASSWORD."""

import json
import sys
from contextlib import closing
from importlib import import_module
from typing import Any

QUERIES = (
    "SELECT * FROM t",
    "SELECT * FROM zero",
    "SELECT big, d, f * 1e0 AS f, at, long_, bits, word FROM t",
)
connectors = import_module("core.connectors")
port, user, password = sys.argv[1:]
conn = connectors.connect_mysql(
    host="127.0.0.1", port=int(port), user=user, password=password, database="shop"
)
said: dict[str, Any] = {}
with closing(conn):
    for query in QUERIES:
        try:
            frame = connectors.fetch_mysql_data(conn, query)
        except ValueError as error:
            said[query] = str(error)
        else:
            said[query] = [[str(one.dtype), str(one[0])] for one in frame.iter_columns()]
print(json.dumps(said))
