"""What every test seals with."""

SECRET = "a-secret-of-the-tests"
