# Stands in for Patroni's REST API: answers 200 for the role that /stand-in/role names, as Patroni does, else 503.
# Arguments: a port, and perhaps a file with certificate and key.
import http.server
import ssl
import sys
from urllib.parse import parse_qs, urlsplit


class Rest(http.server.BaseHTTPRequestHandler):
    def answer(self):
        url = urlsplit(self.path)
        role, lag = (open("/stand-in/role").read().split() + ["0"])[:2]
        allowed = parse_qs(url.query).get("lag", ["1000MB"])[0]
        well = url.path == "/" + role and int(lag) <= int(allowed.removesuffix("MB"))
        self.send_response(200 if well else 503)
        self.end_headers()

    do_GET = do_OPTIONS = do_HEAD = answer

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Rest)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
