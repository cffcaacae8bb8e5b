"""Tables, queries named by the question they answer, migrations: SQLite and PostgreSQL alike."""
