"""Full-text search over tickets and their conversations, the same on every database."""
