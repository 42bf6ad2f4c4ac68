"""Whether the API server of Kubernetes answers, and what this process may do there."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client, config  # type: ignore[import-untyped]
from kubernetes.client import ApiException  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from polster_runtime.errors import SettingsError

ANSWER_SECONDS = 10


@contextmanager
def configured(kubeconfig: str) -> Iterator[None]:
    """Turn what is wrong with the address or the credentials in a block into a SettingsError."""
    try:
        yield
    except (config.ConfigException, OSError) as error:
        where = f"K8S_KUBECONFIG={kubeconfig}" if kubeconfig else "EXECUTOR=k8s"
        hint = "" if kubeconfig else "; set K8S_KUBECONFIG where runs are not in the cluster"
        raise SettingsError(f"{where}: {str(error).partition(chr(10))[0]}{hint}") from None


def connect(kubeconfig: str) -> None:
    """Read the address and the credentials. Raises SettingsError."""
    with configured(kubeconfig):
        if kubeconfig:
            config.load_kube_config(kubeconfig)
        else:
            config.load_incluster_config()


def reach() -> str:
    """The version and the address of the API server. Raises SettingsError where it is silent."""
    with _answering():
        version = client.VersionApi().get_code(_request_timeout=ANSWER_SECONDS)
    return f"Kubernetes {version.git_version} at {_place()}"


def may_make_jobs(namespace: str) -> str:
    """A sentence that says so. Raises SettingsError unless this process may make and watch Jobs."""
    for verb in ("create", "get", "delete"):
        wanted = {"namespace": namespace, "verb": verb, "group": "batch", "resource": "jobs"}
        asked = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(
                resource_attributes=client.V1ResourceAttributes(**wanted)
            )
        )
        with _answering():
            answer = client.AuthorizationV1Api().create_self_subject_access_review(
                asked, _request_timeout=ANSWER_SECONDS
            )
        if not answer.status.allowed:
            raise SettingsError(
                f"this process may not {verb} Jobs in the namespace {namespace}; give its "
                "service account a Role for jobs and pods there, or change K8S_NAMESPACE"
            )
    return f"may be made in the namespace {namespace}"


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        raise SettingsError(
            f"the API server of Kubernetes at {_place()} refuses: {error.status} {error.reason}; "
            "look at the credentials that K8S_KUBECONFIG or the service account has"
        ) from None
    except (HTTPError, OSError):
        raise SettingsError(
            f"no API server of Kubernetes answers at {_place()}; start it, or change K8S_KUBECONFIG"
        ) from None


def _place() -> str:
    return str(client.Configuration.get_default_copy().host)
