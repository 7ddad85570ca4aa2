"""Service levels: how long a first response and a resolution may take, in whose working hours, and how it went."""
