"""Print the size of the position of 100,000 files, and how many of 100 files that went it knows.

One of these went on each day.
"""

import json
from datetime import UTC, datetime, timedelta

from polster_runtime.sources.sftp.files import SftpFile
from polster_runtime.sources.sftp.position import fingerprint, packed_position, unpacked_position

files = [SftpFile(f"/out/orders-{number}.csv", number, number) for number in range(100_000)]
position = packed_position(files, {})
size, (_, known) = len(json.dumps(position)), unpacked_position(position)
assert known.keys() == {fingerprint(file) for file in files}
today = datetime.now(UTC).date()
gone = {fingerprint(file): str(today - timedelta(days=file.size)) for file in files[:100]}
_, left = unpacked_position(packed_position([], gone))
print(json.dumps([size, len(left)]))
