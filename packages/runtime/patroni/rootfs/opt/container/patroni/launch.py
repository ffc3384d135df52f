"""Runs Patroni, with passwords of any letters, without its saying the same every other second, and with a lock that may expire sooner.

Replicas that are left behind are compared with their leader again (diverged.py), a server that runs is not taken for one whose start
failed (restarted.py), and old releases are kept from taking back a lock that is another's (etcd3_lock.py).

Patroni 3.1 and later raise a ttl below 20 seconds to 20, so a killed leader would be followed after 20 to 24 seconds. What makes a ttl
safe is that a leader steps down before its lock expires (loop_wait + 2 * retry_timeout <= ttl), and that rule stays
in force: only the smallest value that is accepted changes. A release without that function is run as it is.
"""

import logging
import sys

import diverged
import patroni.postgresql.bootstrap
import restarted
from patroni import config
from patroni.__main__ import main
from patroni.exceptions import PatroniFatalException
from patroni.version import __version__

SMALLEST_TTL = 5
NAME = "_Config__get_and_maybe_adjust_int_value"
adjust = getattr(config.Config, NAME, None)


def adjust_less(self, settings, name, smallest):
    """Does what Patroni's own function does, with another smallest ttl."""
    return adjust(self, settings, name, SMALLEST_TTL if name == "ttl" else smallest)


def quote(value, connection=None):
    """Gives a text as an SQL literal that may stand between dollar signs, as Patroni puts it, in any letters."""
    text = str(value).replace("\\", "\\\\").replace("'", "''").replace("$", "\\x24")
    return f"E'{text}'"


class Repeats(logging.Filter):
    """Lets a heartbeat that says the same as the one before pass unsaid, as Patroni 4.1 can by an option."""

    last = None

    def filter(self, record):
        text = record.getMessage()
        repeats = text == self.last and text.startswith("no action")
        self.last = text
        return not repeats


# Its own quoting is for Latin letters, and a password with $$ would end the statement that it stands in.
patroni.postgresql.bootstrap.quote_literal = quote
logging.getLogger("patroni.__main__").addFilter(Repeats())
diverged.repair()
restarted.repair()
if adjust:
    setattr(config.Config, NAME, adjust_less)
# Not asked of later ones: to load the client of etcd takes time, where the store is another for nothing.
if int(__version__.partition(".")[0]) < 4:
    import etcd3_lock

    etcd3_lock.repair()


def run():
    """Runs Patroni with the program's arguments, to its end."""
    try:
        main()
    except PatroniFatalException as error:
        sys.exit(f"Patroni ends: {error}; what it met stands above")


if __name__ == "__main__":
    run()
