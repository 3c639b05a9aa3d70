"""Files for the pages of a continuous integration: JUnit XML and a Markdown summary."""
