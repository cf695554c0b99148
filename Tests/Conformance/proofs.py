"""Gives each call of schemathesis a passport and a proof of possession (RFC 9449) with the service's present nonce."""

import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import schemathesis

BASE = "https://broker.example"


def present_nonce() -> str:
    request = urllib.request.Request(
        os.environ["CARNET_BROKER"] + "/release/v1/challenges", b"{}", {"Content-Type": "application/json"}
    )
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as answer:
        return answer.headers["DPoP-Nonce"]
    raise AssertionError("a call without a passport was let in")


@schemathesis.auth()
class Possession:
    def get(self, case, context):
        with open(os.environ["PASSPORT"]) as file:
            return file.read().strip()

    def set(self, case, data, context):
        path = urllib.parse.urlsplit(case.as_transport_kwargs(base_url=BASE)["url"]).path
        proof = subprocess.run(
            [*os.environ["PROVE"].split(), "--method", case.method, "--url", BASE + path, "--nonce", present_nonce()],
            check=True, capture_output=True, text=True,
        )
        case.headers = {**(case.headers or {}), "Authorization": "DPoP " + data, "DPoP": proof.stdout.strip()}
