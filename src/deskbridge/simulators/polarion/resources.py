"""Stored records as JSON:API resources."""

from deskbridge.simulators.polarion import attachments, comments, model, workrecords
from deskbridge.simulators.polarion.jsonapi import Resource, path_of
from deskbridge.simulators.polarion.session import Record, Session


class Resources:
    """Builds resources for one request; `base_url` is the server's address for links to its pages and contents."""

    def __init__(self, session: Session, base_url: str) -> None:
        self.session = session
        self.base_url = base_url

    def find(self, kind: str, key: str) -> Resource | None:
        """The resource of a type and id, for `include`; None when there is none."""
        tables = {
            "workitems": ("workitems", self.work_item),
            "workitem_comments": ("comments", self.comment),
            "workitem_attachments": ("attachments", self.attachment),
            "workrecords": ("workrecords", self.work_record),
            "users": ("users", self.user),
            "projects": ("projects", self.project),
            "revisions": ("revisions", self.revision),
        }
        table, build = tables[kind]
        record = self.session.state.table(table).get(key)
        return None if record is None else build(record)

    def work_item(self, item: Record) -> Resource:
        stored = item["attributes"]
        ours = {"id": item["id"], "created": item["created"], "updated": item["updated"]}
        names = [name for name in model.FIELDS if name in stored or name in ours]
        attributes = {name: ours.get(name, stored.get(name)) for name in [*names, *sorted(set(stored) - set(names))]}
        portal = f"{self.base_url}/polarion/redirect/project/{item['project']}/workitem?id={item['id']}"
        return Resource(
            "workitems",
            item["key"],
            _item_path(item["key"]),
            attributes,
            self._relationships(item),
            item["revision"],
            (("portal", portal),),
        )

    def _relationships(self, item: Record) -> dict[str, tuple[str, str] | list[tuple[str, str]] | None]:
        hanging = {
            "attachments": ("workitem_attachments", attachments.of_item),
            "comments": ("workitem_comments", comments.of_item),
            "workRecords": ("workrecords", workrecords.of_item),
        }
        lists = {
            name: [(kind, record["key"]) for record in of_item(self.session, item)]
            for name, (kind, of_item) in hanging.items()
        }
        return {
            "assignee": [("users", user) for user in item["assignee"]],
            "author": ("users", item["author"]),
            "project": ("projects", item["project"]),
            **lists,
        }

    def comment(self, comment: Record) -> Resource:
        children = self.session.state.table("comments").by("parent", comment["key"])
        return Resource(
            "workitem_comments",
            comment["key"],
            f"{_item_path(comment['item'])}{path_of('comments', comment['id'])}",
            {name: comment[name] for name in ("id", "created", "resolved", "text", "title") if comment[name] != ""},
            {
                "author": ("users", comment["author"]),
                "project": ("projects", comment["item"].split("/")[0]),
                "parentComment": ("workitem_comments", comment["parent"]) if comment["parent"] else None,
                "childComments": [("workitem_comments", child["key"]) for child in children],
            },
            comment["revision"],
        )

    def attachment(self, attachment: Record) -> Resource:
        path = f"{_item_path(attachment['item'])}{path_of('attachments', attachment['id'])}"
        shown = ("id", "fileName", "length", "title", "updated")
        return Resource(
            "workitem_attachments",
            attachment["key"],
            path,
            {name: attachment[name] for name in shown if attachment[name] != ""},
            {"author": ("users", attachment["author"]), "project": ("projects", attachment["item"].split("/")[0])},
            attachment["revision"],
            (("content", f"{self.base_url}/polarion/rest/v1{path}/content"),),
        )

    def work_record(self, record: Record) -> Resource:
        shown = ("id", "comment", "date", "timeSpent", "type")
        return Resource(
            "workrecords",
            record["key"],
            f"{_item_path(record['item'])}{path_of('workrecords', record['id'])}",
            {name: record[name] for name in shown if record[name] != ""},
            {"user": ("users", record["user"]), "project": ("projects", record["item"].split("/")[0])},
            record["revision"],
        )

    def user(self, user: Record) -> Resource:
        return Resource("users", user["id"], path_of("users", user["id"]), dict(user), {})

    def project(self, project: Record) -> Resource:
        return Resource("projects", project["id"], path_of("projects", project["id"]), dict(project), {})

    def revision(self, revision: Record) -> Resource:
        attributes = {name: revision[name] for name in ("id", "created", "message")}
        return Resource(
            "revisions",
            f"default/{revision['id']}",
            path_of("revisions", "default", revision["id"]),
            {**attributes, "repositoryName": "default", "internalCommit": True},
            {"author": ("users", revision["author"])},
        )


def _item_path(key: str) -> str:
    project, item_id = key.split("/")
    return path_of("projects", project, "workitems", item_id)
