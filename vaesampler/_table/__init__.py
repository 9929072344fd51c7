"""The user's table, exactly: cells, columns, schema, reading and writing; without PyTorch."""
