"""Jira: issues of one project over the REST API, on Cloud (version 3) and on Server or Data Center (version 2)."""
