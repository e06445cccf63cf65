"""First code of an execution environment: limit the memory, hide this repository, hand over to awslambdaric.

Run as a script, ``python -P bootstrap.py HANDLER``, so that it imports nothing of this repository.
"""

import os
import sys


def limit_memory(megabytes: int) -> None:
    """Cap the data segment at ``megabytes``; on Linux only, as no other system counts what DuckDB reserves."""
    if sys.platform != "linux":
        return
    import resource

    size = megabytes * 1024 * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        size = min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def hide_repository() -> None:
    """Forget editable installs: a module that was not deployed has to be missing here, too."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _is_editable(finder)]
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if not _is_editable(hook)]
    sys.path_importer_cache.clear()
    hidden = os.environ.pop("CATCHMENT_HIDE_FROM_FUNCTIONS")
    sys.path[:] = [path for path in sys.path if not path.startswith("__editable__") and not _is_source(hidden, path)]


def _is_editable(hook: object) -> bool:
    return getattr(hook, "__module__", "").startswith("__editable__")


def _is_source(root: str, path: str) -> bool:
    return path == root or (path.startswith(root + os.sep) and "site-packages" not in path)


def main() -> None:
    """Run the handler named on the command line until the runtime interface goes away."""
    hide_repository()
    limit_memory(int(os.environ.pop("CATCHMENT_MEMORY_LIMIT_MB")))
    from awslambdaric.__main__ import main as serve

    layers = [path for path in os.environ.pop("CATCHMENT_LAYER_PATHS", "").split(os.pathsep) if path]
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *layers]
    serve(sys.argv)


if __name__ == "__main__":
    main()
