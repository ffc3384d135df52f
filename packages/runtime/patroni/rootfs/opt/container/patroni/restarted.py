"""Has Patroni see that its server runs, where it noted that a start of it failed.

A leader of Patroni 3 that loses the store steps down in a thread, and a second time in its loop where the first takes longer than
that. Both then start the server. One of them fails, because the server is there already, and where it is the last to say so, Patroni
keeps its word for good: the node leads or follows, but is no candidate, takes no reads, and has no synchronous standby. Patroni 4 steps
down once; where else a start or restart is noted as failed and the server runs, neither looks again, except in pause.
"""

import logging

# First: Patroni 4's parts need one another, and load in this order only.
import patroni.postgresql
from patroni.ha import Ha

logger = logging.getLogger(__name__)

FAILED = ("start failed", "restart failed")
handle = Ha.handle_starting_instance


def handle_running(self):
    """Does what Patroni's own function does, and has a server that runs taken for one that starts, which it looks at by itself.

    It is called where no other thread of Patroni has to do with the server.
    """
    server = self.state_handler
    if server.state.startswith(FAILED) and server.is_running():
        logger.warning("The server runs though its state is '%s', looking at it again", server.state)
        server.set_state("starting")
    return handle(self)


def repair():
    """Replaces Patroni's own function."""
    Ha.handle_starting_instance = handle_running
