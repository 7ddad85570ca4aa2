"""Who works here: the integration user, agents, callers and groups of a fresh instance."""

from deskbridge.simulators.product import USER
from deskbridge.simulators.servicenow.metadata import stable_id
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.store import State

_INSTALLED = "2025-01-01 00:00:00"
GROUPS = {
    "Service Desk": "First contact for every request",
    "Network": "Networks, VPN and wireless",
    "Software": "Applications and operating systems",
    "Hardware": "Devices and peripherals",
    "Database": "Database administration",
}
USERS = (
    (USER, "Desk", "Integration", "Integration account"),
    ("amira.haddad", "Amira", "Haddad", "Service desk agent"),
    ("jonas.weber", "Jonas", "Weber", "Network engineer"),
    ("lucia.ortega", "Lucía", "Ortega", "Application specialist"),
    ("kenji.mori", "Kenji", "Mori", "Database administrator"),
    ("grace.okafor", "Grace", "Okafor", "Accountant"),
    ("piotr.nowak", "Piotr", "Nowak", "Warehouse manager"),
)
_MEMBERS = {
    "amira.haddad": "Service Desk",
    "jonas.weber": "Network",
    "lucia.ortega": "Software",
    "kenji.mori": "Database",
}


def fill(state: State) -> None:
    """Users, groups and memberships; an instance fresh from the box has no incidents."""
    for user_name, first, last, title in USERS:
        email = user_name if "@" in user_name else f"{user_name}@example.org"
        names = {"first_name": first, "last_name": last, "name": f"{first} {last}"}
        _put(state, "sys_user", user_name, {"user_name": user_name, "email": email, "title": title, **names})
    for name, description in GROUPS.items():
        _put(state, "sys_user_group", name, {"name": name, "description": description})
    for user_name, group in _MEMBERS.items():
        pair = {"user": stable_id("sys_user", user_name), "group": stable_id("sys_user_group", group)}
        _put(state, "sys_user_grmember", f"{user_name} {group}", pair)


def _put(state: State, table: str, key: str, values: dict[str, str]) -> None:
    blank = {column.name: column.default for column in TABLES[table].columns}
    system = {"sys_created_on": _INSTALLED, "sys_updated_on": _INSTALLED, "sys_created_by": "system"}
    sys_id = stable_id(table, key)
    state.table(table).put(sys_id, {**blank, **system, "sys_id": sys_id, "sys_updated_by": "system", **values})
