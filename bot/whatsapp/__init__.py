"""Everything Meta: its payloads, limits, signatures and errors."""
