"""Numbers to people: sentences, tables, JSON, figures, the page."""
