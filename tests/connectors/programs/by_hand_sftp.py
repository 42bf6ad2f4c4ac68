"""Print the rows of files: PATTERN FOLDER PORT USER KEY_FILE KNOWN_HOSTS."""

import json
import sys
from importlib import import_module

connectors = import_module("core.connectors")
pattern, folder, port, user, key_file, known_hosts = sys.argv[1:]
files = connectors.download_sftp_files(
    pattern,
    folder,
    host="127.0.0.1",
    port=int(port),
    user=user,
    key_file=key_file,
    known_hosts=known_hosts,
)
print(json.dumps(connectors.load_sftp_data(files).to_dicts()))
