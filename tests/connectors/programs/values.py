"""Print the type and the values of each column that a reader gets: values.py ASSET."""

import sys

from core.storage import read

frame = read(sys.argv[1]).collect()
print({name: (str(frame[name].dtype), frame[name].to_list()) for name in frame.columns})
