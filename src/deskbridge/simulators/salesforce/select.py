"""Running a query: which rows it finds, and how each is shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from deskbridge.simulators import product
from deskbridge.simulators.salesforce import aggregates, binding, filters, ids, objects, soql
from deskbridge.simulators.salesforce.binding import Binder, Bound
from deskbridge.simulators.salesforce.objects import CONTENT_DOCUMENT_LINK
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import Child, Field, SObject
from deskbridge.simulators.salesforce.soql import (
    AllFields,
    Comparison,
    Condition,
    Junction,
    Membership,
    Path,
    Query,
    SoqlError,
)

MAX_OFFSET = 2000
MAX_ALL_FIELDS = 200
_LINK_FILTERS = frozenset({"contentdocumentid", "linkedentityid"})


class Selection:
    """One query over one object, checked against the schema; `parent` restricts a subquery to one record's children."""

    def __init__(self, org: Org, text: str, query: Query, *, deleted: bool, child: tuple[Child, str] | None = None):
        self.org = org
        self.text = text
        self.query = query
        self.deleted = deleted
        self._child = child
        self.sobject = _child_source(child[0]) if child else binding.source(text, query)
        self.binder = Binder(text, self.sobject, query)
        self._check_offset()
        if self.sobject is CONTENT_DOCUMENT_LINK and child is None:
            self._check_link_filter()
        self._items = [] if query.aggregates else self._bound_items()

    def rows(self) -> list[Row]:
        """The rows found, ordered and cut to LIMIT and OFFSET (which an aggregate applies to its groups instead)."""
        predicate = filters.Filter(self.org, self.binder, self._values_of).compile(self.query.where)
        found = [row for row in self._candidates() if self._is_visible(row) and predicate(row)]
        if self.query.aggregates:
            return found
        return self._cut(filters.ordered(self.org, self.binder, self.query.order_by, found))

    def summarised(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The groups of an aggregate query."""
        return self._cut(aggregates.groups(self.org, self.binder, self.query, rows))

    def record(self, row: Row) -> dict[str, Any]:
        """One row as JSON: its attributes, then what was selected."""
        shown: dict[str, Any] = {"attributes": attributes(self.org, self.sobject, row)}
        for item in self._items:
            if isinstance(item, Bound):
                _place(self.org, shown, item, row)
            else:
                shown[item[0].name] = self._children(item[0], item[1], row)
        return shown

    def _cut(self, found: list[Any]) -> list[Any]:
        end = None if self.query.limit is None else self.query.offset + self.query.limit
        return found[self.query.offset : end]

    def _is_visible(self, row: Row) -> bool:
        if row.get("IsDeleted") and not self.deleted:
            return False
        return self._child is None or row[self._child[0].field] == self._child[1]

    def _candidates(self) -> list[Row]:
        """All rows, or, when every row counts at once, only those with the id or reference that the query asks for."""
        if product.lag(self.org.state) > 0:
            return self.org.rows(self.sobject)
        if self._child:
            return self.org.table(self.sobject).by(self._child[0].field, self._child[1])
        for condition in _conjuncts(self.query.where):
            if (narrowed := self._narrowed(condition)) is not None:
                return narrowed
        return self.org.rows(self.sobject)

    def _narrowed(self, condition: Condition) -> list[Row] | None:
        if not isinstance(condition, Comparison) or condition.operator != "=" or condition.value.kind != "string":
            return None
        bound = self.binder.bind(condition.path)
        if bound.steps or bound.field.type not in {"id", "reference"}:
            return None
        record_id = ids.normalise(soql.unquoted(condition.value)) or ""
        return self.org.table(self.sobject).by(bound.field.name, record_id)

    def _values_of(self, query: Query) -> set[Any]:
        inner = Selection(self.org, self.text, query, deleted=self.deleted)
        only = inner._items[0] if len(inner._items) == 1 else None
        if not isinstance(only, Bound) or only.field.type not in {"id", "reference"}:
            message = "The inner select must have exactly one field, of type ID or reference"
            raise SoqlError(self.text, query.position, message)
        return {only.value(self.org, row) for row in inner.rows()}

    def _children(self, child: Child, query: Query, row: Row) -> dict[str, Any] | None:
        inner = Selection(self.org, self.text, query, deleted=self.deleted, child=(child, str(row["Id"])))
        records = [inner.record(found) for found in inner.rows()]
        return {"totalSize": len(records), "done": True, "records": records} if records else None

    def _bound_items(self) -> list[Bound | tuple[Child, Query]]:
        items: list[Bound | tuple[Child, Query]] = []
        for item in self.query.select:
            if isinstance(item, Query):
                items.append(self._bound_child(item))
            elif isinstance(item, AllFields):
                items += [Bound((), self.sobject, field) for field in self._all_fields(item)]
            elif isinstance(item, Path):
                items.append(self.binder.bind(item))
        self._refuse_duplicates(items)
        return items

    def _bound_child(self, query: Query) -> tuple[Child, Query]:
        child = self.sobject.child(query.source)
        if child is None or self._child or query.aggregates:
            message = (
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to "
                "use a custom relationship, be sure to append the '__r' after the custom relationship name."
            )
            raise SoqlError(self.text, query.position, message, "INVALID_TYPE")
        Selection(self.org, self.text, query, deleted=self.deleted, child=(child, ""))
        return child, query

    def _all_fields(self, item: AllFields) -> list[Field]:
        limit = self.query.limit
        if item.kind != "STANDARD" and (limit is None or limit > MAX_ALL_FIELDS):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_ALL_FIELDS}"
            raise SoqlError(self.text, item.position, message)
        custom = {"ALL": (False, True), "STANDARD": (False,), "CUSTOM": (True,)}[item.kind]
        return [field for field in self.sobject.fields if field.custom in custom]

    def _refuse_duplicates(self, items: Sequence[Bound | tuple[Child, Query]]) -> None:
        names = [item.name if isinstance(item, Bound) else item[0].name for item in items]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice:
            raise SoqlError(self.text, self.query.position, f"duplicate field selected: {twice}")

    def _check_offset(self) -> None:
        if self.query.offset > MAX_OFFSET:
            message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise SoqlError(self.text, self.query.position, message, "NUMBER_OUTSIDE_VALID_RANGE")

    def _check_link_filter(self) -> None:
        """Salesforce lets nobody list every link: the query must name documents or records."""
        for condition in _conjuncts(self.query.where):
            path = getattr(condition, "path", None)
            named = path is not None and path.parts[-1].lower() in _LINK_FILTERS
            equals = isinstance(condition, Comparison) and condition.operator == "="
            within = isinstance(condition, Membership) and not condition.negated
            if named and (equals or within):
                return
        message = (
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
            "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
        )
        raise SoqlError(self.text, self.query.position, message)


def attributes(org: Org, sobject: SObject, row: Mapping[str, Any], kind: str = "") -> dict[str, str]:
    """What says which record this is; `kind` is the name shown when it is not the object's own."""
    return {"type": kind or sobject.name, "url": address(org, sobject, str(row["Id"]))}


def address(org: Org, sobject: SObject, record_id: str) -> str:
    return f"/services/data/v{org.version}/sobjects/{sobject.name}/{record_id}"


def shown_value(org: Org, sobject: SObject, field: Field, row: Mapping[str, Any]) -> Any:
    """A field's value in an answer: files are shown by their address."""
    if field.type == "base64":
        return f"{address(org, sobject, str(row['Id']))}/{field.name}"
    return row.get(field.name)


def _place(org: Org, shown: dict[str, Any], bound: Bound, row: Row) -> None:
    """Put a value where it belongs, under the relationships that lead to it (null where one is empty)."""
    target, current, sobject = shown, row, bound.owner
    for step in bound.steps:
        found = binding.parent(org, step, current)
        if found is None:
            target.setdefault(step.relationship, None)
            return
        sobject = objects.of_id(str(found["Id"])) or bound.owner
        kind = "Name" if len(step.references) > 1 else ""
        target = target.setdefault(step.relationship, {"attributes": attributes(org, sobject, found, kind)})
        current = found
    target[bound.field.name] = shown_value(org, sobject if bound.steps else bound.owner, bound.field, current)


def _child_source(child: Child) -> SObject:
    sobject = objects.find(child.sobject)
    if sobject is None:
        raise LookupError(child.sobject)
    return sobject


def _conjuncts(condition: Condition | None) -> list[Condition]:
    """The conditions that must all hold."""
    if condition is None:
        return []
    if isinstance(condition, Junction) and condition.operator == "AND":
        return [inner for part in condition.parts for inner in _conjuncts(part)]
    return [condition]
