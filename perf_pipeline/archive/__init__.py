"""Results as an archive: ``make export-results`` and ``make import-results ARCHIVE=FILE``.

An archive is a ``.tar.gz`` of ``results/``, logs of the runs included. Its first member,
``manifest.json``, has the size and SHA-256 of every file. An archive may come from anybody: it is
checked as a whole before any of it is put into place, and existing files are never overwritten.
"""
