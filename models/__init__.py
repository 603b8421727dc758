"""WHAT WE REMEMBER: peewee tables, the queries on them, migrations."""
