"""Serve a folder by WebDAV: python dav.py FOLDER PORT."""

from __future__ import annotations

import sys
from pathlib import Path

from cheroot.wsgi import Server
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp


def main(folder: str, port: str) -> None:
    """Serve until the process is ended; anybody may write."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": FilesystemProvider(folder)},
            "simple_dc": {"user_mapping": {"*": True}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    Server(("127.0.0.1", int(port)), app, numthreads=40).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
