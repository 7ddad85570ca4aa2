"""Four trackers in one process each: Jira, ServiceNow, Salesforce and Polarion as their own clients see them.

Every product is a pure function of (request, clock, state); `server` puts it behind a real socket, `control` bends it
(faults, lag, clock, webhooks). Nothing here imports the desk.
"""
