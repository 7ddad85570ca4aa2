"""/sobjects and .../describe: what the objects and their fields are, with the picklists."""

from typing import Any

from deskbridge.simulators.salesforce import objects
from deskbridge.simulators.salesforce.call import Call, reply
from deskbridge.simulators.salesforce.org import Org
from deskbridge.simulators.salesforce.schema import TEXT, Choice, Field, SObject
from deskbridge.simulators.wire import Response

MASTER_RECORD_TYPE = "012000000000000AAA"
_SOAP_TYPES = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "datetime": "xsd:dateTime", "double": "xsd:double",
    "int": "xsd:int", "base64": "xsd:base64Binary",
}  # fmt: skip


def list_objects(call: Call) -> Response:
    return reply(
        {
            "encoding": "UTF-8",
            "maxBatchSize": 200,
            "sobjects": [_summary(call.org, sobject) for sobject in objects.ALL],
        }
    )


def basic(call: Call) -> Response:
    return reply({"objectDescribe": _summary(call.org, call.sobject), "recentItems": []})


def describe(call: Call) -> Response:
    """GET /sobjects/{sobject}/describe: the fields as this org has them set up now."""
    sobject = call.sobject
    fields = [_field(call.org, sobject, field) for field in sobject.fields]
    children = [
        {
            "cascadeDelete": child.sobject in sobject.cascades,
            "childSObject": child.sobject,
            "deprecatedAndHidden": False,
            "field": child.field,
            "relationshipName": child.name,
            "restrictedDelete": False,
        }
        for child in sobject.children
    ]
    more = {"fields": fields, "childRelationships": children, "recordTypeInfos": [_record_type(call.org, sobject)]}
    return reply(_summary(call.org, sobject) | more | {"supportedScopes": [], "actionOverrides": []})


def _summary(org: Org, sobject: SObject) -> dict[str, Any]:
    base = f"/services/data/v{org.version}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "keyPrefix": sobject.prefix or None,
        "custom": False,
        "customSetting": False,
        "activateable": False,
        "createable": sobject.create,
        "updateable": sobject.update,
        "deletable": sobject.delete,
        "undeletable": False,
        "mergeable": False,
        "queryable": True,
        "retrieveable": True,
        "replicateable": sobject.replicates,
        "searchable": False,
        "triggerable": sobject.create,
        "feedEnabled": sobject is objects.CASE,
        "deprecatedAndHidden": False,
        "urls": {
            "sobject": base,
            "describe": f"{base}/describe",
            "rowTemplate": f"{base}/{{ID}}",
        },
    }


def _record_type(org: Org, sobject: SObject) -> dict[str, Any]:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER_RECORD_TYPE,
        "urls": {
            "layout": f"/services/data/v{org.version}/sobjects/{sobject.name}/describe/layouts/{MASTER_RECORD_TYPE}"
        },
    }


def _field(org: Org, sobject: SObject, field: Field) -> dict[str, Any]:
    unique = field.unique and org.option("desk_ref", "unique") == "unique"
    is_text = field.type in TEXT or field.type in {"id", "reference"}
    sortable = field.type != "base64" and (field.type != "textarea" or field.filterable)
    return {
        "name": field.name,
        "label": field.title,
        "type": field.type,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length if field.bytes_limited else field.length * 3,
        "precision": field.digits,
        "scale": field.scale,
        "digits": 8 if field.type == "int" else 0,
        "custom": field.custom,
        "createable": field.create and sobject.create,
        "updateable": field.update and sobject.update,
        "nillable": not field.required and field.type not in {"id", "boolean"},
        "defaultedOnCreate": field.type == "boolean" or field.first_choice is not None,
        "defaultValue": field.default,
        "unique": unique,
        "externalId": field.external_id,
        "idLookup": field.external_id or field.type == "id",
        "caseSensitive": False,
        "filterable": field.filterable,
        "sortable": sortable,
        "groupable": is_text and sortable,
        "aggregatable": field.type not in {"base64", "boolean"},
        "calculated": False,
        "autoNumber": field.name == "CaseNumber",
        "nameField": field.name == sobject.name_field,
        "htmlFormatted": False,
        "inlineHelpText": field.help or None,
        "restrictedPicklist": field.restricted,
        "dependentPicklist": False,
        "controllerName": None,
        "picklistValues": [_choice(choice) for choice in field.choices],
        "referenceTo": list(field.references),
        "relationshipName": field.relationship or None,
        "polymorphicForeignKey": len(field.references) > 1,
        "permissionable": field.create or field.update,
        "deprecatedAndHidden": False,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "active": True,
        "defaultValue": choice.default,
        "label": choice.value,
        "validFor": None,
        "value": choice.value,
    }
