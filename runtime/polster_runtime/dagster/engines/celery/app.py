"""The application of Celery that runs and workers share."""

from typing import Any

from celery import Celery  # type: ignore[import-untyped]

from polster_runtime.config.root import project_name
from polster_runtime.dagster.engines import worker

TASK = "polster.work"
SOCKET_SECONDS = 10


def queue() -> str:
    """The queue of this project: several may share a broker."""
    return f"polster-{project_name()}"


def application(broker: str, results: str = "") -> Any:
    """An application whose only task is to work; results are kept for a day."""
    in_redis = broker.partition("://")[0] in {"redis", "rediss", "sentinel"}
    app = Celery("polster", broker=broker, backend=results or (broker if in_redis else "rpc://"))
    sockets = {"socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS}
    app.conf.update(
        task_default_queue=queue(),
        task_track_started=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,  # a step waits in the queue, not at a busy worker
        task_acks_late=False,  # a step that was begun is never begun again by Celery
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=SOCKET_SECONDS,
        result_expires=86_400,
        broker_transport_options={**sockets, "socket_keepalive": True} if in_redis else {},
        redis_socket_timeout=SOCKET_SECONDS,
        redis_socket_connect_timeout=SOCKET_SECONDS,
        redis_socket_keepalive=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # what steps print is no line of a log
    )
    app.task(name=TASK)(worker.work)
    return app
