"""One patient at a glance, and what the machine will send next."""
