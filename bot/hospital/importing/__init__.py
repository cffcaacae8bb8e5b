"""The hospital's data folder: CSV files or workbooks in, rows out, all or nothing (contract.md §4)."""
