"""The first bad release of a target, as published and with pinned packages."""
