"""Has a replica compared with its leader again, where it stands still on another timeline and receives nothing.

Patroni compares before it starts a replica, by what pg_control says of its position. A replica that was killed is further
than that: it wrote WAL that it received, and replays it after the start. Where this goes beyond the point at which a new
leader's timeline began, the server can neither follow nor go back, and Patroni does not look again: it runs, says that
it follows, and stays behind for good.
"""

import logging

from patroni.postgresql.rewind import REWIND_STATUS, Rewind

logger = logging.getLogger(__name__)

DECIDED = (REWIND_STATUS.INITIAL, REWIND_STATUS.NOT_NEED)
POSITION = "SELECT status = 'streaming', pg_catalog.pg_last_wal_replay_lsn()::text FROM pg_catalog.pg_stat_get_wal_receiver()"
compare = Rewind.rewind_or_reinitialize_needed_and_possible


def position_apart(postgresql, leader):
    """Gives where a replica stands that does not stream, and is not on the timeline that its leader says it is on; else None."""
    if postgresql.name == leader.name or not postgresql.is_running() or postgresql.is_primary():
        return None
    ((streams, replayed),) = postgresql.query(POSITION, retry=False)
    if streams:
        return None
    theirs, own = leader.data.get("timeline"), postgresql.get_replica_timeline()
    return None if None in (theirs, own) or theirs == own else (theirs, own, replayed)


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


def compare_again(self, leader):
    """Does what Patroni's own function does, and does not keep an earlier answer for a replica that stands apart."""
    try:
        if leader and self._state in DECIDED and apart.stands(position_apart(self._postgresql, leader)):
            self.trigger_check_diverged_lsn()
    except Exception as error:
        # A server that takes no questions yet; Patroni says so itself.
        logger.debug("whether it stands apart from its leader could not be asked: %s", error)
    return compare(self, leader)


def repair():
    """Replaces Patroni's own question whether a rewind is needed."""
    Rewind.rewind_or_reinitialize_needed_and_possible = compare_again
