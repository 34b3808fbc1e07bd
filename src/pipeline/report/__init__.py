"""What people see of a run: table, Markdown and JSON."""
