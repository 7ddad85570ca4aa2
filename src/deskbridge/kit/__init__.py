"""The ground every slice stands on; nothing here knows a word of the domain."""
