"""Salesforce: cases, over its REST API."""
