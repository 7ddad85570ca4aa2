"""GitHub: the issues of one repository over REST, with comments, milestones, files in a branch, search and webhooks."""

from deskbridge.simulators.github.api import GitHub

PRODUCT = GitHub()
