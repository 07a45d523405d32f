"""A client that is not ours: signs requests with python3-oauthlib, sends them
over a socket as they are, and tells what was answered.

Reads from standard input a JSON list of jobs: "host" and "port" to connect to,
"tls", "key", "secret" and "requests", each with "method", "uri" (what is
signed), "hash" (HMAC-SHA1, HMAC-SHA256) and perhaps "body", a form. Writes, for
each job, a JSON list of [status, body of the answer]. Instead of "key" and
"secret" there may be "assertion" and "resource", with which they are got as the
protocol says.
"""

import http.client
import json
import re
import ssl
import sys
import urllib.parse

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

UNVERIFIED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
UNVERIFIED.check_hostname = False
UNVERIFIED.verify_mode = ssl.CERT_NONE

METHODS = {"HMAC-SHA1": SIGNATURE_HMAC_SHA1, "HMAC-SHA256": SIGNATURE_HMAC_SHA256}


def send(job, method, uri, headers, body):
    """Sends to job's address; scheme and host of the URI only go into Host."""
    authority, target = re.fullmatch(r"https?://([^/?]*)(.*)", uri).groups()
    if job["tls"]:
        connection = http.client.HTTPSConnection(job["host"], job["port"], context=UNVERIFIED)
    else:
        connection = http.client.HTTPConnection(job["host"], job["port"])
    # putrequest wants ASCII without odd characters; the path is to go as it is.
    connection._encode_request = lambda request: request.encode("utf-8")
    connection._validate_path = lambda url: None
    connection.putrequest(method, target or "/", skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", authority)
    data = (body or "").encode("ascii")
    for name, value in headers.items():
        connection.putheader(name, value)
    if data:
        connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data)
    response = connection.getresponse()
    answer = response.status, response.read().decode(), response.headers
    connection.close()
    return answer


def log_in(job):
    """Challenge, assertion, token."""
    status, _, headers = send(job, "GET", job["resource"], {}, None)
    challenge = re.fullmatch(r'OAuth\+VEP url="([^"]*)"', headers["WWW-Authenticate"])
    assert status == 401 and challenge, (status, headers)
    url = urllib.parse.urljoin(job["resource"], challenge.group(1))
    form = urllib.parse.urlencode({"assertion": job["assertion"]})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body, _ = send(job, "POST", url, kind, form)
    assert status == 200, (status, body)
    token = json.loads(body)
    job["key"], job["secret"] = token["oauth_consumer_key"], token["oauth_consumer_secret"]


def run(job):
    if "assertion" in job:
        log_in(job)
    answers = []
    for request in job["requests"]:
        client = Client(job["key"], job["secret"], signature_method=METHODS[request["hash"]])
        headers = {}
        if "body" in request:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        uri, headers, body = client.sign(request["uri"], request["method"], request.get("body"), headers,
                                         realm=request.get("realm"))
        answers.append(send(job, request["method"], uri, headers, body)[:2])
    return answers


json.dump([run(job) for job in json.load(sys.stdin)], sys.stdout)
