"""Rendering: one Jinja environment per language, with the filters that templates use."""

import json
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_skeleton, format_timedelta
from babel.dates import format_time as format_clock
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from deskbridge.ui import prose, words
from deskbridge.ui.assets import Assets
from deskbridge.ui.languages import DEFAULT, LANGUAGES, Language, translations


@dataclass(frozen=True, slots=True)
class View:
    """For whom and where a page is rendered.

    `person` is who is signed in (None on public pages), `csrf` the token of their forms, `path` the page's own address;
    `guided` tells whether there is a tour to offer.
    """

    language: str = DEFAULT
    time_zone: str = "UTC"
    path: str = "/"
    csrf: str = ""
    person: Any = None
    guided: bool = False


MOST_FRAGMENTS = 5000


class Pages:
    """The templates, ready to be rendered in any language."""

    def __init__(self, assets: Assets) -> None:
        self._fragments: OrderedDict[Hashable, Markup] = OrderedDict()
        self._environments = {code: self._environment(language, assets) for code, language in LANGUAGES.items()}

    def render(self, name: str, context: Mapping[str, object], view: View) -> bytes:
        """Return a page. A name the template uses and the context lacks is an error, not a blank."""
        return self.environment(view.language).get_template(name).render(context, view=view).encode()

    def fragment(self, name: str, context: Mapping[str, object], view: View, key: Hashable) -> Markup:
        """Return a part of a page that many pages show, such as a row of a list, from the cache where it can be had.

        `key` holds everything in the context that the part shows; language and time zone are added to it here.
        """
        full_key = (name, key, view.language, view.time_zone)
        found = self._fragments.get(full_key)
        if found is None:
            template = self.environment(view.language).get_template(name)
            found = Markup(template.render(context, view=view))  # noqa: S704 - rendered with escaping
            self._fragments[full_key] = found
            if len(self._fragments) > MOST_FRAGMENTS:
                self._fragments.popitem(last=False)
        else:
            self._fragments.move_to_end(full_key)
        return found

    def environment(self, language: str) -> Environment:
        return self._environments[language]

    def _environment(self, language: Language, assets: Assets) -> Environment:
        environment = Environment(
            loader=PackageLoader("deskbridge.ui", "templates"),
            extensions=["jinja2.ext.i18n"],
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        catalogue = translations(language.code)
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            catalogue.gettext, catalogue.ngettext, newstyle=True, pgettext=catalogue.pgettext
        )
        environment.filters.update(FILTERS)
        environment.globals.update(asset=assets.url, language=language, languages=LANGUAGES, words=words)
        return environment


@pass_context
def full_time(context: Context, at: datetime) -> str:
    """Date, time and zone, for titles and print."""
    view: View = context["view"]
    return format_time(at, "full", view.time_zone, context["language"].formats)


@pass_context
def short_time(context: Context, at: datetime) -> str:
    """Date and time, for the text of a `<time>`."""
    view: View = context["view"]
    return format_time(at, "short", view.time_zone, context["language"].formats)


@pass_context
def near_time(context: Context, at: datetime) -> str:
    """Day, month and time: for what lies within days, where the year goes without saying."""
    view: View = context["view"]
    return format_time(at, "near", view.time_zone, context["language"].formats)


@lru_cache(maxsize=8192)
def format_time(at: datetime, form: str, time_zone: str, formats: str) -> str:
    local = at.astimezone(zone(time_zone))
    clock = format_clock(local, "short", locale=formats)
    if form == "full":
        return f"{format_date(local, 'full', locale=formats)}, {clock} {local.tzname()}"
    day = format_skeleton("MMMd", local, locale=formats) if form == "near" else format_date(local, locale=formats)
    return f"{day}, {clock}"


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of that name; UTC when the tz data have lost it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def utc(at: datetime) -> str:
    """ISO 8601 to the second with Z, for `datetime` attributes."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def initials(name: str) -> str:
    """First letters of the first and the last name."""
    parts = name.split()
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper() if parts else "–"


@pass_context
def number(context: Context, value: float) -> str:
    return format_decimal(value, locale=context["language"].formats)


@pass_context
def file_size(context: Context, size: int) -> str:
    """A number of bytes in the unit it is read in: 1.4 MB."""
    unit, shown = ("B", float(size)) if size < 1000 else ("kB", size / 1000) if size < 10**6 else ("MB", size / 10**6)
    return f"{format_decimal(shown, '#,##0.#', locale=context['language'].formats)}\u00a0{unit}"


@pass_context
def markdown(context: Context, source: str) -> Markup:
    """A message as HTML; `#1042` leads where this reader may see that ticket."""
    view: View = context["view"]
    base = "/desk/tickets/" if view.person is not None and view.person.is_agent else "/portal/tickets/"
    return Markup(prose.to_html(source, base))  # noqa: S704 - sanitised by nh3


@pass_context
def word(context: Context, value: str | None, kind: str) -> str:
    """What an enum value is called: `ticket.status|word("status")`. An unknown value is shown as it is."""
    if value is None:
        return ""
    known = getattr(words, kind.upper()).get(value)
    return translate(context, known.text) if known else words.plain(value)


@pass_context
def sentence(context: Context, entry: Any) -> Markup:
    """What a history entry says, with its old and new value made out."""
    pattern = translate(context, words.HISTORY[entry.type])
    if entry.type == "ASSIGNMENT_CHANGE" and not entry.new:
        pattern = translate(context, words.UNASSIGNED)
    if entry.type == "LINKED" and not entry.new:
        pattern = translate(context, words.UNLINKED)
    field = words.FIELD.get(entry.field or "", entry.field or "")
    return Markup(escape(pattern)).format(  # noqa: S704 - the pattern is escaped, format escapes the values
        old=shown(context, entry.field, entry.old),
        new=shown(context, entry.field, entry.new),
        field=translate(context, field) if field else "",
    )


def shown(context: Context, field: str | None, value: str | None) -> Markup:
    if not value:
        return Markup("<em>{}</em>").format(translate(context, words.EMPTY))
    known = words.VALUES.get(field or "", {}).get(value) or words.SAID_TO_CUSTOMERS.get(value)
    return Markup("<strong>{}</strong>").format(translate(context, known.text) if known else words.cut(value))


def translate(context: Context, message: str) -> str:
    return translations(context["language"].code).gettext(message) if message else ""


def to_json(value: object) -> Markup:
    """JSON that may stand in a script element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - no tag can close


BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def browser(user_agent: str) -> str:
    """Return what a browser calls itself and runs on, such as "Firefox, Linux"; empty when it does not say."""
    found = (next((known[mark] for mark in known if mark in user_agent), "") for known in (BROWSERS, SYSTEMS))
    return ", ".join(name for name in found if name)


@pass_context
def span(context: Context, seconds: float) -> str:
    """A stretch of time in the largest unit it fills: 45 sec, 4 min, 3 hr."""
    return format_timedelta(timedelta(seconds=seconds), threshold=1, format="short", locale=context["language"].formats)


FILTERS = {
    "browser": browser,
    "full_time": full_time,
    "short_time": short_time,
    "near_time": near_time,
    "utc": utc,
    "initials": initials,
    "number": number,
    "file_size": file_size,
    "markdown": markdown,
    "line": prose.to_line,
    "word": word,
    "sentence": sentence,
    "span": span,
    "to_json": to_json,
}
