"""A server that verifies signed requests with python3-oauthlib.

Its arguments are the key and the secret of its one client. It prints its port. The answer to
a request is "valid" or "invalid".
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

KEY, SECRET = sys.argv[1:]


class Validator(RequestValidator):
    enforce_ssl = False
    dummy_client = "dummy"
    nonce_length = 1, 100
    client_key_length = 1, 100
    safe_characters = set(map(chr, range(33, 127)))

    def __init__(self):
        super().__init__()
        self.used = set()

    def validate_client_key(self, client_key, request):
        return client_key == KEY

    def get_client_secret(self, client_key, request):
        return SECRET if client_key == KEY else "dummy"

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, **_):
        first = (timestamp, nonce) not in self.used
        self.used.add((timestamp, nonce))
        return first


ENDPOINT = SignatureOnlyEndpoint(Validator())


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        # self.path is not the target as it was sent: it never begins with "//".
        target = self.raw_requestline.decode().split(" ")[1]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        uri = "http://" + self.headers["Host"] + target
        valid, _ = ENDPOINT.validate_request(uri, self.command, body, dict(self.headers))
        self.send_response(200 if valid else 401)
        self.end_headers()
        self.wfile.write(b"valid" if valid else b"invalid")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
