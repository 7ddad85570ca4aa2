"""The desk's command line, with connectors that keep no pace of their own: what is measured is the desk."""

from deskbridge.cli import main
from deskbridge.connectors.shared import Api


def _at_once(_api: Api) -> None:
    return


if __name__ == "__main__":
    Api._wait_for_turn = _at_once  # type: ignore[method-assign,assignment]  # noqa: SLF001
    main()
