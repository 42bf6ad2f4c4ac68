"""Connect with each of some sets of variables, a JSON list on stdin; print why not."""

import json
import os
import sys

from core.storage import store

usual = dict(os.environ)
for changed in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update({**usual, **changed})
    try:
        store()
    except ValueError as error:
        print(error)
