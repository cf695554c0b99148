// Verifies one token many times with libjwt 1.x: its API reads the key from PEM at each call.
// Arguments: token file, PEM file, JWK file, issuer, audience. Prints microseconds per verification.
#include "peer.h"
#include <jwt.h>

int main(int count, char **arguments) {
    if (count != 6) return 2;
    char *token = peer_read(arguments[1]), *pem = peer_read(arguments[2]);
    int length = (int)strlen(pem), rounds = 0;
    double start = peer_seconds(), elapsed = 0;
    while (elapsed < PEER_SECONDS) {
        for (int i = 0; i < 50; i++, rounds++) {
            jwt_t *jwt = NULL;
            if (jwt_decode(&jwt, token, (unsigned char *)pem, length) != 0) return 1;
            const char *issuer = jwt_get_grant(jwt, "iss");
            char *audience = jwt_get_grants_json(jwt, "aud");
            if (jwt_get_alg(jwt) != JWT_ALG_ES256 || issuer == NULL || strcmp(issuer, arguments[4]) != 0) return 1;
            if (audience == NULL || strstr(audience, arguments[5]) == NULL) return 1;
            if (jwt_get_grant_int(jwt, "exp") <= time(NULL) || jwt_get_grant_int(jwt, "nbf") > time(NULL)) return 1;
            free(audience);
            jwt_free(jwt);
        }
        elapsed = peer_seconds() - start;
    }
    printf("%.3f\n", elapsed * 1e6 / rounds);
    return 0;
}
