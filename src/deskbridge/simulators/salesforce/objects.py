"""The objects of the simulated org, with the desk's two custom fields on Case."""

from collections.abc import Mapping, Sequence

from deskbridge.simulators.salesforce.schema import Child, Choice, Field, SObject

OWNERS = ("Group", "User")
CLOSED = "Closed"


def _id() -> Field:
    return Field("Id", "id", "Record ID", 18, create=False, update=False)


def _fixed(name: str, kind: str, label: str, length: int = 0) -> Field:
    """A field that Salesforce itself fills."""
    return Field(name, kind, label, length, create=False, update=False)


def _flag(name: str, label: str, *, writable: bool = False) -> Field:
    return Field(name, "boolean", label, create=writable, update=writable, default=False)


def _text(name: str, label: str, length: int = 255, *, required: bool = False, update: bool = True) -> Field:
    return Field(name, "string", label, length, required=required, update=update)


def _picklist(name: str, label: str, values: Sequence[str], default: str = "", *, restricted: bool = True) -> Field:
    choices = [Choice(value, value == default, value == CLOSED and name == "Status") for value in values]
    return Field(name, "picklist", label, 255, restricted=restricted, choices=choices)


def _reference(
    name: str, label: str, to: Sequence[str], relationship: str = "", *, required: bool = False, update: bool = True
) -> Field:
    return Field(
        name,
        "reference",
        label,
        18,
        required=required,
        update=update,
        references=to,
        relationship=relationship or name.removesuffix("Id"),
    )


def _author(name: str, label: str) -> Field:
    return Field(
        name,
        "reference",
        label,
        18,
        create=False,
        update=False,
        references=("User",),
        relationship=name.removesuffix("Id"),
    )


def _system() -> list[Field]:
    return [
        _flag("IsDeleted", "Deleted"),
        _fixed("CreatedDate", "datetime", "Created Date"),
        _author("CreatedById", "Created By ID"),
        _fixed("LastModifiedDate", "datetime", "Last Modified Date"),
        _author("LastModifiedById", "Last Modified By ID"),
        _fixed("SystemModstamp", "datetime", "System Modstamp"),
    ]


def _case_text() -> list[Field]:
    return [
        _text("Subject", "Subject"),
        Field("Description", "textarea", "Description", 32000, filterable=False),
        _text("SuppliedName", "Name", 80),
        Field("SuppliedEmail", "email", "Email Address", 80),
        Field("SuppliedPhone", "phone", "Phone", 40),
        _text("SuppliedCompany", "Company", 80),
        Field("ContactEmail", "email", "Contact Email", 80, create=False, update=False),
    ]


def _case_picklists() -> list[Field]:
    return [
        _picklist("Status", "Status", ["New", "Working", "On Hold", "Escalated", CLOSED], "New"),
        _picklist("Priority", "Priority", ["High", "Medium", "Low"], "Medium"),
        _picklist("Origin", "Case Origin", ["Phone", "Email", "Web"]),
        _picklist("Type", "Case Type", ["Question", "Problem", "Feature Request"], restricted=False),
        _picklist(
            "Reason",
            "Case Reason",
            (
                "Solved",
                "User didn't attend training",
                "Complex functionality",
                "Existing problem",
                "Cannot reproduce",
                "Withdrawn",
                "Other",
            ),
        ),
    ]


def _case_desk() -> list[Field]:
    return [
        Field(
            "Desk_Ref__c", "string", "Desk Ref", 64, unique=True, external_id=True, help="The desk's key for this case."
        ),
        Field("Desk_Minutes__c", "double", "Desk Minutes", digits=18, help="Minutes worked, as the desk counts them."),
    ]


CASE = SObject(
    "Case",
    "Case",
    "Cases",
    "500",
    [
        _id(),
        _fixed("CaseNumber", "string", "Case Number", 30),
        _reference("ContactId", "Contact ID", ["Contact"]),
        _reference("AccountId", "Account ID", ["Account"]),
        _reference("ParentId", "Parent Case ID", ["Case"]),
        _reference("OwnerId", "Owner ID", OWNERS),
        *_case_picklists(),
        *_case_text(),
        _flag("IsClosed", "Closed"),
        _fixed("ClosedDate", "datetime", "Closed Date"),
        _flag("IsEscalated", "Escalated", writable=True),
        *_case_desk(),
        *_system(),
    ],
    [
        Child("CaseComments", "CaseComment", "ParentId"),
        Child("Attachments", "Attachment", "ParentId"),
        Child("ContentDocumentLinks", "ContentDocumentLink", "LinkedEntityId"),
        Child("Histories", "CaseHistory", "CaseId"),
        Child("Cases", "Case", "ParentId"),
    ],
    name_field="CaseNumber",
    cascades=("CaseComment", "FeedItem", "Attachment", "ContentDocumentLink", "CaseHistory"),
)

CASE_COMMENT = SObject(
    "CaseComment",
    "Case Comment",
    "Case Comments",
    "00a",
    [
        _id(),
        _reference("ParentId", "Parent ID", ["Case"], required=True, update=False),
        _flag("IsPublished", "Published", writable=True),
        Field("CommentBody", "textarea", "Body", 4000, required=True, bytes_limited=True, filterable=False),
        *_system(),
    ],
    name_field="",
)

FEED_ITEM = SObject(
    "FeedItem",
    "Feed Item",
    "Feed Items",
    "0D5",
    [
        _id(),
        _reference("ParentId", "Parent ID", ["Case", "ContentDocument", "User"], required=True, update=False),
        _picklist("Type", "Feed Item Type", ["TextPost", "LinkPost"], "TextPost"),
        Field("Body", "textarea", "Body", 10000, required=True, filterable=False),
        _text("Title", "Title"),
        Field("LinkUrl", "url", "Link URL", 1000),
        _picklist("Visibility", "Visibility", ["AllUsers", "InternalUsers"], "AllUsers"),
        _flag("IsRichText", "Is Rich Text", writable=True),
        *_system(),
    ],
    name_field="",
)

CONTENT_VERSION = SObject(
    "ContentVersion",
    "Content Version",
    "Content Versions",
    "068",
    [
        _id(),
        _reference("ContentDocumentId", "ContentDocument ID", ["ContentDocument"], update=False),
        _flag("IsLatest", "Is Latest"),
        _text("Title", "Title"),
        _text("PathOnClient", "Path On Client", 500, required=True, update=False),
        Field("Description", "textarea", "Description", 1000, filterable=False),
        Field("ReasonForChange", "string", "Reason For Change", 1000, update=False),
        _picklist("Origin", "Content Origin", ["C", "H"], "C"),
        _reference("FirstPublishLocationId", "First Publish Location ID", ["Case", "User"], update=False),
        _reference("OwnerId", "Owner ID", ["User"]),
        Field("VersionData", "base64", "Version Data", required=True, update=False, filterable=False),
        _fixed("VersionNumber", "string", "Version Number", 20),
        _fixed("FileType", "string", "File Type", 20),
        _fixed("FileExtension", "string", "File Extension", 40),
        _fixed("ContentSize", "int", "Size"),
        _fixed("Checksum", "string", "Checksum", 50),
        *_system(),
    ],
    delete=False,
    name_field="Title",
)

CONTENT_DOCUMENT = SObject(
    "ContentDocument",
    "Content Document",
    "Content Documents",
    "069",
    [
        _id(),
        _text("Title", "Title"),
        _author("LatestPublishedVersionId", "Latest Published Version ID"),
        _fixed("FileType", "string", "File Type", 20),
        _fixed("FileExtension", "string", "File Extension", 40),
        _fixed("ContentSize", "int", "Size"),
        _author("OwnerId", "Owner ID"),
        *_system(),
    ],
    [
        Child("ContentVersions", "ContentVersion", "ContentDocumentId"),
        Child("ContentDocumentLinks", "ContentDocumentLink", "ContentDocumentId"),
    ],
    create=False,
    name_field="Title",
    cascades=("ContentVersion", "ContentDocumentLink"),
)

CONTENT_DOCUMENT_LINK = SObject(
    "ContentDocumentLink",
    "Content Document Link",
    "Content Document Links",
    "06A",
    [
        _id(),
        _reference("LinkedEntityId", "Linked Entity ID", ["Case", "User"], required=True, update=False),
        _reference("ContentDocumentId", "ContentDocument ID", ["ContentDocument"], required=True, update=False),
        _picklist("ShareType", "Share Type", ["V", "C", "I"], "V"),
        _picklist("Visibility", "Visibility", ["AllUsers", "InternalUsers", "SharedUsers"], "AllUsers"),
        _flag("IsDeleted", "Deleted"),
        _fixed("SystemModstamp", "datetime", "System Modstamp"),
    ],
    replicates=False,
    name_field="",
)

ATTACHMENT = SObject(
    "Attachment",
    "Attachment",
    "Attachments",
    "00P",
    [
        _id(),
        _reference("ParentId", "Parent ID", ["Case"], required=True, update=False),
        _text("Name", "File Name", required=True),
        _flag("IsPrivate", "Private", writable=True),
        _text("ContentType", "Content Type", 120),
        _fixed("BodyLength", "int", "Body Length"),
        Field("Body", "base64", "Body", required=True, filterable=False),
        Field("Description", "textarea", "Description", 500),
        _reference("OwnerId", "Owner ID", ["User"]),
        *_system(),
    ],
)

CASE_HISTORY = SObject(
    "CaseHistory",
    "Case History",
    "Case History",
    "017",
    [
        _id(),
        _flag("IsDeleted", "Deleted"),
        _reference("CaseId", "Case ID", ["Case"]),
        _fixed("Field", "picklist", "Changed Field", 255),
        _fixed("OldValue", "string", "Old Value", 255),
        _fixed("NewValue", "string", "New Value", 255),
        _fixed("CreatedDate", "datetime", "Created Date"),
        _author("CreatedById", "Created By ID"),
    ],
    create=False,
    update=False,
    delete=False,
    replicates=False,
    name_field="",
)

CASE_STATUS = SObject(
    "CaseStatus",
    "Case Status Value",
    "Case Status Value",
    "01J",
    [
        _id(),
        _text("MasterLabel", "Master Label"),
        _text("ApiName", "API Name"),
        Field("SortOrder", "int", "Sort Order"),
        _flag("IsDefault", "Is Default"),
        _flag("IsClosed", "Is Closed"),
    ],
    create=False,
    update=False,
    delete=False,
    replicates=False,
    name_field="MasterLabel",
)

USER = SObject(
    "User",
    "User",
    "Users",
    "005",
    [
        _id(),
        _text("Username", "Username", 80),
        _text("Name", "Full Name", 121),
        _text("FirstName", "First Name", 40),
        _text("LastName", "Last Name", 80),
        _text("Alias", "Alias", 8),
        Field("Email", "email", "Email", 128),
        Field("IsActive", "boolean", "Active"),
        _text("UserType", "User Type", 40),
        _text("TimeZoneSidKey", "Time Zone", 40),
        *_system()[1:],
    ],
    create=False,
    update=False,
    delete=False,
)

GROUP = SObject(
    "Group",
    "Group",
    "Group",
    "00G",
    [
        _id(),
        _text("Name", "Name", 40),
        _text("DeveloperName", "Developer Name", 80),
        _text("Type", "Type", 40),
        Field("Email", "email", "Email", 128),
        *_system()[1:],
    ],
    create=False,
    update=False,
    delete=False,
)

NAME = SObject(
    "Name",
    "Name",
    "Names",
    "",
    [
        _id(),
        _text("Name", "Name"),
        _text("Type", "Type", 40),
        _text("Username", "Username", 80),
        Field("Email", "email", "Email", 128),
        Field("IsActive", "boolean", "Active"),
    ],
    create=False,
    update=False,
    delete=False,
    replicates=False,
)
"""What is known of the other end of a reference that may lead to several objects."""

ACCOUNT = SObject(
    "Account",
    "Account",
    "Accounts",
    "001",
    [_id(), _text("Name", "Account Name"), Field("Phone", "phone", "Account Phone", 40), *_system()],
    [Child("Contacts", "Contact", "AccountId"), Child("Cases", "Case", "AccountId")],
    create=False,
    update=False,
    delete=False,
)

CONTACT = SObject(
    "Contact",
    "Contact",
    "Contacts",
    "003",
    [
        _id(),
        _reference("AccountId", "Account ID", ["Account"]),
        _text("Name", "Full Name", 121),
        _text("FirstName", "First Name", 40),
        _text("LastName", "Last Name", 80),
        Field("Email", "email", "Email", 80),
        Field("Phone", "phone", "Business Phone", 40),
        *_system(),
    ],
    [Child("Cases", "Case", "ContactId")],
    create=False,
    update=False,
    delete=False,
)

ORGANIZATION = SObject(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    [
        _id(),
        _text("Name", "Name", 80),
        _text("OrganizationType", "Edition", 40),
        _text("InstanceName", "Instance Name", 5),
        _flag("IsSandbox", "Is Sandbox"),
        _text("TimeZoneSidKey", "Time Zone", 40),
        *_system()[1:],
    ],
    create=False,
    update=False,
    delete=False,
    replicates=False,
)

ALL: Sequence[SObject] = (
    ACCOUNT,
    ATTACHMENT,
    CASE,
    CASE_COMMENT,
    CASE_HISTORY,
    CASE_STATUS,
    CONTACT,
    CONTENT_DOCUMENT,
    CONTENT_DOCUMENT_LINK,
    CONTENT_VERSION,
    FEED_ITEM,
    GROUP,
    ORGANIZATION,
    USER,
)
_BY_NAME: Mapping[str, SObject] = {sobject.name.lower(): sobject for sobject in ALL}
_BY_PREFIX: Mapping[str, SObject] = {sobject.prefix: sobject for sobject in ALL}


def find(name: str) -> SObject | None:
    """The object called `name`, in any case."""
    return _BY_NAME.get(name.lower())


def of_id(record_id: str) -> SObject | None:
    """The object that an id belongs to, by its first three characters."""
    return _BY_PREFIX.get(record_id[:3])


def parent_of(reference: Field) -> SObject:
    """What a reference leads to, for reading its fields: one object, or the common ground of several."""
    if len(reference.references) > 1:
        return NAME
    return _BY_NAME[reference.references[0].lower()]
