"""Messages to many: written by one person, approved by another, sent to an audience as it stood at the start."""
