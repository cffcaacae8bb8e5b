"""Plans, whom they wait for, and the texts they use."""
