"""A large file is sent to the lake while it is being written, and appears whole or not at all."""

from __future__ import annotations

import json

from tests.generated.projects import Generated, told
from tests.storage.azurite import Azurite


def test_blocks_go_ahead_and_appear_in_one_step(shop: Generated, azurite: Azurite) -> None:
    env = azurite.variables(azurite.create("ahead"))
    done = shop.program("upload_ahead", env=env)
    assert done.returncode == 0, told(done)
    unseen, blocks, same, alone, again, on_their_way = json.loads(done.stdout)
    assert unseen
    assert blocks > 1
    assert same
    assert alone == 1
    assert again
    assert on_their_way == 0
