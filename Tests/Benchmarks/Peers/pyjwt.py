"""Verifies one token many times with PyJWT, its key imported once.

Arguments: token file, PEM file, JWK file, issuer, audience. Prints microseconds of processor time per verification.
"""
import sys
import time

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

token = open(sys.argv[1]).read().strip()
key = load_pem_public_key(open(sys.argv[2], "rb").read())
issuer, audience = sys.argv[4:6]
rounds = 0
start = time.process_time()
while time.process_time() - start < 0.3:
    for _ in range(50):
        jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=audience)
    rounds += 50
print(f"{(time.process_time() - start) * 1e6 / rounds:.3f}")
