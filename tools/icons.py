"""Build the icon sprite from an unpacked `lucide-static` package: `python -m tools.icons path/to/lucide-static`.

One file with the icons the pages use, because a sprite is one cached request and keeps the markup small.
"""

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "src/deskbridge/ui/static/icons.svg"

NAMES = [
    "arrow-down", "arrow-left", "arrow-right", "arrow-up", "at-sign", "building-2", "calendar", "check",
    "chevron-down", "chevron-right", "circle-alert", "circle-arrow-up", "circle-check", "circle-dashed", "circle-dot",
    "circle-user-round", "clock", "copy", "download", "ellipsis", "eye", "globe", "hand", "history", "house", "inbox",
    "info", "key-round", "keyboard", "languages", "layout-list", "link", "list-filter", "lock", "log-in", "log-out",
    "mail", "merge", "message-square", "monitor", "moon", "paperclip", "pause", "pencil", "phone", "plus", "printer",
    "refresh-cw", "reply", "rotate-ccw", "search", "send", "settings", "shield-check", "smartphone", "sun", "tag",
    "ticket", "timer", "trash-2", "triangle-alert", "undo-2", "user", "user-check", "user-plus", "users", "x",
]  # fmt: skip

# Lucide has no half-filled circle of the same weight as its dotted and ticked ones.
OWN = {"circle-half": '<circle cx="12" cy="12" r="10"/><path d="M12 2a10 10 0 0 1 0 20z" fill="currentColor"/>'}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    SPRITE.write_text(sprite(Path(sys.argv[1]) / "icons"), encoding="utf-8")
    return 0


def sprite(folder: Path) -> str:
    """All symbols in one SVG document, in a fixed order so that a rebuild changes nothing."""
    shapes = {name: shape((folder / f"{name}.svg").read_text(encoding="utf-8")) for name in NAMES} | OWN
    symbols = [f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>' for name, body in sorted(shapes.items())]
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def shape(svg: str) -> str:
    """The drawing inside one icon file, without its wrapper and white space."""
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if inner is None:
        raise ValueError("not an SVG file")
    return re.sub(r"\s+/>", "/>", re.sub(r">\s+<", "><", inner.group(1).strip()))


if __name__ == "__main__":
    sys.exit(main())
