"""ServiceNow: incidents over the Table, Attachment and Import Set APIs."""
