"""The desk's command line, with connectors that keep no pace of their own: what is measured is the desk."""

from datetime import timedelta

from deskbridge.cli import main
from deskbridge.kit.outbound import TokenBucket


def _never_empty(_bucket: TokenBucket) -> timedelta:
    return timedelta(0)


if __name__ == "__main__":
    TokenBucket.take = _never_empty  # type: ignore[method-assign,assignment]
    main()
