"""Serve a folder by WebDAV: python dav.py FOLDER PORT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cheroot.wsgi import Server
from wsgidav.fs_dav_provider import FileResource, FilesystemProvider, FolderResource
from wsgidav.wsgidav_app import WsgiDAVApp


class File(FileResource):  # type: ignore[misc]
    """A file that is not looked at again once it has been listed: it may be deleted by then."""

    def get_etag(self) -> str:
        """Return what tells one content from another."""
        seen = self.file_stat
        return f"{seen.st_ino}-{seen.st_mtime_ns}-{seen.st_size}"


class Folder(FolderResource):  # type: ignore[misc]
    """A folder that leaves out what is deleted while it is listed, where its base answers 500."""

    def get_member_list(self) -> list[Any]:
        """Return the files and folders that are still there."""
        found = (self.get_member(name) for name in self.get_member_names())
        return [member for member in found if member is not None]

    def get_used_bytes(self) -> None:
        """Say nothing, since the folder itself may be deleted by then."""

    def get_available_bytes(self) -> None:
        """Say nothing either."""


class Provider(FilesystemProvider):  # type: ignore[misc]
    """A file system of such files and folders."""

    def get_resource_inst(self, path: str, environ: dict[str, Any]) -> Any:
        """Return the file or folder, None where there is none."""
        try:
            found = super().get_resource_inst(path, environ)
        except FileNotFoundError:
            return None
        if found is not None:
            found.__class__ = Folder if found.is_collection else File
        return found


def main(folder: str, port: str) -> None:
    """Serve until the process is ended; anybody may write."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": Provider(folder)},
            "simple_dc": {"user_mapping": {"*": True}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    Server(("127.0.0.1", int(port)), app, numthreads=40).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
