"""The user's table: cells, columns and schema, reading and writing; without PyTorch."""
