"""Files of SFTP servers, with asyncssh."""

from polster_runtime.sources.sftp.files import SftpFile, SftpFormat, load_sftp_data
from polster_runtime.sources.sftp.source import SFTP, SftpDownload, download_sftp_files

__all__ = [
    "SFTP",
    "SftpDownload",
    "SftpFile",
    "SftpFormat",
    "download_sftp_files",
    "load_sftp_data",
]
