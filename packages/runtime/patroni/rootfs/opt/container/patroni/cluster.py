"""Looks at the cluster in the store before this node joins it, and refuses what could only go wrong.

Needs the configuration, the system identifier of the data that are here (or nothing), the server's major version, and the
names of the settings that somebody chose for this node.
Waits for the store as long as it takes. Says what happens on stdout, a line each: a level, a tab, a text. Its status is 2 if
the node must not join; nothing was changed then.
"""

import json
import logging
import socket
import sys
import threading
import time
import urllib.parse

import urllib3
from patroni.config import Config
from patroni.dcs import get_dcs
from patroni.request import PatroniRequest

PORTS = {"etcd3": 2379, "etcd": 2379, "consul": 8500, "zookeeper": 2181}
AGAIN = 30  # seconds after which a reason to wait is said again
ABSENT = {"synchronous_mode_strict": False}  # what Patroni takes a setting for that the cluster does not have


class Refused(Exception):
    """The node must not join."""


def say(level, text):
    print(f"{level}\t{' '.join(str(text).split())}", flush=True)


def addresses(store, section):
    """Gives host and port of every server that the section names; none where it names a service to look up."""
    for key in ("url", "proxy"):
        if section.get(key):
            url = urllib.parse.urlsplit(str(section[key]))
            try:
                return [(url.hostname, url.port or PORTS[store])]
            except ValueError as error:
                raise Refused(f"{store}.{key}: expected an address, found '{section[key]}' ({error}); correct it") from None
    hosts = section.get("hosts") or section.get("host") or []
    if isinstance(hosts, str):
        hosts = [host.strip(" '\"") for host in hosts.split(",")]
    found = []
    for host in hosts:
        name, _, port = str(host).rpartition(":")
        found.append((name.strip("[]"), int(port)) if name and port.isdigit() else (str(host), PORTS[store]))
    return found


def unreachable(store, section):
    """Gives why no server of the store can be reached, or None."""
    reasons = []
    targets = addresses(store, section) if store in PORTS else []
    for host, port in targets:
        try:
            socket.create_connection((host, port), timeout=2).close()
            return None
        except OSError as error:
            reasons.append(f"{host}:{port} ({error.strerror or error})")
    return f"no server of {store} can be reached: {', '.join(reasons)}" if reasons else None


def check_login(section):
    """Refuses credentials that etcd refuses; its own words tell more than Patroni's, which waits for a better day."""
    options = {"timeout": 3, "retries": False}
    secure = section.get("protocol") == "https" or str(section.get("url", "")).startswith("https")
    if secure:
        options.update({"ca_certs": section.get("cacert"), "cert_file": section.get("cert"), "key_file": section.get("key")})
    pool = urllib3.PoolManager(**options)
    targets = addresses("etcd3", section)
    if not targets:
        return
    body = {"name": section.get("username", ""), "password": section.get("password", "")}
    call = "auth/authenticate" if body["name"] else "kv/range"
    question = json.dumps(body if body["name"] else {"key": "AA=="})
    for host, port in targets:
        host = f"[{host}]" if ":" in host else host
        try:
            answer = pool.request("POST", f"{'https' if secure else 'http'}://{host}:{port}/v3/{call}", body=question)
        except urllib3.exceptions.HTTPError:
            continue
        text = answer.data.decode(errors="replace")
        if "authentication failed" in text or "user name is empty" in text or "user name not found" in text:
            raise Refused(
                "PATRONI_ETCD3_USERNAME and PATRONI_ETCD3_PASSWORD: expected an account that etcd knows, found"
                f" {'one that it refuses' if body['name'] else 'none, and etcd asks for one'}; correct them"
            )
        return


def ask(config, member):
    """Gives what a member's REST API says of it, or None if it does not answer."""
    try:
        answer = PatroniRequest(config, True)(member, "GET", "patroni", timeout=2, retries=False)
        return json.loads(answer.data.decode())
    except Exception:
        return None


def load(config):
    """Gives the store and the cluster; raises where that takes too long (Patroni's own client waits for good)."""
    result = {}

    def work():
        try:
            result["dcs"] = get_dcs(config)
            result["cluster"] = result["dcs"].get_cluster()
        except BaseException as error:
            result["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    if "error" in result:
        raise result["error"]
    if "cluster" not in result:
        raise TimeoutError("it takes connections but does not answer; it may have no leader")
    return result["dcs"], result["cluster"]


def wait(store, section, config):
    """Gives the store and the cluster as soon as it answers; says what it waits for."""
    said, since = None, 0.0
    while True:
        reason = unreachable(store, section)
        if reason is None:
            try:
                if store == "etcd3":
                    check_login(section)
                return load(config)
            except Refused:
                raise
            except Exception as error:
                reason = f"{store} does not tell of the cluster: {error or type(error).__name__}"
        if reason != said or time.monotonic() - since > AGAIN:
            say("wait", f"waits for the store: {reason}")
            said, since = reason, time.monotonic()
        time.sleep(1)


def check_name(config, cluster):
    """Refuses a name that a node which answers has."""
    member = cluster.get_member(config["name"], False)
    if not member or getattr(member, "name", None) != config["name"]:
        return
    said = (ask(config, member) or {}).get("patroni")
    # Another node may have got the address of an earlier life of this one; before Patroni 4 it does not say its name.
    if said and said.get("scope") == config["scope"] and said.get("name", config["name"]) == config["name"]:
        raise Refused(
            f"PATRONI_NAME: expected a name of its own for this node, found '{config['name']}', by which a node at"
            f" {member.data.get('api_url')} runs; give each node another name (or host name)"
        )


def check_identity(config, cluster, identity):
    """Refuses data of another cluster."""
    if identity and cluster.initialize and cluster.initialize != identity:
        raise Refused(
            f"PATRONI_SCOPE: expected the data of cluster '{config['scope']}' (system identifier {cluster.initialize}), found"
            f" those of another ({identity}) in PGDATA; set the scope that they belong to, or empty PGDATA to copy this"
            " cluster; nothing was changed"
        )


def check_version(config, cluster, major):
    """Refuses to copy from a server of another major version, which this one could not serve."""
    leader = cluster.leader and cluster.leader.member
    answer = ask(config, leader) if leader and leader.data.get("api_url") else None
    version = (answer or {}).get("server_version")
    if version and version // 10000 != major:
        raise Refused(
            f"the cluster '{config['scope']}' runs PostgreSQL {version // 10000}, expected {major}, which this image has; run an"
            f" image of version {version // 10000}; nothing was changed"
        )


def is_stale(config, cluster):
    """Whether somebody began to make the cluster and nobody is at it: the others wait, and say that they are stopped."""
    others = [member for member in cluster.members if member.name != config["name"]]
    busy = any(member.data.get("state") not in (None, "", "stopped") for member in others)
    return cluster.initialize == "" and cluster.is_unlocked() and not busy


def drop_stale_initialisation(config, dcs, cluster):
    """Lets a cluster begin anew whose first node ended before it had made it: all others would wait for it for good.

    Looks twice, with the time between in which every node that is at it has said so, or a dead one's word has expired.
    """
    if not is_stale(config, cluster):
        return
    patience = 2 * int((config.get("bootstrap") or {}).get("dcs", {}).get("ttl", 30))
    say("wait", f"waits {patience} s to see whether the first start of the cluster '{config['scope']}' is still under way")
    time.sleep(patience)
    if is_stale(config, dcs.get_cluster()):
        dcs.cancel_initialization()
        say("warn", f"the first start of the cluster '{config['scope']}' was broken off and nobody is at it: it begins anew")


def differences(wanted, found, path=""):
    """Gives the settings whose values in the store are others than the ones wanted."""
    for key, value in wanted.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            yield from differences(value, found.get(key) or {}, f"{name}.")
            continue
        there = found.get(key, ABSENT.get(name, value))
        if str(there).lower() != str(value).lower():
            yield name, value, there


def tell_differences(config, cluster, chosen):
    """Says where the cluster's own settings, which win, are not those that somebody chose for this node."""
    if not cluster.config or not cluster.config.data:
        return
    wanted = (config.get("bootstrap") or {}).get("dcs") or {}
    for name, here, there in differences(wanted, cluster.config.data):
        if name not in chosen:
            continue
        say(
            "warn",
            f"{name}: the cluster's own setting is {there} and wins over this node's {here}; to change it:"
            f" patronictl edit-config --set {name}={here}",
        )


def main(file, identity, major, *chosen):
    """Looks at the cluster; gives the status."""
    # Their complaints about a store that is away are said here in one line.
    logging.disable(logging.CRITICAL)
    config = Config(file, validator=None).copy()
    config["patronictl"] = True
    store = next(name for name in (*PORTS, "exhibitor", "kubernetes", "raft", "?") if name == "?" or config.get(name))
    try:
        if store == "raft":
            # Its nodes are its servers: it can be asked only once they run.
            return 0
        dcs, cluster = wait(store, config.get(store) or {}, config)
        drop_stale_initialisation(config, dcs, cluster)
        check_name(config, cluster)
        check_identity(config, cluster, identity)
        check_version(config, cluster, int(major))
        tell_differences(config, cluster, chosen)
    except Refused as error:
        say("error", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
