"""Signs and sends requests with python3-requests-oauthlib.

Reads and writes what vepauth/testdata/oauthlib_client.py does. Requests go to the job's
address, whatever host their URL has.
"""

import json
import sys

import requests
import urllib3.util.connection
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256
from requests_oauthlib import OAuth1

METHODS = {"HMAC-SHA1": SIGNATURE_HMAC_SHA1, "HMAC-SHA256": SIGNATURE_HMAC_SHA256}

connect = urllib3.util.connection.create_connection


def run(job):
    address = job["host"], job["port"]
    urllib3.util.connection.create_connection = lambda _, *args, **kwargs: connect(address, *args, **kwargs)
    session = requests.Session()
    session.trust_env = False
    answers = []
    for r in job["requests"]:
        auth = OAuth1(job["key"], job["secret"], signature_method=METHODS[r["hash"]], realm=r.get("realm"))
        headers = {}
        if "body" in r:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = session.request(r["method"], r["uri"], data=r.get("body"), headers=headers, auth=auth)
        answers.append([answer.status_code, answer.text])
    return answers


json.dump([run(job) for job in json.load(sys.stdin)], sys.stdout)
