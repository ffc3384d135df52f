"""Makes Patroni's configuration as data: what the container gives, over it the user's, over both Patroni's variables.

Needs triples of path, type and value; a path's parts have slashes between them. Run as a program it reads them from stdin,
each ended by a zero byte.
Writes the result to the file named first, for its owner alone, and to the file named second the passwords of the roles,
each as name, password, ended by zero bytes. Says on stdout what is wrong, a line each: a level, a tab, a text; its status is
2 then. Else it says where REST API and server are to be found.
"""

import hashlib
import hmac
import json
import os
import sys

import yaml
from patroni import validator
from patroni.config import Config

STORES = ("etcd3", "etcd", "consul", "zookeeper", "exhibitor", "kubernetes", "raft")
OWN = ("postgresql/data_dir", "postgresql/bin_dir", "postgresql/config_dir", "postgresql/custom_conf")
INSTEAD = (
    ("postgresql/pg_hba", "POSTGRES_HBA"),
    ("postgresql/authentication/replication/username", "PATRONI_REPLICATION_USERNAME"),
    ("postgresql/authentication/superuser/username", "POSTGRES_USER"),
)
faults = []


def merge(below, above):
    """Puts one tree over another and gives it."""
    for key, value in above.items():
        if isinstance(below.get(key), dict) and isinstance(value, dict):
            merge(below[key], value)
        else:
            below[key] = value
    return below


def find(tree, path):
    """Gives what lies at a path, or None."""
    for part in path.split("/"):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def put(tree, path, value):
    """Puts a value at a path."""
    *parts, last = path.split("/")
    for part in parts:
        tree = tree.setdefault(part, {})
    tree[last] = value


def read_given(fields):
    """Gives the tree of what the container says."""
    kinds = {"text": str, "number": int, "flag": lambda value: value == "true"}
    tree = {}
    for path, kind, value in zip(fields[::3], fields[1::3], fields[2::3]):
        put(tree, path, kinds[kind](value))
    return tree


def check_shape(given, users, path):
    """Takes out of the user's tree what is no mapping where there is one; each is a fault."""
    for key in list(users):
        below, place = given.get(key), f"{path}{key}"
        # Options of pg_basebackup may be a list too.
        if not isinstance(below, dict) or place == "postgresql.basebackup":
            continue
        if isinstance(users[key], dict):
            check_shape(below, users[key], f"{place}.")
        else:
            faults.append(f"PATRONI_CONFIGURATION: expected names with values in {place}, found something else; correct it")
            del users[key]


def read_users(given):
    """Gives the tree in PATRONI_CONFIGURATION; what cannot be in it is a fault."""
    text = os.environ.pop("PATRONI_CONFIGURATION", "")
    try:
        users = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        # Its own words may hold what stands there, which may be a secret.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        faults.append(f"PATRONI_CONFIGURATION: expected YAML, found something else{where}; correct it")
        return {}
    if not isinstance(users, dict):
        faults.append("PATRONI_CONFIGURATION: expected names with values, found something else; see Patroni's documentation")
        return {}
    check_shape(given, users, "")
    for path in OWN:
        wanted = find(given, path)
        if find(users, path) not in (None, wanted):
            name = "PGDATA" if path.endswith("data_dir") else "this image"
            faults.append(f"PATRONI_CONFIGURATION: expected no {path.replace('/', '.')}, which {name} sets; leave it out")
            put(users, path, wanted)
    for path, instead in INSTEAD:
        if find(users, path) is not None:
            faults.append(f"PATRONI_CONFIGURATION: expected no {path.replace('/', '.')}, found one; set {instead} instead")
    return users


def place(tree):
    """Puts the addresses at which others reach this node, with the ports that it listens at."""
    address = tree.pop("address", None)
    for section in ("restapi", "postgresql"):
        if not isinstance(tree.get(section), dict) or "listen" not in tree[section]:
            continue
        listen = str(tree[section]["listen"])
        port = listen.rpartition(":")[2]
        if ":" not in listen or not port.isdigit():
            faults.append(f"{section}.listen: expected an address with a port, such as *:8008, found '{listen}'; correct it")
        if address:
            tree[section].setdefault("connect_address", f"{address}:{port}")


def names_store(store, section):
    """Whether a section says where its store is; that of Kubernetes needs to say nothing."""
    places = ("host", "hosts", "srv", "srv_suffix", "url", "proxy", "self_addr")
    return isinstance(section, dict) and (store == "kubernetes" or any(section.get(place) for place in places))


def derive(secret, scope, purpose):
    """Gives a password that every node of a cluster works out alike, and that does not lead back to the secret."""
    return hmac.new(secret.encode(), f"strata {scope} {purpose}".encode(), hashlib.sha256).hexdigest()


def fill_secrets(tree, secret):
    """Puts derived passwords where none is given; one account asks for none if a certificate of its own is there."""
    scope = str(tree.get("scope"))
    for path, purpose in (
        ("postgresql/authentication/replication", "replication"),
        ("postgresql/authentication/rewind", "rewind"),
        ("restapi/authentication", "rest"),
    ):
        account = find(tree, path)
        if account is not None and not account.get("password") and not account.get("sslcert"):
            account["password"] = derive(secret, scope, purpose)


def check(tree):
    """Adds as faults what Patroni's own validator says; whether stores can be reached is another question."""
    if hasattr(validator, "populate_validate_params"):
        validator.populate_validate_params(ignore_listen_port=True)
    judged = json.loads(json.dumps(tree))
    settings = find(judged, "bootstrap/dcs") or {}
    # It knows neither the smaller ttl (see launch.py) nor the mode quorum, and of old releases no other section.
    if isinstance(settings.get("ttl"), int):
        settings["ttl"] = max(settings["ttl"], 20)
    if settings.get("synchronous_mode") == "quorum":
        settings["synchronous_mode"] = True
    judged["bootstrap"].setdefault("pg_hba", ["local all all trust"])
    judged["bootstrap"].setdefault("initdb", ["data-checksums"])
    for result in validator.schema.validate(judged):
        path, error = str(result.path), str(result.error)
        if result.status or path.split(".")[0] in STORES and ("reachable" in error or "Errno" in error):
            continue
        if path.startswith("postgresql.data_dir") or "already in use" in error:
            continue
        faults.append(f"Patroni's configuration: {path}: {error}; correct the variable or PATRONI_CONFIGURATION")


def split_listen(listen):
    """Gives of addresses to listen at, which share a port, the first one and the port."""
    hosts, _, port = str(listen).rpartition(":")
    return hosts.split(",")[0], port


def say_places(tree):
    """Says where REST API and server are to be found."""
    api = tree["restapi"]
    host, port = split_listen(api["listen"])
    host = "127.0.0.1" if host in ("", "*", "0.0.0.0", "[::]", "::") else host.strip("[]")
    print(f"api\t{port}\t{host}\t{'https' if api.get('certfile') else 'http'}")
    host, port = split_listen(tree["postgresql"]["listen"])
    print(f"server\t{port}\t{host.strip('[]')}")


def main(fields, target, roles):
    """Makes the configuration; gives the status."""
    secret = os.environ.get("PATRONI_SUPERUSER_PASSWORD") or os.environ.get("POSTGRES_PASSWORD", "")
    given = read_given(fields)
    tree = merge(given, read_users(given))
    # Patroni's own reading of its variables, so that they mean here what they mean to it.
    merge(tree, json.loads(json.dumps(Config._build_environment_configuration())))
    place(tree)
    # What YAML takes for a date is a text to Patroni, which hands settings on as JSON.
    tree = json.loads(json.dumps(tree, default=str))
    if any(names_store(store, tree.get(store)) for store in STORES):
        fill_secrets(tree, secret)
        check(tree)
    else:
        faults.append(
            "PATRONI_ENABLE: expected a store that the nodes agree in, found none; set PATRONI_ETCD3_HOSTS=host:2379,…, or"
            " the variables of Kubernetes, Consul or ZooKeeper"
        )
    for fault in faults:
        print(f"error\t{' '.join(fault.split())}")
    if faults:
        return 2
    os.umask(0o077)
    for old in (target, roles):
        # The mode of an older file would stay.
        if os.path.exists(old):
            os.remove(old)
    with open(target, "w") as file:
        yaml.safe_dump(tree, file, default_flow_style=False)
    with open(roles, "w") as file:
        for role in ("superuser", "replication", "rewind"):
            account = find(tree, f"postgresql/authentication/{role}") or {}
            file.write(f"{account.get('username', '')}\0{account.get('password', '')}\0")
    say_places(tree)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read().split("\0")[:-1], *sys.argv[1:3]))
