"""Lets a leader renew its lock in etcd only as long as the lock is its own, where Patroni itself does not look.

Patroni 3.0 writes the key of the lock without comparing when its lease has expired. A leader that stood still for longer than
the ttl so takes the lock back from its successor, and what that one has acknowledged meanwhile is lost. Patroni 4 compares.
"""

import inspect
import time

from patroni.dcs import AbstractDCS, Leader, catch_return_false_exception, etcd3


@catch_return_false_exception
def update_leader(self):
    """Renews the lock where it names this node, or takes it where it is free; gives whether this node has it."""
    patience = self._retry.copy()

    def retry(*args, **kwargs):
        return patience(*args, **kwargs, retry=patience)

    self._run_and_handle_exceptions(self._do_refresh_lease, True, retry=retry)
    if not self._lease:
        return False
    leader = self.cluster and self.cluster.leader
    if isinstance(leader, Leader) and leader.session == self._lease:
        return True
    key, name = etcd3.base64_encode(self.leader_path), etcd3.base64_encode(self._name)
    for compare in ({"target": "VALUE", "value": name}, {"target": "CREATE", "create_revision": "0"}):
        patience.deadline = patience.stoptime - time.time()
        if patience.deadline < 1:
            raise etcd3.Etcd3Error("update_leader timeout")
        write = {"request_put": {"key": key, "value": name, "lease": self._lease}}
        if self._run_and_handle_exceptions(self._client.txn, {"key": key, **compare}, write, retry=retry):
            return True
    return False


def repair():
    """Replaces Patroni's own way of renewing the lock where it is one that does not compare: it is not told whose the lock was."""
    if "leader" in inspect.signature(AbstractDCS._update_leader).parameters:
        return
    etcd3.Etcd3._update_leader = update_leader
    # Its transactions are not sent again with a new token when the old one has expired; its other requests are.
    client = etcd3.Etcd3Client
    client.txn = client._handle_auth_errors(client.txn)
