"""Has node n1 renew the lock of a cluster, with Patroni's own classes and an etcd that is one key.

Needs the folder with etcd3_lock.py, whom the key names (or nothing), whether the lease of n1 is live or gone, and 'expired'
if its token is. Prints what n1 was told, whom the key names then, and what etcd was asked.
"""

import logging
import sys
import threading

home, holder, lease, token = (*sys.argv[1:], "")[:4]
sys.path.insert(0, home)
import etcd3_lock
from patroni.dcs import Leader, Member, etcd3
from patroni.utils import Retry

logging.disable(logging.CRITICAL)
asked = []


class Client(etcd3.Etcd3Client):
    """Patroni's client, with the one key behind it."""

    def __init__(self):
        self.holder, self.expired = holder, token == "expired"
        self.username, self.password, self._token, self._cluster_version = "user", "password", "token", (3, 5)

    def authenticate(self):
        asked.append("login")
        self.expired = False

    def lease_keepalive(self, ID, retry=None):
        return "10" if lease == "live" else None

    def lease_grant(self, ttl, retry=None):
        return "second"

    def call_rpc(self, method, fields, retry=None):
        compare, write = fields["compare"][0], fields["success"][0]["request_put"]
        asked.append(compare["target"])
        if self.expired:
            raise etcd3.InvalidAuthToken()
        expected = etcd3.base64_decode(compare["value"]) if compare["target"] == "VALUE" else ""
        if expected != self.holder:
            return {}
        self.holder = etcd3.base64_decode(write["value"])
        return {"succeeded": write["lease"] == "second"}


class Known:
    """The cluster as n1 saw it last."""

    leader = Leader(1, "first" if lease == "live" else "none", Member(1, "n1", "first", {}))


etcd3_lock.repair()
if etcd3.Etcd3._update_leader is not etcd3_lock.update_leader:
    print("compares by itself")
    sys.exit()
store = etcd3.Etcd3.__new__(etcd3.Etcd3)
store._client, store._lease, store._ttl, store._loop_wait, store._last_lease_refresh = Client(), "first", 10, 2, 0
store._name, store._base_path, store._citus_group, store._ctl, store._has_failed = "n1", "/service/main", None, False, False
store._retry = Retry(deadline=4, max_tries=-1, retry_exceptions=())
store._cluster, store._cluster_valid_till, store._cluster_thread_lock = Known(), float("inf"), threading.Lock()
told = store._update_leader()
print(told, store._client.holder or "nobody", *asked)
