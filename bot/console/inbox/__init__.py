"""What nurses work in: the list of conversations, one conversation, and what is done with it."""
