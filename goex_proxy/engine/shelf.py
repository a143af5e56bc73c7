"""The book in force, and its replacement: a reload that fails leaves the last good one."""

from collections.abc import Callable

from goex_proxy.core.book import Book


class Shelf:
    """Holds one book; `reload` makes a new one of the files."""

    def __init__(self, read: Callable[[], Book]) -> None:
        """Reads it at once. Raises ValueError (`FileError`) if a file is bad."""
        self._read = read
        self.book = read()
        self.trouble = ""
        """Why the last reload was not taken; '' if it was."""

    def reload(self) -> bool:
        """Take the files as they are now; whether that could be done."""
        try:
            self.book = self._read()
        except (ValueError, OSError) as error:
            self.trouble = str(error)
            return False
        self.trouble = ""
        return True
