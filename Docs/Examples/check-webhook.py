#!/usr/bin/env python3
"""What a receiver of Carnet's webhooks checks before it believes a message. Python's own library is enough.

    check-webhook.py --secret-file pager.secret --seen seen.db \\
        --id "$WEBHOOK_ID" --timestamp "$WEBHOOK_TIMESTAMP" --signature "$WEBHOOK_SIGNATURE" < body

Prints the message's type and ends with 0, or prints why not and ends with 1. The scheme is that of Standard Webhooks 1.0.0.
"""
import argparse, base64, hashlib, hmac, json, sqlite3, sys, time

TOLERANCE = 300          # seconds between the sender's clock and ours
REMEMBERED = 4 * 86_400  # seconds for which identifiers are kept: the sender tries for three days


def signature(secret: str, identifier: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check(secret: str, identifier: str, timestamp: str, given: str, body: bytes, now: int, seen: sqlite3.Connection) -> dict:
    """The message, or ValueError. The body is the bytes as they came: parsed and written anew they are others."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise ValueError("the timestamp is no number")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise ValueError("the timestamp is too far from now")
    expected = signature(secret, identifier, timestamp, body)
    # While a secret is being replaced there are two signatures: one that fits is enough.
    if not any(hmac.compare_digest(expected.encode(), part.encode()) for part in given.split(" ")):
        raise ValueError("no signature fits")
    # Only now: whoever cannot sign must not be able to fill the memory.
    with seen:
        seen.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, time INTEGER NOT NULL)")
        seen.execute("DELETE FROM seen WHERE time < ?", (now - REMEMBERED,))
        if seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (identifier, now)).rowcount == 0:
            raise ValueError("the message was seen before")
    return json.loads(body)


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("secret-file", "seen", "id", "timestamp", "signature"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--now", type=int, default=None, help="seconds since 1970, for tests")
    words = parser.parse_args()
    with open(words.secret_file) as file:
        secret = file.read()
    now = int(time.time()) if words.now is None else words.now
    try:
        seen = sqlite3.connect(words.seen)
        message = check(secret, words.id, words.timestamp, words.signature, sys.stdin.buffer.read(), now, seen)
    except ValueError as error:
        print(error)
        return 1
    print(message["type"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
