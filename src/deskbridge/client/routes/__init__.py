"""Every route of the API. Written by `make docs` from the API's routes; change those instead."""

from deskbridge.client.calls import Calls
from deskbridge.client.routes.attachments import AttachmentsRoutes
from deskbridge.client.routes.categories import CategoriesRoutes
from deskbridge.client.routes.companions import CompanionsRoutes
from deskbridge.client.routes.conversation import ConversationRoutes
from deskbridge.client.routes.directory import DirectoryRoutes
from deskbridge.client.routes.health import HealthRoutes
from deskbridge.client.routes.hooks import HooksRoutes
from deskbridge.client.routes.notify import NotifyRoutes
from deskbridge.client.routes.people import PeopleRoutes
from deskbridge.client.routes.portal import PortalRoutes
from deskbridge.client.routes.reports import ReportsRoutes
from deskbridge.client.routes.search import SearchRoutes
from deskbridge.client.routes.sla import SlaRoutes
from deskbridge.client.routes.sync import SyncRoutes
from deskbridge.client.routes.tickets import TicketsRoutes


class Routes:
    """Every route of the API, by the door it belongs to."""

    def __init__(self, calls: Calls) -> None:
        self.attachments = AttachmentsRoutes(calls)
        self.categories = CategoriesRoutes(calls)
        self.companions = CompanionsRoutes(calls)
        self.conversation = ConversationRoutes(calls)
        self.directory = DirectoryRoutes(calls)
        self.health = HealthRoutes(calls)
        self.hooks = HooksRoutes(calls)
        self.notify = NotifyRoutes(calls)
        self.people = PeopleRoutes(calls)
        self.portal = PortalRoutes(calls)
        self.reports = ReportsRoutes(calls)
        self.search = SearchRoutes(calls)
        self.sla = SlaRoutes(calls)
        self.sync = SyncRoutes(calls)
        self.tickets = TicketsRoutes(calls)
