"""What a message wants: rules first, a small learnt classifier for what no rule knows."""
