"""Reports: read-only figures about tickets, each within what the reader may see."""
