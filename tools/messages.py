"""Keep the message catalogues in step with templates and code: `python -m tools.messages` (or `--check`).

New texts are added to each .po file, untranslated; texts that are gone are dropped. `--check` changes nothing and fails
when a file would change or a text lacks its translation.
"""

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parent.parent / "src/deskbridge"
LOCALE = SOURCE / "ui/locale"
# The domain says what is wrong in English sentences; pages translate them. These are the modules whose use cases pages
# call; a module joins them with its first page. What only the API and the command line say stays English.
DOMAIN = (
    "kit/errors.py",
    *(f"people/{name}.py" for name in ("access", "passwords", "queries", "service", "signin")),
    "kit/filetypes.py",
    *(
        f"tickets/{name}.py"
        for name in ("attachments", "uploads", "conversation", "fields", "policy", "queries", "service", "workflow")
    ),
    *("tickets/web.py", "tickets/web_forms.py", "people/front.py", "search/queries.py"),
    *(f"sync/{name}.py" for name in ("connections", "lists", "queries", "service", "web", "web_links", "web_setup")),
)
ERRORS = {
    "FieldError", "Malformed", "Unauthenticated", "Forbidden", "NotFound", "Conflict", "RateLimited", "Unavailable",
    "TooLarge", "UnsupportedMedia", "refused",
}  # fmt: skip
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


def main() -> int:
    checking = sys.argv[1:] == ["--check"]
    template = extract()
    faults: list[str] = []
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/messages.po")):
        present = path.read_bytes()
        catalog = read_po(io.BytesIO(present), locale=path.parent.parent.name)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        wanted = written(catalog)
        if not checking:
            path.write_bytes(wanted)
        elif wanted != present:
            faults.append(f"{path.relative_to(SOURCE)}: out of step, run `python -m tools.messages`")
        faults += [f"{path.relative_to(SOURCE)}: not translated: {text}" for text in untranslated(catalog)]
    print("\n".join(faults) or "The catalogues are complete.")
    return 1 if faults else 0


def extract() -> Catalog:
    """Return every text that templates and code mark, in a stable order."""
    catalog = Catalog(project="Deskbridge", charset="utf-8", fuzzy=False)
    found = extract_from_dir(SOURCE, METHODS, OPTIONS, KEYWORDS, strip_comment_tags=True)
    for file, _line, message, _comments, context in sorted(found, key=lambda entry: (str(entry[2]), entry[0])):
        catalog.add(message, context=context, locations=[(f"{file}", 0)])
    for name in DOMAIN:
        for sentence in sentences_of_errors(ast.parse((SOURCE / name).read_text(encoding="utf-8"))):
            catalog.add(sentence, locations=[(name, 0)])
    return catalog


def sentences_of_errors(tree: ast.Module) -> Iterator[str]:
    """Yield what errors say: literals given to them and their summaries, with {0}, {1} for what varies."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_error(node):
            for argument in node.args:
                yield from literals(argument)
        elif isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id in {"summary", "complaint"} for target in targets):
                yield from literals(node.value)


def is_error(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in ERRORS
    return isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"


def literals(expression: ast.expr) -> Iterator[str]:
    """Yield the sentences in an expression: its strings that hold a space; of a choice, both."""
    if isinstance(expression, ast.JoinedStr):
        yield numbered(expression)
    elif isinstance(expression, ast.Constant):
        if isinstance(expression.value, str) and " " in expression.value:
            yield expression.value
    elif isinstance(expression, ast.IfExp | ast.BoolOp):
        parts = expression.values if isinstance(expression, ast.BoolOp) else [expression.body, expression.orelse]
        for part in parts:
            yield from literals(part)


def numbered(text: ast.JoinedStr) -> str:
    sentence, count = "", 0
    for part in text.values:
        if isinstance(part, ast.Constant):
            sentence += str(part.value)
        else:
            sentence += f"{{{count}}}"
            count += 1
    return sentence


def untranslated(catalog: Catalog) -> list[str]:
    return [str(message.id) for message in catalog if message.id and not is_translated(message.string)]


def is_translated(text: str | list[str] | tuple[str, ...] | None) -> bool:
    return all(text) if isinstance(text, list | tuple) else bool(text)


def written(catalog: Catalog) -> bytes:
    """Return the file without line numbers and dates, so that it changes only when a text does."""
    for header in ("creation_date", "revision_date"):
        setattr(catalog, header, None)
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, omit_header=True, include_lineno=False, sort_output=True)
    locale = catalog.locale_identifier
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    return header.encode() + buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
