"""GitHub: the issues of one repository over the REST API."""
