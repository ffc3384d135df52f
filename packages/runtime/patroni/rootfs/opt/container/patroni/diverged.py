"""Has a replica compared with its leader again, where it stands still on another timeline.

Patroni compares before it starts a replica, by what pg_control says of its position. A replica that was killed is further
than that: it wrote WAL that it received, and replays it after the start. Where this goes beyond the point at which a new
leader's timeline began, the server can neither follow nor go back, and Patroni does not look again: it runs, says that
it follows, and stays behind for good.
"""

import logging

# First: Patroni 4's parts need one another, and load in this order only.
import patroni.postgresql
from patroni.ha import Ha
from patroni.postgresql.rewind import REWIND_STATUS

logger = logging.getLogger(__name__)

DECIDED = (REWIND_STATUS.INITIAL, REWIND_STATUS.NOT_NEED)
handle = Ha._handle_rewind_or_reinitialize


def position_apart(ha):
    """Gives where a running replica stands that is not on the timeline which its leader says it is on; else None.

    Not in pause, in which somebody may want to look at what is only there, and not in a standby cluster.
    """
    server, leader = ha.state_handler, ha.cluster.leader
    theirs = leader and leader.data.get("timeline")
    if not theirs or leader.name == server.name or ha.is_paused() or ha.is_standby_cluster() or not server.is_running():
        return None
    own, replayed = server.replica_cached_timeline(theirs), server.replayed_location()
    return None if not own or not replayed or own == theirs else (theirs, own, replayed)


class Apart:
    """What was seen of this node in the runs of Patroni's loop before."""

    def __init__(self):
        self.position, self.times = None, 0

    def stands(self, position):
        """Gives once per position whether it is the second time that it is seen: one that gets on, from an archive too, is not."""
        self.times = self.times + 1 if position == self.position else 1
        self.position = position
        return position is not None and self.times == 2


apart = Apart()


def handle_again(self):
    """Does what Patroni's own function does, and does not keep an earlier answer for a replica that stands apart."""
    try:
        if apart.stands(position_apart(self)) and self._rewind._state in DECIDED:
            self._rewind.trigger_check_diverged_lsn()
    except Exception:
        logger.exception("Whether this node stands apart from its leader could not be found out")
    return handle(self)


def repair():
    """Replaces Patroni's own question whether a rewind is needed."""
    Ha._handle_rewind_or_reinitialize = handle_again
