"""Print the size of the position of 100,000 files, and how many of 100 files that went it knows.

One of these went on each day.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

from polster_runtime.sources.files.positions import fingerprint, position_after, unknown
from polster_runtime.sources.sftp.files import SftpFile

files = [SftpFile(f"/out/orders-{number}.csv", number, number) for number in range(100_000)]
position = position_after(files, None)
size = len(json.dumps(position))
assert unknown(files, position) == []
today = datetime.now(UTC).date()
gone = {
    str(today - timedelta(days=file.size)): base64.b85encode(fingerprint(file)).decode()
    for file in files[:100]
}
left = position_after([], {"seen": gone})
print(json.dumps([size, 100 - len(unknown(files[:100], left))]))
