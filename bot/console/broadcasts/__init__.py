"""Messages to many: written, approved, sent, measured."""
