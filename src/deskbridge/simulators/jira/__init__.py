"""Jira: Cloud by default, Server or Data Center by an option; project DESK."""

from deskbridge.simulators.jira.api import Jira

PRODUCT = Jira()
