"""Asks the REST API of this node over TLS: host, port, path, seconds, Patroni's configuration. Prints the status, then the
body.

The answer comes from this very container, so its certificate says nothing that would have to be verified. Where it asks
for a certificate itself it gets that of patronictl, else its own.
"""

import http.client
import ssl
import sys

import yaml

host, port, path, seconds = sys.argv[1:5]
file = sys.argv[5] if len(sys.argv) > 5 else ""
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
try:
    with open(file) as text:
        sections = yaml.safe_load(text)
    account = next(s for s in (sections.get("ctl"), sections["restapi"]) if s and s.get("certfile"))
    context.load_cert_chain(account["certfile"], account.get("keyfile"), account.get("keyfile_password"))
except (OSError, StopIteration):
    # Whoever asks may not read it; most servers ask for none.
    pass
connection = http.client.HTTPSConnection(host, int(port), timeout=float(seconds), context=context)
connection.request("GET", path)
answer = connection.getresponse()
print(answer.status)
print(answer.read().decode(errors="replace"))
